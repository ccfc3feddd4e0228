"""Draining: what still runs is waited for, what comes is refused, watches are told to end."""

import asyncio

import pytest

from generic.endpoints import responses
from generic.filters.in_flight import InFlight
from generic.request import context
from generic.types import Receive, Scope, Send
from tests.support.asgi import Response, call
from tests.support.chain import chain, ok

pytestmark = pytest.mark.anyio


class Held:
    """An app whose requests end when told to."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.release = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered.set()
        await self.release.wait()
        await ok(scope, receive, send)


async def watching(scope: Scope, receive: Receive, send: Send) -> None:
    """A watch: runs until the server stops."""
    ended = asyncio.Event()
    termination = context.of(scope).termination
    assert termination is not None
    await responses.start(scope, send)
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    termination.on_set(ended.set)
    await ended.wait()
    await send({"type": "http.response.body", "body": b"end"})


async def test_idle_server_drains_at_once() -> None:
    in_flight = InFlight()
    in_flight.begin_drain()
    assert await in_flight.wait_idle(5)


async def test_running_request_is_waited_for_and_answered() -> None:
    in_flight, held = InFlight(), Held()
    running = asyncio.create_task(call(chain(held, in_flight=in_flight)))
    await held.entered.wait()
    in_flight.begin_drain()
    assert not await in_flight.wait_idle(0.001)
    held.release.set()
    assert await in_flight.wait_idle(5)
    assert (await running).status == 200


@pytest.mark.parametrize("path", ["/api/v1/pods", "/api/v1/pods?watch=1", "/healthz"])
async def test_new_requests_get_503_once_the_drain_has_begun(path: str) -> None:
    in_flight = InFlight()
    in_flight.begin_drain()
    response = await call(chain(in_flight=in_flight), path)
    assert (response.status, response.header("retry-after")) == (503, "1")
    assert response.json()["reason"] == "ServiceUnavailable"
    assert response.json()["message"] == "apiserver is shutting down"


async def test_watches_are_told_to_end_and_waited_for() -> None:
    in_flight, response = InFlight(), Response()
    app = chain(watching, in_flight=in_flight)
    started = asyncio.Event()

    async def send(message: object) -> None:
        await response.send(message)  # type: ignore[arg-type]
        if len(response.messages) == 2:
            started.set()

    async def run() -> None:
        from tests.support.asgi import receive, scope

        await app(scope("/api/v1/pods?watch=1"), receive, send)

    running = asyncio.create_task(run())
    await started.wait()
    assert in_flight.watches == 1
    in_flight.begin_drain()
    assert await in_flight.wait_idle(5)
    await running
    assert response.body == b"end"


async def test_streams_such_as_exec_are_not_waited_for() -> None:
    in_flight, held = InFlight(), Held()
    running = asyncio.create_task(call(chain(held, in_flight=in_flight), "/api/v1/namespaces/a/pods/x/exec"))
    await held.entered.wait()
    in_flight.begin_drain()
    assert await in_flight.wait_idle(5)
    held.release.set()
    await running


async def test_requests_that_fail_are_counted_out_too() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    in_flight = InFlight()
    await call(chain(broken, in_flight=in_flight))
    assert in_flight.requests == 0


async def test_beginning_twice_is_harmless() -> None:
    in_flight = InFlight()
    in_flight.begin_drain()
    in_flight.begin_drain()
    assert await in_flight.wait_idle(5)
