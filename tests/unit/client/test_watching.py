import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from generic.client.failures import TransportError
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.client.watching import Event, Watch
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.types import Receive, Scope, Send
from tests.unit.client.fake_api import GVR, FakeAPI, configmap, read_body

pytestmark = pytest.mark.anyio


def sending(chunks: Sequence[bytes], *, complete: bool = True) -> Client:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for chunk in chunks:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await asyncio.sleep(0)
        if complete:
            await send({"type": "http.response.body", "body": b""})

    return Client.loopback(LoopbackTransport(app))


async def events_of(watch: Watch) -> list[Event]:
    async with watch as events:
        return [event async for event in events]


async def test_events_come_while_the_watch_is_open(api: FakeAPI, client: Client) -> None:
    async with client.watch(GVR, "default") as events:
        for name in ("a", "b"):
            await api.put(configmap(name))
            kind, obj = await anext(events)
            assert (kind, obj["metadata"]["name"]) == ("ADDED", name)
        await api.put(configmap("other", "elsewhere"))
        await api.remove("a")
        assert (await anext(events))[0] == "DELETED"


async def test_a_watch_resumes_after_a_revision(api: FakeAPI, client: Client) -> None:
    seen = await api.put(configmap("a"))
    await api.put(configmap("b"))
    async with client.watch(GVR, resource_version=seen["metadata"]["resourceVersion"]) as events:
        assert (await anext(events))[1]["metadata"]["name"] == "b"


async def test_initial_events_are_asked_for(api: FakeAPI, client: Client) -> None:
    await api.put(configmap("a"))
    async with client.watch(GVR, send_initial_events=True, timeout_seconds=300) as events:
        assert [(await anext(events))[0] for _ in range(2)] == ["ADDED", "BOOKMARK"]
    assert api.requests[0][2] == {
        "watch": "true",
        "timeoutSeconds": "300",
        "allowWatchBookmarks": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
    }


LINE = b'{"type":"ADDED","object":{"n":1}}\n'


@pytest.mark.parametrize("size", range(1, len(LINE) * 3 + 1, 7))
async def test_events_do_not_depend_on_how_the_bytes_are_cut(size: int) -> None:
    body = LINE * 3
    client = sending([body[at : at + size] for at in range(0, len(body), size)])
    assert await events_of(client.watch(GVR)) == [("ADDED", {"n": 1})] * 3


async def test_leaving_the_block_ends_the_watch_on_the_server(api: FakeAPI, client: Client) -> None:
    async with client.watch(GVR):
        await api.until(lambda: api.watches == 1)
    assert api.watches == 0


async def test_a_reader_cancelled_while_it_waits_ends_the_watch(api: FakeAPI, client: Client) -> None:
    task = asyncio.ensure_future(events_of(client.watch(GVR)))
    await api.until(lambda: api.watches == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert api.watches == 0


async def test_a_failure_to_close_does_not_replace_the_cancellation() -> None:
    reading = asyncio.Event()

    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            reading.set()
            await asyncio.Event().wait()
            yield b""

        async def aclose(self) -> None:
            raise OSError("the connection is in a bad state")

    async def connect() -> httpx.Response:
        return httpx.Response(200, stream=Broken())

    task = asyncio.ensure_future(events_of(Watch(connect, "/x")))
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_without_a_block_the_end_closes_it_and_it_stays_closed(api: FakeAPI, client: Client) -> None:
    watch = client.watch(GVR)
    reading = asyncio.ensure_future(anext(watch, None))
    await api.until(lambda: api.watches == 1)
    await api.disconnect()
    assert await reading is None
    assert await anext(watch, None) is None
    assert len(api.requests) == 1


async def test_an_error_event_is_raised_with_its_reason(api: FakeAPI, client: Client) -> None:
    await api.put(configmap("a"))
    await api.compact()
    with pytest.raises(StatusError) as refused:
        await events_of(client.watch(GVR, resource_version="1"))
    assert (refused.value.code, refused.value.reason) == (410, "Expired")


async def test_a_refused_watch_is_a_refusal(api: FakeAPI, client: Client) -> None:
    api.fail_once("watch", errors.unauthorized())
    with pytest.raises(StatusError) as refused:
        await events_of(client.watch(GVR))
    assert refused.value.code == 401


@pytest.mark.parametrize(
    ("chunks", "complete"),
    [
        ([LINE], False),
        ([LINE, LINE[:5]], True),
        ([LINE, b"garbage\n"], True),
        ([LINE, b'{"type":"ADDED"}\n'], True),
        ([LINE, b"[]\n"], True),
    ],
    ids=["connection lost", "cut short", "no json", "no object", "no event"],
)
async def test_what_is_no_event_ends_the_watch_with_a_transport_error(chunks: list[bytes], complete: bool) -> None:
    async with sending(chunks, complete=complete).watch(GVR) as events:
        assert await anext(events) == ("ADDED", {"n": 1})
        with pytest.raises(TransportError):
            await anext(events)


async def test_an_error_event_without_status_is_an_internal_error() -> None:
    with pytest.raises(StatusError) as refused:
        await events_of(sending([b'{"type":"ERROR","object":{"kind":"Pod"}}\n']).watch(GVR))
    assert refused.value.code == 500
