"""What takes events: batches that lose nothing at the end, sizes that are kept, and a collector that comes back."""

import asyncio
from collections.abc import Sequence

import httpx
import orjson
import pytest

from generic.audit.buffered import Batching, BufferedBackend
from generic.audit.event import Event
from generic.audit.interface import IgnoringErrors, Union
from generic.audit.log import LogBackend
from generic.audit.options import JSON, LEGACY
from generic.audit.truncating import Limits, TruncatingBackend
from generic.audit.webhook import ATTEMPTS, WebhookBackend
from generic.client.rest import Client
from generic.client.sending import Sender
from generic.types import JSONObject
from tests.unit.audit.collecting import Collector, metrics

pytestmark = pytest.mark.anyio

FIELDS: JSONObject = {
    "level": "Request",
    "auditID": "id",
    "stage": "ResponseComplete",
    "requestURI": "/api",
    "verb": "get",
    "user": {"username": "bob", "groups": ["a", "b"]},
    "sourceIPs": ["192.0.2.1"],
    "userAgent": "me",
    "responseStatus": {"metadata": {}, "code": 200},
    "requestReceivedTimestamp": "2026-01-02T03:04:05.120000Z",
    "stageTimestamp": "2026-01-02T03:04:05.678900Z",
}


def events(*ids: str, **more: object) -> list[Event]:
    return [Event({**FIELDS, "auditID": each, **more}) for each in ids]


# Batches.


def batching(collector: Collector, **changes: object) -> BufferedBackend:
    settings: dict[str, object] = {"buffer_size": 10, "max_size": 3, "max_wait": 60.0, **changes}
    return BufferedBackend(collector, Batching(**settings), metrics())  # type: ignore[arg-type]


async def test_a_batch_goes_on_when_it_is_full_and_the_rest_when_the_server_stops() -> None:
    collector = Collector()
    backend = batching(collector)
    await backend.start()
    assert await backend.process(events(*"abcd"))
    await collector.until(1)
    await backend.stop()
    assert [[event["auditID"] for event in batch] for batch in collector.batches] == [["a", "b", "c"], ["d"]]
    assert collector.stopped


async def test_a_batch_that_does_not_fill_goes_on_after_a_while() -> None:
    collector = Collector()
    backend = batching(collector, max_wait=0.01)
    await backend.start()
    await backend.process(events("a"))
    await collector.until(1)
    await backend.stop()


async def test_a_full_buffer_loses_what_comes_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    collector, counted = Collector(), metrics()
    backend = BufferedBackend(collector, Batching(buffer_size=2, max_size=5, max_wait=60.0), counted)
    assert await backend.process(events(*"abc"))
    assert counted.errors.value("buffered") == 1
    assert "audit buffer queue blocked" in caplog.text
    await backend.start()
    await backend.stop()
    assert [event["auditID"] for event in collector.events] == ["a", "b"]


async def test_events_after_the_end_are_lost_and_counted() -> None:
    collector, counted = Collector(), metrics()
    backend = BufferedBackend(collector, Batching(buffer_size=2, max_size=5, max_wait=60.0), counted)
    await backend.start()
    await backend.stop()
    await backend.process(events("late"))
    assert (collector.events, counted.errors.value("buffered")) == ([], 1)


async def test_batches_beside_each_other_do_not_wait_and_the_end_waits_for_all() -> None:
    gate = asyncio.Event()

    class Slow(Collector):
        async def process(self, events: Sequence[Event]) -> bool:
            kept = await super().process(events)
            await gate.wait()
            return kept

    collector = Slow()
    backend = batching(collector, max_size=1, beside=True)
    await backend.start()
    await backend.process(events(*"ab"))
    await collector.until(2)
    stopping = asyncio.ensure_future(backend.stop())
    await asyncio.wait({stopping}, timeout=0.01)
    assert not stopping.done()
    gate.set()
    await stopping


