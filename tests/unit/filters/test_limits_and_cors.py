"""Max-in-flight, CORS, GOAWAY and the 429 of a stopping server."""

import asyncio
import re

import pytest

from generic.filters.response_headers import with_probabilistic_goaway
from generic.metrics import Metrics
from generic.request import context
from generic.request.user import UserInfo
from generic.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import Response, call, receive, scope
from tests.support.chain import Always, chain, ok

pytestmark = pytest.mark.anyio


class Held:
    """An app that holds requests for `/api/v1/pods` until released."""

    def __init__(self) -> None:
        self.running = 0
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.running += 1
        self.entered.set()
        await self.release.wait()
        await ok(scope, receive, send)


async def with_one_running(app: ASGIApp, held: Held, method: str = "GET") -> "asyncio.Task[Response]":
    task = asyncio.create_task(call(app, "/api/v1/pods", method=method))
    await held.entered.wait()
    return task


async def test_reads_beyond_the_limit_get_429_and_go_on_when_there_is_room() -> None:
    held, metrics = Held(), Metrics(process=False)
    app = chain(held, max_requests_in_flight=1, metrics=metrics)
    first = await with_one_running(app, held)
    response = await call(app, "/api/v1/pods")
    assert (response.status, response.header("retry-after")) == (429, "1")
    assert response.body == b"Too many requests, please try again later.\n"
    assert metrics.dropped.value("readOnly") == 1
    assert b'apiserver_current_inflight_requests{request_kind="readOnly"} 1.0' in metrics.render()[0]
    held.release.set()
    assert (await first).status == 200
    assert (await call(app, "/api/v1/pods")).status == 200


async def test_writes_have_a_limit_of_their_own() -> None:
    held = Held()
    app = chain(held, max_requests_in_flight=1, max_mutating_requests_in_flight=1)
    write = await with_one_running(app, held, "POST")
    assert (await call(app, "/api/v1/pods", method="DELETE")).status == 429
    read = asyncio.create_task(call(app, "/api/v1/pods"))
    held.release.set()
    assert [(await task).status for task in (write, read)] == [200, 200]


async def test_system_masters_always_get_an_answer() -> None:
    held = Held()
    app = chain(held, max_requests_in_flight=1, authenticator=Always(UserInfo("root", ("system:masters",))))
    tasks = [await with_one_running(app, held), asyncio.create_task(call(app, "/api/v1/pods"))]
    held.release.set()
    assert [(await task).status for task in tasks] == [200, 200]


async def test_watches_do_not_count() -> None:
    held = Held()
    app = chain(held, max_requests_in_flight=1)
    tasks = [asyncio.create_task(call(app, "/api/v1/pods?watch=1")) for _ in range(3)]
    await held.entered.wait()
    held.release.set()
    assert [(await task).status for task in tasks] == [200] * 3


ORIGIN = "https://console.example.com"
ALLOWED = chain(cors_allowed_origins=(r"^https://.*\.example\.com$",), authenticator=Always(None))


async def test_preflight_is_answered_before_authentication() -> None:
    response = await call(ALLOWED, "/api/v1/pods", method="OPTIONS", headers={"Origin": ORIGIN})
    assert (response.status, response.body) == (204, b"")
    assert response.header("access-control-allow-origin") == ORIGIN
    assert response.header("access-control-allow-methods") == "POST, GET, OPTIONS, PUT, DELETE, PATCH"
    assert "Authorization" in (response.header("access-control-allow-headers") or "")
    assert response.header("access-control-allow-credentials") == "true"


async def test_refusals_too_are_readable_by_an_allowed_origin() -> None:
    response = await call(ALLOWED, "/api/v1/pods", headers={"Origin": ORIGIN})
    assert (response.status, response.header("access-control-allow-origin")) == (401, ORIGIN)


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example.org"}])
async def test_other_origins_get_no_cors_headers(headers: dict[str, str]) -> None:
    response = await call(ALLOWED, "/api/v1/pods", method="OPTIONS", headers=headers)
    assert (response.status, response.header("access-control-allow-origin")) == (401, None)


def test_origins_that_are_no_expression_are_refused_at_start() -> None:
    with pytest.raises(re.error):
        chain(cors_allowed_origins=("(",))


@pytest.mark.parametrize(("version", "chance", "expected"), [("2", 1.0, True), ("1.1", 1.0, False), ("2", 0.0, False)])
async def test_goaway_is_for_http2_alone(version: str, chance: float, expected: bool) -> None:
    request = scope(http_version=version)
    context.ensure(request)
    await with_probabilistic_goaway(chance)(ok)(request, receive, Response().send)
    assert ((b"connection", b"close") in context.of(request).response_headers) is expected


@pytest.mark.parametrize("chance", [-0.1, 0.021])
def test_goaway_chance_has_bounds(chance: float) -> None:
    with pytest.raises(ValueError, match="goaway chance"):
        chain(goaway_chance=chance)


async def test_stopping_server_sends_clients_elsewhere_but_answers_probes() -> None:
    app = chain(retry_after_while=lambda: True)
    response = await call(app, "/api/v1/pods")
    assert (response.status, response.header("retry-after"), response.header("connection")) == (429, "5", "close")
    assert (await call(app, "/readyz")).status == 200
    assert (await call(chain(retry_after_while=lambda: False), "/api/v1/pods")).status == 200
