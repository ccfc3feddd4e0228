"""Server-side apply to subresources: scale, and those an author wrote."""

from pathlib import Path

import pytest

from generic.client import rest
from generic.client.rest import Client
from generic.meta.errors import StatusError
from generic.types import JSONObject
from tests.unit.aa.harness import make, serving
from trikube import aa

pytestmark = pytest.mark.anyio


class Bedding(aa.Model):
    """Bedding is what a stable is strewn with."""

    material: str = "straw"
    depth: int | None = None


class StableSpec(aa.Model):
    """StableSpec is what is wanted of a stable."""

    replicas: int = 1
    material: str = "straw"
    depth: int | None = None


class Stable(aa.Resource, group="farm.demo.io", version="v1", scale=aa.Scale(selector=".spec.material")):
    """Stable is where horses sleep."""

    spec: StableSpec = StableSpec()

    @aa.subresource("bedding", "get")
    def bedding(self, ctx: aa.Context) -> Bedding:
        return Bedding(material=self.spec.material, depth=self.spec.depth)

    @aa.subresource("bedding", "update")
    def strew(self, ctx: aa.Context, bedding: Bedding) -> None:
        self.spec.material, self.spec.depth = bedding.material, bedding.depth


STABLES = Stable.definition.gvr
PATH = "/apis/farm.demo.io/v1/namespaces/default/stables/red"


async def _apply(client: Client, part: str, body: JSONObject, *, manager: str, force: bool = False) -> JSONObject:
    query = {"fieldManager": manager, "force": str(force).lower()}
    sent = await client.request("PATCH", f"{PATH}/{part}", body=body, content_type=rest.APPLY_PATCH, query=query)
    found: JSONObject = sent.json()
    return found


def _scale(replicas: int) -> JSONObject:
    return {
        "apiVersion": "autoscaling/v1",
        "kind": "Scale",
        "metadata": {"name": "red"},
        "spec": {"replicas": replicas},
    }


def _bedding(**members: object) -> JSONObject:
    return {"apiVersion": "farm.demo.io/v1", "kind": "Bedding", "metadata": {"name": "red"}, **members}


async def _owners(client: Client) -> dict[tuple[str, str, str], JSONObject]:
    entries = (await client.get(STABLES, "red", "default"))["metadata"]["managedFields"]
    return {(each["manager"], each["operation"], each.get("subresource", "")): each["fieldsV1"] for each in entries}


async def test_an_applied_scale_is_owned_in_the_object(tmp_path: Path) -> None:
    async with serving(tmp_path, Stable) as client:
        await client.create(STABLES, make(Stable, "red"))
        scaled = await _apply(client, "scale", _scale(3), manager="scaler", force=True)
        owners = await _owners(client)
    assert (scaled["kind"], scaled["spec"]) == ("Scale", {"replicas": 3})
    assert owners["scaler", "Apply", "scale"] == {"f:spec": {"f:replicas": {}}}


async def test_an_applied_scale_conflicts_with_who_owns_the_count(tmp_path: Path) -> None:
    async with serving(tmp_path, Stable) as client:
        await client.create(STABLES, make(Stable, "red", spec={"replicas": 2}))
        await _apply(client, "scale", _scale(2), manager="first")
        with pytest.raises(StatusError) as raised:
            await _apply(client, "scale", _scale(5), manager="second")
        kept = await client.get(STABLES, "red", "default")
    assert raised.value.code == 409
    assert 'conflicts with "first" with subresource "scale":\n- .spec.replicas' in raised.value.message
    assert kept["spec"]["replicas"] == 2


async def test_an_applied_part_owns_what_it_changes(tmp_path: Path) -> None:
    async with serving(tmp_path, Stable) as client:
        await client.create(STABLES, make(Stable, "red"))
        shown = await _apply(client, "bedding", _bedding(depth=4), manager="groom")
        again = await _apply(client, "bedding", _bedding(depth=4), manager="groom")
        owners = await _owners(client)
    assert (shown["material"], shown["depth"]) == ("straw", 4)
    assert again["metadata"]["resourceVersion"] == shown["metadata"]["resourceVersion"]
    assert owners["groom", "Apply", "bedding"] == {"f:spec": {"f:depth": {}}}


async def test_what_an_applied_part_changes_may_be_somebody_elses(tmp_path: Path) -> None:
    async with serving(tmp_path, Stable) as client:
        await client.create(STABLES, make(Stable, "red"))
        await _apply(client, "bedding", _bedding(depth=4), manager="groom")
        with pytest.raises(StatusError) as raised:
            await _apply(client, "bedding", _bedding(depth=9), manager="owner")
        await _apply(client, "bedding", _bedding(depth=9), manager="owner", force=True)
        owners = await _owners(client)
    assert raised.value.code == 409
    assert 'conflict with "groom" with subresource "bedding": .spec.depth' in raised.value.message
    assert owners["owner", "Apply", "bedding"] == {"f:spec": {"f:depth": {}}}
    assert ("groom", "Apply", "bedding") not in owners


@pytest.mark.parametrize(
    ("body", "code", "why"),
    [
        (_bedding(colour="red"), 500, ".colour: field not declared in schema"),
        (_bedding(material=3), 500, ".material: expected string"),
        ({**_bedding(), "kind": "Stable"}, 400, "Stable"),
    ],
)
async def test_a_part_that_cannot_be_applied(tmp_path: Path, body: JSONObject, code: int, why: str) -> None:
    async with serving(tmp_path, Stable) as client:
        before = await client.create(STABLES, make(Stable, "red"))
        with pytest.raises(StatusError) as raised:
            await _apply(client, "bedding", body, manager="groom")
        assert await client.get(STABLES, "red", "default") == before
    assert (raised.value.code, why in raised.value.message) == (code, True), raised.value.message


async def test_a_part_of_nothing_is_not_created(tmp_path: Path) -> None:
    async with serving(tmp_path, Stable) as client:
        for part, body in (("bedding", _bedding()), ("scale", _scale(1))):
            with pytest.raises(StatusError) as raised:
                await _apply(client, part, body, manager="groom")
            assert raised.value.code == 404