async def test_throttled_batches_come_in_bursts(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("generic.audit.buffered.monotonic", lambda: 100.0)
    collector = Collector()
    backend = batching(collector, max_size=1, qps=2.0, burst=2)
    await backend.start()
    await backend.process(events(*"abcd"))
    with monkeypatch.context() as patched:
        patched.setattr("generic.audit.buffered.asyncio.sleep", sleep)
        await backend.stop()
    assert waits == [0.5, 1.0]
    assert len(collector.batches) == 4


# Who minds errors.


async def test_all_back_ends_get_every_event_whatever_one_of_them_says() -> None:
    broken, healthy = Collector(healthy=False), Collector()
    assert not await Union([broken, healthy]).process(events("a"))
    assert len(healthy.events) == 1
    assert await IgnoringErrors(broken).process(events("b"))


# Truncation.


async def test_an_event_that_is_too_large_loses_its_objects_and_is_dropped_if_it_still_is() -> None:
    collector, counted = Collector(), metrics()
    backend = TruncatingBackend(collector, Limits(event=1000, batch=10_000), counted)
    large = events("a", requestObject={"data": "x" * 2000}, annotations={"k": "v"})
    await backend.process([*large, *events("b"), *events("c", userAgent="x" * 2000)])
    cut, whole = collector.events
    assert "requestObject" not in cut
    assert cut["annotations"] == {"k": "v", "audit.k8s.io/truncated": "true"}
    assert whole["auditID"] == "b"
    assert counted.errors.value("truncate") == 1
    assert "requestObject" in large[0].fields


async def test_batches_that_are_too_large_are_split() -> None:
    collector = Collector()
    size = len(events("a")[0].line)
    backend = TruncatingBackend(collector, Limits(event=size, batch=2 * size), metrics())
    await backend.process(events(*"abc"))
    assert [len(batch) for batch in collector.batches] == [2, 1]


# The log.


class Lines:
    """A writer to look at. `failing`: as a full disk does."""

    def __init__(self, *, failing: bool = False) -> None:
        self.failing = failing
        self.written = b""

    def write(self, data: bytes) -> bool:
        if self.failing:
            raise OSError(28, "No space left on device")
        self.written += data
        return False

    def tidy(self) -> None: ...

    def close(self) -> None: ...


async def test_a_line_for_people_says_what_kubernetes_says() -> None:
    lines = Lines()
    await LogBackend(lines, LEGACY, metrics()).process(events("id1"))
    assert lines.written.decode() == (
        '2026-01-02T03:04:05.12Z AUDIT: id="id1" stage="ResponseComplete" ip="192.0.2.1" method="get" user="bob" '
        'groups="\\"a\\",\\"b\\"" as="<self>" asgroups="<lookup>" user-agent="me" namespace="<none>" uri="/api" '
        'response="200"\n'
    )


async def test_a_log_that_cannot_be_written_is_an_error_that_is_counted() -> None:
    counted = metrics()
    assert not await LogBackend(Lines(failing=True), JSON, counted).process(events(*"ab"))
    assert counted.errors.value("log") == 2


# The webhook.


class Hook:
    """A collector of events, reached without a network. `answers`: status codes, the last for ever."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.asked = asyncio.Event()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.asked.set()
        return httpx.Response(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    def backend(self, *, stopping: asyncio.Event | None = None, backoff: float = 0.001) -> WebhookBackend:
        transport = httpx.MockTransport(self)
        client = Client(Sender(transport, transport, server="https://hook.example.com/audit"))
        stopping = stopping or asyncio.Event()
        return WebhookBackend(client, metrics(), initial_backoff=backoff, stopping=stopping)


async def test_a_webhook_gets_a_list_of_events() -> None:
    hook = Hook(200)
    backend = hook.backend()
    assert await backend.process(events(*"ab"))
    await backend.stop()
    (request,) = hook.requests
    assert (request.method, str(request.url)) == ("POST", "https://hook.example.com/audit?timeout=30s")
    assert orjson.loads(request.content) == {
        "kind": "EventList",
        "apiVersion": "audit.k8s.io/v1",
        "metadata": {},
        "items": [{**FIELDS, "auditID": "a"}, {**FIELDS, "auditID": "b"}],
    }


async def test_a_webhook_that_fails_is_asked_again() -> None:
    hook = Hook(500, 403, 200)
    assert await hook.backend().process(events("a"))
    assert len(hook.requests) == 3


async def test_a_webhook_that_stays_away_is_given_up_and_told() -> None:
    hook = Hook(500)
    assert not await hook.backend().process(events("a"))
    assert len(hook.requests) == ATTEMPTS


async def test_a_server_that_stops_does_not_wait_for_a_webhook_that_is_away() -> None:
    hook, stopping = Hook(500), asyncio.Event()
    lost = asyncio.ensure_future(hook.backend(stopping=stopping, backoff=3600).process(events("a")))
    await hook.asked.wait()
    stopping.set()
    async with asyncio.timeout(10):
        assert not await lost
    assert len(hook.requests) == 2
