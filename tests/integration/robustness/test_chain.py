"""What the handler chain makes of a request, seen from outside: what every answer carries, what a right is about.

BEHAVIOURS B.
"""

import uuid

import pytest

from generic.types import JSONObject
from tests.integration.robustness.refusals import CONFIG_MAPS, KEPT
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

RBAC = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"


async def allow(plane: Running, user: str, *verbs: str, names: tuple[str, ...] = ()) -> None:
    """Let the user do that with ConfigMaps of the namespace."""
    rule: JSONObject = {"apiGroups": [""], "resources": ["configmaps"], "verbs": list(verbs)}
    if names:
        rule["resourceNames"] = list(names)
    await plane.create(f"{RBAC}/roles", {"metadata": {"name": user}, "rules": [rule]})
    group = "rbac.authorization.k8s.io"
    await plane.create(
        f"{RBAC}/rolebindings",
        {
            "metadata": {"name": user},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": user},
            "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
        },
    )


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        (CONFIG_MAPS, {}, 200),
        ("/healthz", {}, 200),
        (f"{CONFIG_MAPS}?timeoutSeconds=1&watch=1", {}, 200),
        (f"{CONFIG_MAPS}?limit=x", {}, 400),
        (f"{CONFIG_MAPS}?timeout=x", {}, 400),
        (CONFIG_MAPS, {"authorization": "Bearer nobodys"}, 401),
        (CONFIG_MAPS, {"impersonate-user": "nobody"}, 403),
        ("/nowhere", {}, 404),
        (f"{CONFIG_MAPS}/none", {}, 404),
        (CONFIG_MAPS, {"accept": "text/csv"}, 406),
    ],
)
async def test_every_answer_bears_the_id_of_its_request_and_is_not_to_be_kept(
    control_plane: Running, path: str, headers: dict[str, str], code: int
) -> None:
    async with control_plane.client(anonymous=True) if code == 401 else control_plane.client() as client:
        answer = await client.get(path, headers={"audit-id": "mine", **headers})
        assert answer.status_code == code, answer.text
        assert (answer.headers["audit-id"], answer.headers["cache-control"]) == ("mine", "no-cache, private")
        given = {(await client.get(path, headers=headers)).headers["audit-id"] for _ in range(2)}
    assert len(given) == 2
    assert {uuid.UUID(one).version for one in given} == {4}


async def test_to_ask_for_the_head_is_to_get(control_plane: Running, kept: JSONObject) -> None:
    await allow(control_plane, "getter", "get")
    async with control_plane.client("getter") as getter:
        # Allowed, but there is no route for it; one that was refused would not get so far.
        assert (await getter.head(f"{CONFIG_MAPS}/{KEPT}")).status_code == 405
        # Without a name it would be a list.
        assert (await getter.head(CONFIG_MAPS)).status_code == 403


async def test_a_right_to_one_name_lists_and_watches_that_name(control_plane: Running, kept: JSONObject) -> None:
    await allow(control_plane, "reader", "list", "watch", "deletecollection", names=(KEPT,))
    only = {"fieldSelector": f"metadata.name={KEPT}"}
    async with control_plane.client("reader") as reader:
        found = await reader.get(CONFIG_MAPS, params=only)
        assert [item["metadata"]["name"] for item in found.json()["items"]] == [KEPT]
        seen = await reader.get(CONFIG_MAPS, params={**only, "watch": "1", "timeoutSeconds": "1"})
        assert (seen.status_code, seen.text.count('"ADDED"')) == (200, 1)
        for params in ({}, {"fieldSelector": "metadata.name=other"}, {"fieldSelector": f"metadata.name!={KEPT}"}):
            assert (await reader.get(CONFIG_MAPS, params=params)).status_code == 403
        # What a deletion selects is no name, whoever may delete one.
        assert (await reader.delete(CONFIG_MAPS, params=only)).status_code == 403
