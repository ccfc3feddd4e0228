"""What a class serves beside its objects: columns, subresources, scale, versions, answers, storage of one's own."""

import asyncio
from pathlib import Path
from typing import Self

import pytest
from pydantic import Field

from generic.client import rest
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersion
from generic.registry.options import GetOptions, ListOptions
from generic.request.context import RequestContext
from generic.storage.cacher import ListResult
from generic.storage.objects import StoredObject
from tests.unit.aa.harness import make, serving
from trikube import aa
from trikube.aa.plan import Served

pytestmark = pytest.mark.anyio

GROUP = "animal.demo.io"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


class Diet(aa.Model):
    """Diet is what a herd may eat."""

    food: str = "hay"


class Meal(aa.Model):
    """Meal is something to eat."""

    amount: int = 1


class Receipt(aa.Model):
    """Receipt says what was eaten."""

    eaten: int


class HerdSpec(aa.Model):
    """HerdSpec is what is wanted of a herd."""

    replicas: int = 1
    food: str = "grass"


class HerdStatus(aa.Model):
    """HerdStatus is how a herd is."""

    replicas: int = 0
    selector: str | None = None
    eaten: int = 0


class Herd(
    aa.Resource,
    group=GROUP,
    version="v1",
    subresources=("status", "scale"),
    columns=(("Food", ".spec.food"),),
    selectable_fields=(".spec.food",),
    short_names=("hd",),
):
    """Herd is a number of animals."""

    spec: HerdSpec = HerdSpec()
    status: HerdStatus = HerdStatus()

    @aa.column("Hunger", type="integer")
    def hunger(self) -> int:
        """How much is missing."""
        return 10 // self.spec.replicas

    @aa.subresource("diet", "get")
    def diet(self, ctx: aa.Context) -> Diet:
        return Diet(food=self.spec.food)

    @aa.subresource("diet", "update")
    async def change_diet(self, ctx: aa.Context, diet: Diet) -> None:
        self.spec.food = diet.food

    @aa.subresource("feed")
    def feed(self, ctx: aa.Context, meal: Meal) -> Receipt:
        if meal.amount > 5:
            raise aa.errors.bad_request("too much")
        self.status.eaten += meal.amount
        return Receipt(eaten=self.status.eaten)

    @aa.subresource("shrink")
    def shrink(self, ctx: aa.Context, meal: Meal) -> None:
        self.spec.replicas -= meal.amount

    def validate_create(self, ctx: aa.Context) -> list[aa.FieldError]:
        return [] if self.spec.replicas >= 0 else [aa.fields.invalid("spec.replicas", self.spec.replicas, "too few")]


HERDS = Herd.definition.gvr
PATH = f"/apis/{GROUP}/v1/namespaces/default/herds/sheep"


async def test_a_table_has_the_classes_columns_and_one_bad_row_spoils_no_other(tmp_path: Path) -> None:
    async with serving(tmp_path, Herd) as client:
        await client.create(HERDS, make(Herd, "none", spec={"replicas": 0}))
        await client.create(HERDS, make(Herd, "sheep", spec={"replicas": 2}))
        table = (await client.request("GET", PATH.removesuffix("/sheep"), headers={"accept": TABLE})).json()
        found = await client.list(HERDS, field_selector="spec.food=hay")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Food", "Hunger", "Age"]
    assert [row["cells"][:3] for row in table["rows"]] == [["none", "grass", None], ["sheep", "grass", 5]]
    assert found["items"] == []


async def test_a_subresource_is_read_replaced_and_patched_and_changes_its_parent(tmp_path: Path) -> None:
    async with serving(tmp_path, Herd) as client:
        await client.create(HERDS, make(Herd, "sheep"))
        diet = await client.get(HERDS, "sheep", "default", subresource="diet")
        assert (diet["apiVersion"], diet["kind"], diet["food"]) == (f"{GROUP}/v1", "Diet", "grass")
        await client.request("PUT", f"{PATH}/diet", body={**diet, "food": "hay"})
        with pytest.raises(StatusError) as raised:
            await client.request("PUT", f"{PATH}/diet", body={**diet, "food": "old"})
        assert raised.value.code == 409
        patch = {"food": "clover"}
        patched = await client.patch(HERDS, "sheep", patch, namespace="default", subresource="diet")
        assert patched["food"] == "clover"
        herd = await client.get(HERDS, "sheep", "default")
        assert (herd["spec"]["food"], herd["metadata"]["generation"]) == ("clover", 3)


