"""Acting as somebody else: every part is authorized, then the caller is that somebody."""

import pytest

from generic.authorization.interface import AuthorizationAttributes, Verdict
from generic.meta import errors
from generic.request import context
from generic.request.context import RequestContext
from generic.request.user import UserInfo
from generic.types import Receive, Scope, Send
from tests.support.asgi import Response, call, receive, scope
from tests.support.chain import BOB, Always, Rules, chain, ok

pytestmark = pytest.mark.anyio

ALONE = ("system:authenticated",)
EVERYTHING = {
    "Impersonate-User": "alice",
    "Impersonate-Group": "a",
    "Impersonate-Uid": "7",
    "Impersonate-Extra-Example.org%2FTeam": "x",
}


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


def only(*verbs: str) -> Rules:
    """Allows these, and whatever is no impersonation."""
    return Rules(lambda asked: asked.verb in verbs or not asked.verb.startswith("impersonate"))


def parts(rules: Rules) -> list[tuple[str, str, str, str, str]]:
    """What was asked for impersonation, without the rights to what is then done."""
    return [
        (
            asked.verb,
            asked.group,
            "/".join(filter(None, (asked.resource, asked.subresource))),
            asked.namespace,
            asked.name,
        )
        for asked in rules.asked
        if asked.verb.startswith("impersonate")
    ]


async def test_with_the_old_right_every_part_is_authorized_by_itself_as_the_caller() -> None:
    rules = only("impersonate")
    await call(chain(authorizer=rules), "/api/v1/pods", headers=EVERYTHING)
    assert all(asked.user == BOB for asked in rules.asked[:-1])
    assert parts(rules) == [
        ("impersonate-on:user-info:list", "", "pods", "", ""),
        ("impersonate", "", "users", "", "alice"),
        ("impersonate", "authentication.k8s.io", "uids", "", "7"),
        ("impersonate", "", "groups", "", "a"),
        ("impersonate", "authentication.k8s.io", "userextras/example.org/team", "", "x"),
    ]
    assert rules.asked[-1].user.name == "alice"


async def test_what_was_allowed_the_last_time_is_tried_first() -> None:
    rules = only("impersonate")
    app = chain(authorizer=rules)
    for _ in range(2):
        rules.asked.clear()
        await call(app, "/api/v1/pods", headers={"Impersonate-User": "alice"})
    assert parts(rules) == [("impersonate", "", "users", "", "alice")]


async def test_a_constrained_right_is_one_to_be_the_other_and_one_to_do_this_as_the_other() -> None:
    rules = Rules()
    request = scope("/api/v1/namespaces/ns/pods/it", headers=list(EVERYTHING.items()))
    await chain(authorizer=rules)(request, receive, Response().send)
    assert parts(rules) == [
        ("impersonate-on:user-info:get", "", "pods", "ns", "it"),
        ("impersonate:user-info", "authentication.k8s.io", "users", "", "alice"),
        ("impersonate:user-info", "authentication.k8s.io", "uids", "", "7"),
        ("impersonate:user-info", "authentication.k8s.io", "groups", "", "a"),
        ("impersonate:user-info", "authentication.k8s.io", "userextras/example.org/team", "", "x"),
    ]
    assert context.of(request).impersonation_constraint == "impersonate:user-info"


@pytest.mark.parametrize(
    ("user", "mode", "asked", "groups"),
    [
        ("system:node:n1", "arbitrary-node", ("nodes", "", "n1"), ("system:nodes", "system:authenticated")),
        (
            "system:serviceaccount:ns:sa",
            "serviceaccount",
            ("serviceaccounts", "ns", "sa"),
            ("system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"),
        ),
        ("system:serviceaccount:NS:sa", "user-info", ("users", "", "system:serviceaccount:NS:sa"), ALONE),
        ("system:serviceaccount:ns", "user-info", ("users", "", "system:serviceaccount:ns"), ALONE),
        ("system:node:", "user-info", ("users", "", "system:node:"), ALONE),
    ],
)
async def test_nodes_and_service_accounts_have_rights_and_groups_of_their_own(
    user: str, mode: str, asked: tuple[str, str, str], groups: tuple[str, ...]
) -> None:
    rules = Rules()
    request = scope("/version", headers=[("Impersonate-User", user)])
    await chain(authorizer=rules)(request, receive, Response().send)
    first, second = parts(rules)
    assert (first[0], second) == (
        f"impersonate-on:{mode}:get",
        (f"impersonate:{mode}", "authentication.k8s.io", *asked),
    )
    seen = context.of(request).user
    assert seen is not None
    assert seen.groups == groups


async def test_of_a_service_account_with_groups_only_the_old_right_will_do() -> None:
    rules = Rules()
    headers = {"Impersonate-User": "system:serviceaccount:ns:sa", "Impersonate-Group": "x"}
    await call(chain(authorizer=rules), headers=headers)
    assert parts(rules) == [
        ("impersonate", "", "serviceaccounts", "ns", "sa"),
        ("impersonate", "", "groups", "", "x"),
    ]


