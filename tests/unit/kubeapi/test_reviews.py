"""Reviews: asked, answered, never stored."""

import pytest

from generic.authentication.interface import AuthenticationError
from generic.authorization.interface import AuthorizationAttributes, Decision, Verdict
from generic.authorization.rbac import RBACAuthorizer
from generic.authorization.rbac_index import RBACIndex
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.registry.options import WriteOptions
from generic.request.context import RequestContext
from generic.request.info import RequestInfo
from generic.request.user import ALL_AUTHENTICATED, UserInfo
from generic.types import JSONObject
from kubeapi import reviews
from kubeapi.reviews import Reviewers
from tests.support import kubeapi

pytestmark = pytest.mark.anyio

BOB = UserInfo("bob", ("dev", ALL_AUTHENTICATED), "42", {"scopes": ("a", "b")})
_OPTIONS = WriteOptions("CreateOptions")


class Tokens:
    """Knows one token, and says of one that it has expired."""

    async def authenticate_token(self, token: str) -> UserInfo | None:
        if token == "expired":
            raise AuthenticationError("token has expired")
        return UserInfo("bob", ("dev",)) if token == "good" else None


class Authorizer:
    """Answers as told and remembers what was asked."""

    def __init__(self, *, verdict: Verdict | None = None, failure: StatusError | None = None) -> None:
        self._verdict = verdict or Verdict(Decision.NO_OPINION)
        self._failure = failure
        self.asked: list[AuthorizationAttributes] = []

    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        self.asked.append(attributes)
        if self._failure is not None:
            raise self._failure
        return self._verdict


def _role(name: str, *rules: JSONObject) -> JSONObject:
    return {"kind": "ClusterRole", "metadata": {"name": name}, "rules": list(rules)}


def _binding(role: str, user: str) -> JSONObject:
    return {
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"{role}-{user}"},
        "roleRef": {"kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "User", "name": user}],
    }


async def _ask(
    plural: str, obj: JSONObject, *, authorizer: Authorizer | None = None, index: RBACIndex | None = None, ns: str = ""
) -> JSONObject:
    reviewers = Reviewers([Tokens()], authorizer or Authorizer(), RBACAuthorizer(index or RBACIndex()))
    installed = {e.resource.gvr.resource: e for e in reviews.install(kubeapi.schemas(), reviewers)}
    request = RequestContext(RequestInfo("/", "create"), user=BOB)
    obj = {"metadata": {}, **obj}
    made: JSONObject = (await installed[plural].storage.create(request, ns, obj, _OPTIONS)).decoded()
    return made


async def _refusal(plural: str, obj: JSONObject, *, ns: str = "") -> StatusError:
    with pytest.raises(StatusError) as refused:
        await _ask(plural, obj, ns=ns)
    return refused.value


async def test_a_token_is_reviewed_and_its_user_is_authenticated() -> None:
    answer = await _ask("tokenreviews", {"spec": {"token": "good"}})
    user = {"username": "bob", "groups": ["dev", ALL_AUTHENTICATED]}
    assert answer["status"] == {"authenticated": True, "user": user}


@pytest.mark.parametrize(("token", "error"), [("nobody's", "invalid bearer token"), ("expired", "token has expired")])
async def test_a_bad_token_is_an_answer_not_an_error(token: str, error: str) -> None:
    answer = await _ask("tokenreviews", {"spec": {"token": token}, "status": {"authenticated": True}})
    assert answer["status"] == {"user": {}, "error": error}


async def test_a_token_review_without_token_is_400() -> None:
    refused = await _refusal("tokenreviews", {"spec": {}})
    assert (refused.code, refused.message) == (400, "token is required for TokenReview in authentication")


async def test_who_am_i() -> None:
    assert (await _ask("selfsubjectreviews", {}))["status"]["userInfo"] == {
        "username": "bob",
        "uid": "42",
        "groups": ["dev", ALL_AUTHENTICATED],
        "extra": {"scopes": ["a", "b"]},
    }