async def test_a_post_to_a_subresource_answers_with_its_result_and_stores_what_it_changed(tmp_path: Path) -> None:
    async with serving(tmp_path, Herd) as client:
        await client.create(HERDS, make(Herd, "sheep"))
        for _ in range(2):
            answer = await client.request("POST", f"{PATH}/feed", body={"amount": 2})
        assert (answer.status, answer.json()["kind"], answer.json()["eaten"]) == (201, "Receipt", 4)
        herd = await client.get(HERDS, "sheep", "default")
        assert (herd["status"]["eaten"], herd["metadata"]["generation"]) == (4, 1)
        dry = await client.request("POST", f"{PATH}/feed", body={}, query={"dryRun": "All"})
        assert dry.json()["eaten"] == 5
        assert (await client.get(HERDS, "sheep", "default")) == herd


async def test_a_post_that_was_overtaken_runs_again_on_the_newer_object(tmp_path: Path) -> None:
    async with serving(tmp_path, Herd) as client:
        await client.create(HERDS, make(Herd, "sheep"))
        answers = await asyncio.gather(*(client.request("POST", f"{PATH}/feed", body={}) for _ in range(8)))
        assert sorted(answer.json()["eaten"] for answer in answers) == [*range(1, 9)]
        assert (await client.get(HERDS, "sheep", "default"))["status"]["eaten"] == 8


@pytest.mark.parametrize(
    ("path", "body", "code", "why"),
    [
        (f"{PATH}/feed", {"amount": 6}, 400, "too much"),
        (f"{PATH}/feed", {"amount": "x"}, 400, "cannot unmarshal string into Go struct field Meal.amount"),
        (f"{PATH}/shrink", {"amount": 2}, 422, "spec.replicas: Invalid value: -1: too few"),
        (f"{PATH.replace('sheep', 'cows')}/feed", {}, 404, 'herds.animal.demo.io "cows" not found'),
        (f"{PATH}/nothing", {}, 404, "could not find the requested resource"),
    ],
)
async def test_what_a_subresource_refuses(
    tmp_path: Path, path: str, body: dict[str, object], code: int, why: str
) -> None:
    async with serving(tmp_path, Herd) as client:
        before = await client.create(HERDS, make(Herd, "sheep"))
        with pytest.raises(StatusError) as raised:
            await client.request("POST", path, body=body)
        assert (raised.value.code, why in raised.value.message) == (code, True), raised.value.message
        assert await client.get(HERDS, "sheep", "default") == before


async def test_a_herd_is_scaled(tmp_path: Path) -> None:
    async with serving(tmp_path, Herd) as client:
        made = await client.create(HERDS, make(Herd, "sheep"))
        await client.update_status(HERDS, {**made, "status": {"replicas": 1, "selector": "a=b"}})
        scale = await client.get(HERDS, "sheep", "default", subresource="scale")
        assert (scale["apiVersion"], scale["kind"]) == ("autoscaling/v1", "Scale")
        assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 1, "selector": "a=b"})
        patch = {"spec": {"replicas": 3}}
        await client.patch(HERDS, "sheep", patch, namespace="default", subresource="scale")
        assert (await client.get(HERDS, "sheep", "default"))["spec"]["replicas"] == 3
        patch = {"spec": {"replicas": -1}}
        with pytest.raises(StatusError, match="must be greater than or equal to 0"):
            await client.patch(HERDS, "sheep", patch, namespace="default", subresource="scale")


async def test_discovery_and_openapi_tell_all_of_it(tmp_path: Path) -> None:
    async with serving(tmp_path, Herd) as client:
        found = (await client.request("GET", f"/apis/{GROUP}/v1")).json()["resources"]
        document = (await client.request("GET", f"/openapi/v3/apis/{GROUP}/v1")).json()
        older = (await client.request("GET", "/openapi/v2")).json()
    verbs = {each["name"]: each["verbs"] for each in found}
    assert verbs["herds/diet"] == ["get", "patch", "update"]
    assert verbs["herds/feed"] == ["create"]
    assert verbs["herds/scale"] == ["get", "patch", "update"]
    schemas = document["components"]["schemas"]
    assert schemas["io.demo.animal.v1.Herd"]["description"] == "Herd is a number of animals."
    assert "io.demo.animal.v1.Diet" in schemas
    # What aggregators merge for clients that do not know v3.
    kinds = older["definitions"]["io.demo.animal.v1.Herd"]["x-kubernetes-group-version-kind"]
    assert kinds == [{"group": GROUP, "version": "v1", "kind": "Herd"}]


