"""Arrival stamps, the request deadline and what happens past it."""

import asyncio

import pytest

from generic.endpoints import responses
from generic.meta.durations import parse_duration
from generic.metrics import Metrics
from generic.request import context
from generic.types import Receive, Scope, Send
from tests.support.asgi import Response, call, receive, scope
from tests.support.chain import chain, ok

pytestmark = pytest.mark.anyio


async def deadline_of(path: str, **changes: object) -> float | None:
    """Seconds between arrival and deadline."""
    request = scope(path)
    await chain(ok, **changes)(request, receive, Response().send)
    found = context.of(request)
    return None if found.deadline is None else round(found.deadline - found.received_at, 6)


async def forever(scope: Scope, receive: Receive, send: Send) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("complete", [True, False])
async def test_requests_before_the_chain_has_synced_are_stamped(complete: bool) -> None:
    request = scope()
    await chain(ok, is_mux_complete=lambda: complete)(request, receive, Response().send)
    assert context.of(request).arrived_before_sync is not complete


async def test_paths_installed_while_the_request_runs_do_not_take_the_stamp_back() -> None:
    synced = [False]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        synced[0] = True
        await responses.send_text(scope, send, str(context.of(scope).arrived_before_sync))

    assert (await call(chain(app, is_mux_complete=lambda: synced[0]))).body == b"True"


@pytest.mark.parametrize(
    ("path", "seconds"),
    [
        ("/api/v1/pods", 60),
        ("/api/v1/pods?timeout=10s", 10),
        ("/api/v1/pods?timeout=1m30s", 60),
        ("/api/v1/pods?timeout=0s", 60),
        ("/api/v1/pods?timeout=-5s", 60),
        ("/api/v1/pods?timeout=", 60),
        ("/api/v1/pods?timeout=1.5s", 1.5),
    ],
)
async def test_deadline_is_the_smaller_of_timeout_and_maximum(path: str, seconds: float) -> None:
    assert await deadline_of(path) == seconds


async def test_long_running_requests_have_no_deadline() -> None:
    assert await deadline_of("/api/v1/pods?watch=1&timeout=1s") is None
    assert await deadline_of("/api/v1/namespaces/a/pods/x/log") is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("foo", 'time: invalid duration "foo"'),
        ("10", 'time: missing unit in duration "10"'),
        ("10x", 'time: unknown unit "x" in duration "10x"'),
    ],
)
async def test_malformed_timeout_is_400(given: str, message: str) -> None:
    response = await call(chain(), f"/api/v1/pods?timeout={given}")
    assert response.status == 400
    assert response.json()["message"] == f"invalid timeout specified in the request URL - {message}"
    assert response.json()["reason"] == "BadRequest"


async def test_past_the_deadline_is_a_504_status() -> None:
    metrics = Metrics(process=False)
    response = await call(chain(forever, metrics=metrics), "/api/v1/pods?timeout=1ms")
    assert response.status == 504
    body = response.json()
    assert body["reason"] == "Timeout"
    assert body["message"] == "Timeout: request did not complete within the allotted timeout"
    assert metrics.terminations.value("list", "504") == 1


async def test_a_response_that_has_begun_is_not_followed_by_another() -> None:
    response = Response()

    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        await responses.start(scope, send)
        await forever(scope, receive, send)

    with pytest.raises(Exception, match="allotted timeout"):
        await chain(stuck)(scope("/api/v1/pods?timeout=1ms"), receive, response.send)
    assert len(response.messages) == 1


async def test_a_handlers_own_timeout_error_is_not_taken_for_the_deadline() -> None:
    async def raising(scope: Scope, receive: Receive, send: Send) -> None:
        raise TimeoutError

    assert (await call(chain(raising))).status == 500


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h2m3s", 3723), ("100ms", 0.1), ("1.5h", 5400), ("-1s", -1), ("+1s", 1), ("0", 0), ("5us", 5e-6), (".5s", 0.5)],
)
def test_go_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["-", "s", "1s ", "1s2", "1..5s", "0x1s", "1 s"])
def test_what_is_no_go_duration(text: str) -> None:
    with pytest.raises(ValueError, match="time: "):
        parse_duration(text)
