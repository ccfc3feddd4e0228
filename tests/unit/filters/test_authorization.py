"""The 403 of the authorization filter, in Kubernetes' words, and its 500."""

import pytest

from generic.authorization.interface import AuthorizationAttributes, Decision, Verdict
from generic.meta import errors
from generic.request.user import UserInfo
from tests.support.asgi import call
from tests.support.chain import Always, Rules, chain

pytestmark = pytest.mark.anyio


class Answering:
    """An authorizer with one answer."""

    def __init__(self, answer: Verdict | errors.StatusError) -> None:
        self._answer = answer

    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        if isinstance(self._answer, errors.StatusError):
            raise self._answer
        return self._answer


REFUSE = Rules(lambda _: False)


@pytest.mark.parametrize(
    ("method", "path", "message", "details"),
    [
        (
            "GET",
            "/api/v1/namespaces/default/pods",
            'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"',
            {"kind": "pods"},
        ),
        (
            "GET",
            "/api/v1/namespaces/default/pods/web",
            'pods "web" is forbidden: User "bob" cannot get resource "pods" in API group "" in the namespace "default"',
            {"name": "web", "kind": "pods"},
        ),
        (
            "PUT",
            "/apis/apps/v1/namespaces/default/deployments/web/scale",
            'deployments.apps "web" is forbidden: User "bob" cannot update resource "deployments/scale" '
            'in API group "apps" in the namespace "default"',
            {"name": "web", "group": "apps", "kind": "deployments"},
        ),
        (
            "GET",
            "/api/v1/nodes?watch=1",
            'nodes is forbidden: User "bob" cannot watch resource "nodes" in API group "" at the cluster scope',
            {"kind": "nodes"},
        ),
        ("GET", "/foo", 'forbidden: User "bob" cannot get path "/foo"', {}),
        ("POST", "/", 'forbidden: User "bob" cannot post path "/"', {}),
    ],
)
async def test_forbidden_in_kubernetes_words(method: str, path: str, message: str, details: dict[str, str]) -> None:
    response = await call(chain(authorizer=REFUSE), path, method=method)
    assert response.status == 403
    assert response.header("x-content-type-options") == "nosniff"
    assert response.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "Forbidden",
        "details": details,
        "code": 403,
    }


async def test_reason_of_the_authorizer_follows() -> None:
    verdict = Verdict(Decision.NO_OPINION, 'RBAC: role.rbac.authorization.k8s.io "gone" not found')
    response = await call(chain(authorizer=Answering(verdict)), "/foo")
    assert response.json()["message"] == (
        'forbidden: User "bob" cannot get path "/foo": RBAC: role.rbac.authorization.k8s.io "gone" not found'
    )


async def test_deny_is_403_too() -> None:
    assert (await call(chain(authorizer=Answering(Verdict(Decision.DENY, "never"))))).status == 403


async def test_names_of_users_are_quoted_and_harmless_as_html() -> None:
    user = UserInfo('<b>"\n')
    response = await call(chain(authenticator=Always(user), authorizer=REFUSE), "/foo")
    assert response.json()["message"] == 'forbidden: User "&lt;b&gt;\\"\\n" cannot get path "/foo"'


async def test_authorizer_that_errs_without_allowing_is_500() -> None:
    error = errors.StatusError(500, "InternalError", "webhook <down>")
    response = await call(chain(authorizer=Answering(error)), "/foo?a=b")
    assert response.status == 500
    assert response.body == b'Internal Server Error: "/foo?a=b": webhook &lt;down&gt;\n'


async def test_authorizer_is_asked_for_what_the_request_is() -> None:
    rules = Rules()
    await call(chain(authorizer=rules), "/apis/apps/v1/namespaces/a/deployments?fieldSelector=metadata.name%3Dx")
    asked = rules.asked[-1]
    assert (asked.user.name, asked.verb, asked.group, asked.version) == ("bob", "list", "apps", "v1")
    assert (asked.namespace, asked.resource, asked.name) == ("a", "deployments", "x")
