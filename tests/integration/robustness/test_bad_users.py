"""Who may not: 401 for credentials that are wrong, 403 in Kubernetes' words for all others."""

from collections.abc import Iterable

import httpx
import pytest

from generic.types import JSONObject
from tests.integration.robustness.refusals import CONFIG_MAPS, KEPT, Refused, config_map
from tests.support.plane import Running

pytestmark = pytest.mark.anyio


def forbidden(who: str, verb: str, method: str, path: str, *, name: str = "", body: object = None) -> Refused:
    about = f'configmaps "{name}"' if name else "configmaps"
    message = (
        f'{about} is forbidden: User "{who}" cannot {verb} resource "configmaps" in API group "" in the namespace '
        '"default"'
    )
    details = {"name": name, "kind": "configmaps"} if name else {"kind": "configmaps"}
    return Refused("", method, path, 403, "Forbidden", message, details=details, body=body)


def every_verb(who: str) -> Iterable[Refused]:
    one = f"{CONFIG_MAPS}/{KEPT}"
    yield forbidden(who, "list", "GET", CONFIG_MAPS)
    yield forbidden(who, "watch", "GET", f"{CONFIG_MAPS}?watch=1")
    yield forbidden(who, "create", "POST", CONFIG_MAPS, body=config_map())
    yield forbidden(who, "deletecollection", "DELETE", CONFIG_MAPS)
    yield forbidden(who, "get", "GET", one, name=KEPT)
    yield forbidden(who, "update", "PUT", one, name=KEPT, body=config_map(KEPT))
    yield forbidden(who, "patch", "PATCH", one, name=KEPT, body={})
    yield forbidden(who, "delete", "DELETE", one, name=KEPT)


async def test_strangers_and_users_without_rights_are_told_what_they_may_not(
    control_plane: Running, kept: JSONObject
) -> None:
    async with control_plane.client(anonymous=True) as stranger, control_plane.client("bob", "staff") as bob:
        for http, who in ((stranger, "system:anonymous"), (bob, "bob")):
            for refused in every_verb(who):
                await refused.check(http)
    # Not even that there is no such namespace.
    async with control_plane.client("bob") as bob:
        answer = await bob.post("/api/v1/namespaces/nowhere/configmaps", json=config_map())
    assert answer.status_code == 403
    assert answer.json()["message"].endswith(
        'cannot create resource "configmaps" in API group "" in the namespace "nowhere"'
    )


async def test_a_path_that_is_no_resource_is_refused_by_its_path(control_plane: Running) -> None:
    message = 'forbidden: User "system:anonymous" cannot get path "/metrics"'
    async with control_plane.client(anonymous=True) as stranger:
        await Refused("", "GET", "/metrics", 403, "Forbidden", message, details={}).check(stranger)


@pytest.mark.parametrize("token", ["Bearer nonsense", "Bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.e30."])
async def test_a_bad_token_is_401_whatever_is_asked_for(control_plane: Running, kept: JSONObject, token: str) -> None:
    headers = {"authorization": token}
    async with control_plane.client(anonymous=True) as stranger:
        for method, path in (("GET", CONFIG_MAPS), ("DELETE", CONFIG_MAPS), ("GET", "/healthz")):
            await Refused("", method, path, 401, "Unauthorized", "Unauthorized", headers=headers).check(stranger)


async def test_impersonation_wants_a_user_and_a_right(control_plane: Running, kept: JSONObject) -> None:
    message = (
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"x"}, Extra:map[string][]string(nil)} '
        "without impersonating a user name"
    )
    headers = {"impersonate-group": "x"}
    await Refused("", "DELETE", CONFIG_MAPS, 400, "BadRequest", message, headers=headers).check(control_plane.http)
    for headers, mode in (
        ({"impersonate-user": "alice"}, "user-info"),
        ({"impersonate-user": "bob", "impersonate-group": "system:masters"}, "user-info"),
        ({"impersonate-user": "system:serviceaccount:default:default"}, "serviceaccount"),
        ({"impersonate-user": "system:node:one"}, "arbitrary-node"),
    ):
        why = (
            f'configmaps is forbidden: User "bob" cannot impersonate-on:{mode}:list resource "configmaps" '
            'in API group "" in the namespace "default"'
        )
        details = {"kind": "configmaps"}
        refused = Refused("", "GET", CONFIG_MAPS, 403, "Forbidden", why, details=details, headers=headers)
        async with control_plane.client("bob") as bob:
            await refused.check(bob)


async def test_an_impersonated_user_has_only_their_own_rights(control_plane: Running, kept: JSONObject) -> None:
    as_alice = httpx.Headers({"impersonate-user": "alice"})
    async with control_plane.client() as admin:
        admin.headers.update(as_alice)
        for refused in every_verb("alice"):
            await refused.check(admin)


async def test_identity_headers_of_a_client_are_not_believed(control_plane: Running, kept: JSONObject) -> None:
    claimed = {"x-remote-user": "admin", "x-remote-group": "system:masters"}
    async with control_plane.client("bob") as bob:
        bob.headers.update(claimed)
        await forbidden("bob", "list", "GET", CONFIG_MAPS).check(bob)