class Door(aa.Model):
    """Door is a way into a barn."""

    name: str
    width: int = 1
    open: bool = False


class Barn(aa.Resource, group=GROUP, version="v1", namespaced=False):
    """Barn is where herds sleep."""

    doors: list[Door] | None = Field(
        default=None,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "x-kubernetes-patch-merge-key": "name",
            "x-kubernetes-patch-strategy": "merge",
        },
    )
    front: Door | None = None


@pytest.mark.parametrize("content_type", [rest.STRATEGIC_MERGE_PATCH, rest.APPLY_PATCH])
async def test_lists_merge_by_the_keys_their_members_name(tmp_path: Path, content_type: str) -> None:
    barns = Barn.definition.gvr
    front, left, right = {"name": "f", "width": 3}, {"name": "l", "width": 2}, {"name": "r", "width": 4}
    async with serving(tmp_path, Barn) as client:
        await client.create(barns, make(Barn, "b", doors=[left, right], front=front))
        patch = make(Barn, "b", doors=[{"name": "l", "open": True}], front={"name": "f", "open": True})
        force = {"force": "true"} if content_type == rest.APPLY_PATCH else {}
        manager = {"fieldManager": "test", **force}
        path = f"/apis/{GROUP}/v1/barns/b"
        await client.request("PATCH", path, body=patch, content_type=content_type, query=manager)
        barn = await client.get(barns, "b")
    assert barn["doors"] == [{**left, "open": True}, {**right, "open": False}]
    assert barn["front"] == {**front, "open": True}


class Flock(aa.Resource, group=GROUP, version="v2", kind="Herd", hub=Herd, subresources=("status",)):
    """Herd, counted in heads."""

    heads: int = 1
    status: HerdStatus = HerdStatus()

    def convert_to_hub(self) -> Herd:
        return Herd(spec=HerdSpec(replicas=self.heads), status=self.status)

    @classmethod
    def convert_from_hub(cls, hub: Herd) -> Self:
        return cls(heads=hub.spec.replicas, status=hub.status)


async def test_versions_are_one_object_seen_in_two_ways(tmp_path: Path) -> None:
    flocks = Flock.definition.gvr
    async with serving(tmp_path, Herd, Flock) as client:
        made = await client.create(flocks, make(Flock, "sheep", heads=7))
        assert (made["apiVersion"], made["heads"]) == (f"{GROUP}/v2", 7)
        herd = await client.get(HERDS, "sheep", "default")
        assert herd["spec"]["replicas"] == 7
        assert herd["metadata"]["uid"] == made["metadata"]["uid"]
        await client.request("POST", f"{PATH}/shrink", body={"amount": 3})
        assert [item["heads"] for item in (await client.list(flocks))["items"]] == [4]
        versions = (await client.request("GET", f"/apis/{GROUP}")).json()["versions"]
        assert [each["version"] for each in versions] == ["v2", "v1"]


class Count(aa.Resource, group=GROUP, version="v1", namespaced=False):
    """Count counts letters."""

    text: str = Field(min_length=1)
    letters: int | None = None

    async def answer(self, ctx: aa.Context) -> None:
        self.letters = len(self.text)


async def test_a_kind_that_is_not_stored_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path, Served(Count, storage=aa.NOT_STORED)) as client:
        counted = await client.create(Count.definition.gvr, make(Count, "", text="four"))
        assert counted["letters"] == 4
        with pytest.raises(StatusError) as raised:
            await client.create(Count.definition.gvr, make(Count, "", text=""))
        assert raised.value.code == 422
        with pytest.raises(StatusError) as raised:
            await client.list(Count.definition.gvr)
        assert raised.value.code == 405


class Clock:
    """REST storage of an author's own: two capabilities, so two verbs."""

    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject:
        raw = Count(metadata=aa.Metadata(name=name), text="tick").to_object()
        return aa.stored(raw)

    async def list(self, request: RequestContext, namespace: str, options: ListOptions) -> ListResult:
        return ListResult([await self.get(request, namespace, "now", GetOptions())], revision=1)


async def test_storage_of_ones_own_has_the_verbs_it_can(tmp_path: Path) -> None:
    async with serving(tmp_path, Served(Count, storage=Clock())) as client:
        found = await client.list(Count.definition.gvr)
        assert [item["metadata"]["name"] for item in found["items"]] == ["now"]
        listed = (await client.request("GET", str(GroupVersion(GROUP, "v1").path))).json()["resources"]
        assert [each["verbs"] for each in listed] == [["get", "list"]]
