"""Requests we make while we serve a traced one: each says that it belongs to it."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from aggregator.proxy import tracing
from aggregator.proxy.backends import Answer
from aggregator.proxy.call import Call
from generic.client import webhook
from generic.client.resolving import Address
from generic.client.webhook import WebhookCaller, WebhookEndpoint
from generic.tracing.tracer import MILLION, Span, Tracer, current

pytestmark = pytest.mark.anyio

Recorded = tuple[Span, list[Span]]


@pytest.fixture
async def served() -> AsyncIterator[Recorded]:
    """The span of what is served, and those that ended within it. Async: tests see what was set in their own task."""
    recorded: list[Span] = []
    serving = Tracer(recorded.append, sampling_rate_per_million=MILLION).start("it")
    token = current.set(serving)
    yield serving, recorded
    current.reset(token)


async def _body() -> AsyncIterator[bytes]:
    yield b""


async def _proxied(call: Call) -> list[tuple[bytes, bytes]]:
    """The headers a backend gets."""
    seen: list[Call] = []

    @contextlib.asynccontextmanager
    async def ask(call: Call) -> AsyncIterator[Answer]:
        seen.append(call)
        yield Answer(503, [], _body(), Address("192.0.2.1", 8443))

    async with tracing.asked(ask, call) as answer:
        assert answer.status == 503
    return seen[0].headers


async def test_a_proxied_request_has_a_span_of_its_own(served: Recorded) -> None:
    serving, recorded = served
    sent = await _proxied(Call("GET", b"/apis/a/v1?b=c", [(b"a", b"b"), (b"traceparent", b"old")]))
    (span,) = recorded
    assert sent == [(b"a", b"b"), *span.context.headers()]
    assert (span.parent, span.failed) == (serving.context, True)
    assert span.attributes["url.full"] == "https://192.0.2.1:8443/apis/a/v1?b=c"
    assert (span.attributes["server.port"], span.attributes["http.response.status_code"]) == (8443, 503)


async def test_an_upgrade_and_what_nobody_traces_pass_as_they_came(served: Recorded) -> None:
    came = [(b"traceparent", b"theirs")]
    assert await _proxied(Call("GET", b"/", came, upgrade=True)) == came
    token = current.set(None)
    assert await _proxied(Call("GET", b"/", came)) == came
    current.reset(token)
    assert served[1] == []


async def test_a_webhook_is_told_the_trace(served: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    serving, recorded = served
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=orjson.dumps({"answer": True}))

    monkeypatch.setattr(webhook, "_transport", lambda _: httpx.MockTransport(answer))
    nobody: Any = None
    caller = WebhookCaller(nobody)
    endpoint = WebhookEndpoint.of({"url": "https://hook.example.com/path"})
    assert await caller.call(endpoint, {"question": 1}, seconds=20) == {"answer": True}
    (span,) = recorded
    assert [(b"traceparent", seen[0].headers["traceparent"].encode())] == list(span.context.headers())
    assert (span.name, span.parent, span.failed) == ("HTTP POST", serving.context, False)
    assert (span.attributes["server.address"], span.attributes["http.response.status_code"]) == (
        "hook.example.com",
        200,
    )
