import asyncio
import contextlib

import httpx
import pytest
from h2.errors import ErrorCodes

from generic.types import Receive, Scope, Send
from tests.integration.serving import harness
from trikube.pki import layout

pytestmark = pytest.mark.anyio

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Slow:
    """An app that answers when it is told."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.release = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.started.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        await harness.reply(send, b"done")


async def test_no_new_connections_while_old_ones_go_on(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.raw(server, pki) as old:
        await server.stop_accepting()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)
        old.say(GET)
        assert await old.response() == (200, b"ok")


async def test_idle_connections_are_closed_at_once(pki: layout.Layout) -> None:
    async with (
        harness.serving(pki, harness.hello) as server,
        harness.raw(server, pki) as http1,
        harness.h2_client(server, pki) as http2,
    ):
        http1.say(GET)
        assert await http1.response() == (200, b"ok")
        assert await http2.answer(http2.request()) == (200, b"ok")
        assert await server.drain(20)
        assert await http1.end() == b""
        await http2.until(lambda: False)
        assert http2.goaway == ErrorCodes.NO_ERROR


@pytest.mark.parametrize("http2", [False, True])
async def test_running_requests_finish(pki: layout.Layout, http2: bool) -> None:
    app = Slow()
    async with harness.serving(pki, app) as server, harness.client(server, pki, http2=http2) as client:
        running = asyncio.ensure_future(client.get("/"))
        await app.started.wait()
        await server.stop_accepting()
        draining = asyncio.ensure_future(server.drain(20))
        await asyncio.sleep(0)
        assert not draining.done()
        app.release.set()
        assert (await running).text == "done"
        assert await draining


async def test_an_http1_response_says_that_the_connection_closes(pki: layout.Layout) -> None:
    app = Slow()
    async with harness.serving(pki, app) as server, harness.raw(server, pki) as client:
        client.say(GET)
        await app.started.wait()
        draining = asyncio.ensure_future(server.drain(20))
        await asyncio.sleep(0)
        app.release.set()
        assert b"connection: close" in await client.head()
        assert await client.end() == b"done"
        assert await draining


async def test_a_new_stream_is_sent_elsewhere_and_the_running_one_finishes(pki: layout.Layout) -> None:
    app = Slow()
    async with harness.serving(pki, app) as server, harness.h2_client(server, pki) as client:
        running = client.request()
        await app.started.wait()
        draining = asyncio.ensure_future(server.drain(20))
        await asyncio.sleep(0)
        late = client.request()
        # The h2 library reads nothing after a GOAWAY, so the frames are read here.
        frames = await _frames(client.reader, until=(0x3, late))
        assert (0x7, 0, running.to_bytes(4, "big") + (0).to_bytes(4, "big")) in frames
        assert (0x3, late, int(ErrorCodes.REFUSED_STREAM).to_bytes(4, "big")) in frames
        app.release.set()
        assert (0x0, running, b"done") in await _frames(client.reader, until=(0x0, running))
        assert await draining


async def test_drain_gives_up_after_its_time_and_close_cancels_the_rest(pki: layout.Layout) -> None:
    app = Slow()
    async with harness.serving(pki, app) as server, harness.client(server, pki, http2=True) as client:
        running = asyncio.ensure_future(client.get("/"))
        await app.started.wait()
        assert not await server.drain(0.05)
        assert not app.cancelled.is_set()
        await server.close()
        assert app.cancelled.is_set()
        with pytest.raises(httpx.TransportError):
            await running


async def test_close_is_final_whatever_clients_and_handlers_do(pki: layout.Layout) -> None:
    refused: list[str] = []

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        refused.append(scope["path"])
        await asyncio.Event().wait()

    async with harness.serving(pki, stubborn) as server, harness.raw(server, pki) as client:
        client.say(GET)
        connection = await harness.only_connection(server)
        await harness.until(lambda: bool(connection.link.tasks))
        await asyncio.sleep(0)
        await server.close()
        assert refused == ["/"]
        assert not server._connections


async def test_an_unread_body_does_not_hold_up_the_shutdown(pki: layout.Layout) -> None:
    app = Slow()
    async with harness.serving(pki, app) as server, harness.h2_client(server, pki) as client:
        stream = client.request(method=b"POST", end=False)
        while room := min(client.room(stream), 16384):
            client.data(stream, b"x" * room)
        await app.started.wait()
        draining = asyncio.ensure_future(server.drain(20))
        app.release.set()
        assert await draining


@pytest.mark.parametrize("flood", [b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 8000000\r\n\r\n", GET * 10_000])
async def test_a_connection_that_stands_still_does_not_hold_up_the_close(pki: layout.Layout, flood: bytes) -> None:
    app = Slow()
    async with harness.serving(pki, app) as server, harness.raw(server, pki) as client:
        client.say(flood + b"x" * 4_000_000)
        await app.started.wait()
        connection = await harness.only_connection(server)
        # Nothing is read from it any more until its app does.
        await harness.until(lambda: not connection.writer.transport.is_reading())  # type: ignore[attr-defined]
        await server.close()
        assert app.cancelled.is_set()
        assert not server._connections


async def test_a_connection_close_header_makes_an_http2_client_leave(pki: layout.Layout) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.reply(send, headers=[(b"connection", b"close")])

    async with harness.serving(pki, app) as server, harness.h2_client(server, pki) as client:
        stream = client.request()
        await client.until(lambda: False)
        assert client.statuses[stream] == [200]
        assert client.goaway == ErrorCodes.NO_ERROR


async def test_each_step_may_be_called_again(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server:
        for _ in range(2):
            await server.stop_accepting()
            assert await server.drain(1)
            await server.close()


async def _frames(reader: asyncio.StreamReader, *, until: tuple[int, int]) -> list[tuple[int, int, bytes]]:
    """Type, stream and payload of the frames up to the first of that type and stream."""
    frames = []
    while True:
        head = await reader.readexactly(9)
        payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
        frames.append((head[3], int.from_bytes(head[5:], "big"), payload))
        if frames[-1][:2] == until:
            return frames
