"""The authentication filter: 401, and what is gone behind it."""

import pytest

from generic.authentication.interface import AuthenticationError
from generic.authentication.request_header import RequestHeaderOptions
from generic.metrics import Metrics
from generic.request import context
from generic.request.user import ANONYMOUS_USER, UserInfo
from generic.types import Receive, Scope, Send
from tests.support.asgi import call
from tests.support.chain import BOB, Always, chain, ok

pytestmark = pytest.mark.anyio

UNAUTHORIZED = {
    "kind": "Status",
    "apiVersion": "v1",
    "metadata": {},
    "status": "Failure",
    "message": "Unauthorized",
    "reason": "Unauthorized",
    "code": 401,
}


class Failing:
    name = "failing"

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        raise AuthenticationError("token expired at noon")


@pytest.mark.parametrize("authenticator", [Failing(), Always(None)])
async def test_401_says_nothing_but_unauthorized(authenticator: object) -> None:
    response = await call(chain(authenticator=authenticator), "/api/v1/pods")
    assert response.status == 401
    assert response.json() == UNAUTHORIZED


async def test_handlers_know_the_user() -> None:
    users = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        users.append(context.of(scope).user)
        await ok(scope, receive, send)

    await call(chain(app))
    assert users == [BOB]


async def test_credentials_are_gone_behind_authentication() -> None:
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(name for name, _ in scope["headers"])
        await ok(scope, receive, send)

    credentials = {
        "Authorization": "Bearer x",
        "X-Remote-User": "admin",
        "X-Remote-Group": "system:masters",
        "X-Remote-Uid": "0",
        "X-Remote-Extra-Scopes": "all",
        "X-Custom-User": "admin",
        "X-Custom-Extra-A": "b",
        "Accept": "*/*",
    }
    own = RequestHeaderOptions(username_headers=("X-Custom-User",), extra_header_prefixes=("X-Custom-Extra-",))
    await call(chain(app, front_proxy=own), headers=credentials)
    assert seen == [b"accept"]


@pytest.mark.parametrize(("version", "header"), [("2", "close"), ("1.1", None)])
@pytest.mark.parametrize("user", [ANONYMOUS_USER, None])
async def test_strangers_get_one_request_a_connection_on_http2(
    user: UserInfo | None, version: str, header: str | None
) -> None:
    response = await call(chain(authenticator=Always(user)), http_version=version)
    assert response.header("connection") == header


async def test_known_users_keep_their_http2_connection() -> None:
    assert (await call(chain(), http_version="2")).header("connection") is None


async def test_attempts_are_counted_by_result() -> None:
    metrics = Metrics(process=False)
    for authenticator in (Always(), Always(None), Failing()):
        await call(chain(authenticator=authenticator, metrics=metrics))
    counted = {result: metrics.authentications.count(result) for result in ("success", "failure", "error")}
    assert counted == {"success": 1, "failure": 1, "error": 1}
    assert metrics.authenticated_users.value("other") == 1