async def test_access_of_another_user_is_decided_by_the_authorizer() -> None:
    authorizer = Authorizer(verdict=Verdict(Decision.ALLOW, "because"))
    asked = {"namespace": "ns", "verb": "get", "group": "apps", "resource": "deployments", "subresource": "scale"}
    spec = {"user": "eve", "groups": ["ops"], "extra": {"k": ["v"]}, "resourceAttributes": {**asked, "name": "web"}}
    answer = await _ask("subjectaccessreviews", {"spec": spec}, authorizer=authorizer)
    assert answer["status"] == {"allowed": True, "reason": "because"}
    (attributes,) = authorizer.asked
    assert attributes.user == UserInfo("eve", ("ops",), "", {"k": ("v",)})
    assert (attributes.verb, attributes.group, attributes.resource) == ("get", "apps", "deployments")
    assert (attributes.subresource, attributes.namespace, attributes.name) == ("scale", "ns", "web")


async def test_a_denial_and_a_failure_are_told_apart() -> None:
    spec = {"user": "eve", "nonResourceAttributes": {"path": "/metrics", "verb": "get"}}
    denied = await _ask("subjectaccessreviews", {"spec": spec}, authorizer=Authorizer(verdict=Verdict(Decision.DENY)))
    assert denied["status"] == {"allowed": False, "denied": True}
    broken = Authorizer(failure=errors.StatusError(500, "InternalError", "out of order"))
    failed = await _ask("subjectaccessreviews", {"spec": spec}, authorizer=broken)
    assert failed["status"] == {"allowed": False, "evaluationError": "out of order"}


async def test_an_access_review_must_ask_one_thing_of_somebody_and_have_no_name() -> None:
    both: JSONObject = {"resourceAttributes": {}, "nonResourceAttributes": {}}
    refused = await _refusal("subjectaccessreviews", {"metadata": {"name": "x"}, "spec": both})
    assert (refused.code, refused.reason) == (422, "Invalid")
    causes = (refused.details or {})["causes"]
    assert [cause["field"] for cause in causes] == ["spec.nonResourceAttributes", "spec.user", "metadata"]
    refused = await _refusal("selfsubjectaccessreviews", {"spec": {}})
    assert "exactly one of nonResourceAttributes or resourceAttributes must be specified" in refused.message


async def test_a_local_review_asks_of_its_namespace_alone() -> None:
    spec = {"user": "eve", "resourceAttributes": {"namespace": "other", "verb": "get", "resource": "pods"}}
    refused = await _refusal("localsubjectaccessreviews", {"spec": spec}, ns="here")
    assert refused.message.endswith(
        'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace'
    )
    spec = {"user": "eve", "nonResourceAttributes": {"path": "/", "verb": "get"}}
    refused = await _refusal("localsubjectaccessreviews", {"spec": spec}, ns="here")
    assert "disallowed on this kind of request" in refused.message


async def test_a_self_review_is_about_who_asks() -> None:
    authorizer = Authorizer()
    spec = {"resourceAttributes": {"verb": "list", "resource": "pods"}}
    answer = await _ask("selfsubjectaccessreviews", {"spec": spec}, authorizer=authorizer)
    assert answer["status"] == {"allowed": False}
    assert authorizer.asked[0].user is BOB


async def test_rules_are_listed_and_missing_roles_make_the_list_incomplete() -> None:
    index = RBACIndex()
    pods = {"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}
    paths = {"verbs": ["get"], "nonResourceURLs": ["/healthz"]}
    for obj in (_role("reader", pods, paths), _binding("reader", "bob"), _binding("lost", "bob")):
        index.put(obj)
    answer = await _ask("selfsubjectrulesreviews", {"spec": {"namespace": "default"}}, index=index)
    assert answer["status"] == {
        "resourceRules": [pods],
        "nonResourceRules": [paths],
        "incomplete": True,
        "evaluationError": 'clusterrole.rbac.authorization.k8s.io "lost" not found',
    }
    refused = await _refusal("selfsubjectrulesreviews", {"spec": {}})
    assert (refused.code, refused.message) == (400, "no namespace on request")
