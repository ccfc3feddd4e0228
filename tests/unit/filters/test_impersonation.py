"""Acting as somebody else: every part is authorized, then the caller is that somebody."""

import pytest

from generic.authorization.interface import AuthorizationAttributes
from generic.request import context
from generic.request.context import RequestContext
from generic.types import Receive, Scope, Send
from tests.support.asgi import Response, call, receive, scope
from tests.support.chain import BOB, Rules, chain, ok

pytestmark = pytest.mark.anyio


async def impersonate(headers: list[tuple[str, str]]) -> RequestContext:
    request = scope("/api/v1/pods", headers=headers)
    response = Response()
    await chain()(request, receive, response.send)
    assert response.status == 200, response.body
    return context.of(request)


async def test_user_groups_uid_and_extra_are_taken_over() -> None:
    request = await impersonate([
        ("Impersonate-User", "alice"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Extra-Scopes", "view"),
        ("Impersonate-Extra-Scopes", "edit"),
        ("Impersonate-Extra-Example.org%2FTeam", "x"),
    ])
    user = request.user
    assert user is not None
    assert (user.name, user.groups, user.uid) == ("alice", ("a", "b", "system:authenticated"), "7")
    assert user.extra == {"scopes": ["view", "edit"], "example.org/team": ["x"]}
    assert request.impersonator == BOB


async def test_names_are_text_whatever_bytes_are_sent() -> None:
    """What is no UTF-8 could be written into no answer and no review of access."""
    request = scope("/api/v1/pods")
    request["headers"] += [
        (b"impersonate-user", b"a\xff"),
        (b"impersonate-group", b"\xfe"),
        (b"impersonate-extra-k%ff", b"v\xff"),
    ]
    await chain()(request, receive, Response().send)
    user = context.of(request).user
    assert user is not None
    assert (user.name, user.groups) == ("a\ufffd", ("\ufffd", "system:authenticated"))
    assert user.extra == {"k\ufffd": ["v\ufffd"]}


@pytest.mark.parametrize(
    ("name", "given", "groups"),
    [
        ("alice", [], ("system:authenticated",)),
        ("alice", ["system:authenticated"], ("system:authenticated",)),
        ("alice", ["system:unauthenticated"], ("system:unauthenticated",)),
        ("system:anonymous", [], ("system:unauthenticated",)),
        (
            "system:serviceaccount:ns:sa",
            [],
            ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"),
        ),
        ("system:serviceaccount:ns:sa", ["x"], ("x", "system:authenticated")),
    ],
)
async def test_groups_of_the_impersonated(name: str, given: list[str], groups: tuple[str, ...]) -> None:
    request = await impersonate([("Impersonate-User", name), *(("Impersonate-Group", group) for group in given)])
    assert request.user is not None
    assert (request.user.name, request.user.groups) == (name, groups)


async def test_every_part_is_authorized_by_itself_as_the_caller() -> None:
    rules = Rules()
    headers = [
        ("Impersonate-User", "alice"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Uid", "7"),
        ("Impersonate-Extra-Scopes", "view"),
    ]
    await call(chain(authorizer=rules), "/api/v1/pods", headers=headers)
    *parts, request = rules.asked
    assert all(part.user == BOB and part.verb == "impersonate" for part in parts)
    assert [(part.group, part.resource, part.subresource, part.name) for part in parts] == [
        ("", "users", "", "alice"),
        ("", "groups", "", "a"),
        ("authentication.k8s.io", "userextras", "scopes", "view"),
        ("authentication.k8s.io", "uids", "", "7"),
    ]
    assert request.user.name == "alice"


async def test_service_account_is_authorized_as_one_in_its_namespace() -> None:
    rules = Rules()
    await call(chain(authorizer=rules), headers={"Impersonate-User": "system:serviceaccount:ns:sa"})
    part = rules.asked[0]
    assert (part.resource, part.namespace, part.name) == ("serviceaccounts", "ns", "sa")


@pytest.mark.parametrize("resource", ["users", "groups", "uids", "userextras"])
async def test_one_part_refused_is_403(resource: str) -> None:
    def decide(attributes: AuthorizationAttributes) -> bool:
        return attributes.resource != resource

    headers = {
        "Impersonate-User": "alice",
        "Impersonate-Group": "a",
        "Impersonate-Uid": "7",
        "Impersonate-Extra-Scopes": "view",
    }
    response = await call(chain(authorizer=Rules(decide)), "/api/v1/pods", headers=headers)
    assert response.status == 403
    assert 'User "bob" cannot impersonate resource' in response.json()["message"]


async def test_refusal_in_kubernetes_words() -> None:
    response = await call(chain(authorizer=Rules(lambda _: False)), headers={"Impersonate-User": "alice"})
    assert response.json()["message"] == (
        'users "alice" is forbidden: User "bob" cannot impersonate resource "users" '
        'in API group "" at the cluster scope'
    )


@pytest.mark.parametrize("header", ["Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-A"])
async def test_other_headers_without_a_user_are_400(header: str) -> None:
    response = await call(chain(), headers={header: "x"})
    assert response.status == 400
    assert response.json()["message"].endswith("without impersonating a user")


async def test_headers_are_gone_behind_the_filter() -> None:
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(name for name, _ in scope["headers"])
        await ok(scope, receive, send)

    headers = {"Impersonate-User": "a", "Impersonate-Group": "b", "Impersonate-Extra-C": "d", "Accept": "*/*"}
    await call(chain(app), headers=headers)
    assert seen == [b"accept"]


async def test_without_the_headers_nobody_is_impersonated() -> None:
    request = await impersonate([])
    assert (request.user, request.impersonator) == (BOB, None)