async def test_before_1_36_only_the_old_right_will_do() -> None:
    rules = Rules()
    app = chain(authorizer=rules, constrained_impersonation=False)
    await call(app, "/api/v1/pods", headers={"Impersonate-User": "alice"})
    assert parts(rules) == [("impersonate", "", "users", "", "alice")]


@pytest.mark.parametrize(("node", "first"), [("n1", "associated-node"), ("n2", "arbitrary-node")])
async def test_a_pod_has_its_own_right_to_be_the_node_it_runs_on(node: str, first: str) -> None:
    extra = {"authentication.kubernetes.io/node-name": ["n1"]}
    agent = UserInfo("system:serviceaccount:ns:agent", (), "", extra)
    rules = Rules()
    app = chain(authenticator=Always(agent), authorizer=rules)
    await call(app, "/api/v1/pods", headers={"Impersonate-User": f"system:node:{node}"})
    assert [asked.verb for asked in rules.asked[:2]] == [f"impersonate-on:{first}:list", f"impersonate:{first}"]
    if first == "associated-node":
        assert rules.asked[1].name == "*"
        keys = {"authentication.kubernetes.io/associated-node-keys": ["authentication.kubernetes.io/node-name"]}
        assert rules.asked[1].user.extra == keys
    # It is gone with impersonation: what is then done is done by the node.
    assert (rules.asked[-1].user.name, rules.asked[-1].user.extra) == (f"system:node:{node}", {})


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([("Impersonate-Group", "")], "impersonating the empty string group is not allowed"),
        ([("Impersonate-Group", "system:masters")], "impersonating the system:masters group is not allowed"),
        (
            [("Impersonate-Extra-Scopes", "x")],
            'impersonating an invalid key in extra is not allowed: extra.key: Invalid value: "scopes": '
            'must be a domain-prefixed path (such as "acme.io/foo")',
        ),
        ([("Impersonate-Extra-A.io%2Fb", "")], "impersonating the empty string value in extra is not allowed"),
    ],
)
async def test_what_no_constrained_right_allows(headers: list[tuple[str, str]], why: str) -> None:
    rules = Rules(lambda asked: asked.verb != "impersonate")
    answer = await call(chain(authorizer=rules), headers=[("Impersonate-User", "alice"), *headers])
    assert (answer.status, answer.json()["message"].endswith(f": {why}")) == (403, True)


async def test_a_right_to_all_groups_is_asked_for_before_many() -> None:
    rules = Rules()
    groups = [("Impersonate-Group", name) for name in "abcd"]
    await call(chain(authorizer=rules), headers=[("Impersonate-User", "alice"), *groups])
    assert [part[4] for part in parts(rules) if part[2] == "groups"] == ["*"]


@pytest.mark.parametrize("resource", ["users", "groups", "uids", "userextras"])
async def test_one_part_refused_is_403(resource: str) -> None:
    rules = Rules(lambda asked: asked.resource != resource)
    response = await call(chain(authorizer=rules), "/api/v1/pods", headers=EVERYTHING)
    assert response.status == 403
    assert 'User "bob" cannot impersonate:user-info resource' in response.json()["message"]


async def test_the_first_refusal_is_told_in_kubernetes_words() -> None:
    rules = Rules(lambda _: False)
    response = await call(chain(authorizer=rules), "/api/v1/pods", headers={"Impersonate-User": "alice"})
    assert response.json()["message"] == (
        'pods is forbidden: User "bob" cannot impersonate-on:user-info:list resource "pods" '
        'in API group "" at the cluster scope'
    )


async def test_who_cannot_be_asked_about_may_not_be_impersonated() -> None:
    class Broken(Rules):
        async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
            raise errors.internal_error("no connection")

    response = await call(chain(authorizer=Broken()), headers={"Impersonate-User": "alice"})
    assert (response.status, response.json()["message"].endswith(": Internal error occurred: no connection")) == (
        403,
        True,
    )


@pytest.mark.parametrize("header", ["Impersonate-Group", "Impersonate-Uid", "Impersonate-Extra-A"])
async def test_other_headers_without_a_user_are_400(header: str) -> None:
    response = await call(chain(), headers={header: "x"})
    assert response.status == 400
    assert response.json()["message"].endswith("without impersonating a user name")


async def test_a_user_without_a_name_is_told_as_go_prints_it() -> None:
    headers = [("Impersonate-Group", "g"), ("Impersonate-Extra-B", "x"), ("Impersonate-Extra-A%2fb", "y")]
    response = await call(chain(), headers=headers)
    assert response.json()["message"] == (
        'requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, '
        'Extra:map[string][]string{"a/b":[]string{"y"}, "b":[]string{"x"}}} without impersonating a user name'
    )


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
