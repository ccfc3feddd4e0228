import asyncio
import socket

import pytest

from generic.serving import inbox
from generic.types import Receive, Scope, Send
from tests.integration.serving import harness
from trikube.pki import layout

pytestmark = pytest.mark.anyio

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await harness.reply(send, await harness.read_body(receive))


async def test_a_connection_takes_any_number_of_requests(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.raw(server, pki) as client:
        for _ in range(1100):
            client.say(GET)
            assert await client.response() == (200, b"ok")


async def test_an_answer_does_not_wait_for_an_acknowledgement(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.raw(server, pki):
        connection = await harness.only_connection(server)
        accepted = connection.writer.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_pipelined_requests_are_answered_in_order(pki: layout.Layout) -> None:
    async def path(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.reply(send, scope["path"].encode())

    async with harness.serving(pki, path) as server, harness.raw(server, pki) as client:
        client.say(b"".join(b"GET /%d HTTP/1.1\r\nhost: localhost\r\n\r\n" % n for n in range(50)))
        assert [await client.response() for _ in range(50)] == [(200, b"/%d" % n) for n in range(50)]


async def test_a_flood_of_pipelined_requests_is_not_held_in_memory(pki: layout.Layout) -> None:
    release = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await release.wait()
        await harness.reply(send)

    async with harness.serving(pki, slow) as server, harness.raw(server, pki) as client:
        client.say(GET * ((8 << 20) // len(GET)))
        protocol = (await harness.only_connection(server)).http
        await harness.until(lambda: protocol._next_turn is not None)  # type: ignore[union-attr]
        held = len(protocol.connection.trailing_data[0])  # type: ignore[union-attr]
        assert held < 1 << 20
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(protocol.connection.trailing_data[0]) == held  # type: ignore[union-attr]
        release.set()
        assert await client.response() == (200, b"ok")


async def test_a_body_arrives_whole_however_it_is_cut(pki: layout.Layout) -> None:
    async with harness.serving(pki, echo) as server, harness.raw(server, pki) as client:
        client.say(b"POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
        for part in (b"5\r\nhel", b"lo\r", b"\n6\r\n world\r\n", b"0\r\n\r\n"):
            client.say(part)
            await asyncio.sleep(0)
        assert await client.response() == (200, b"hello world")


@pytest.mark.parametrize("size", [1, 100_000, 5_000_000])
async def test_a_large_response_arrives_whole(pki: layout.Layout, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.reply(send, body)

    async with harness.serving(pki, large) as server, harness.raw(server, pki) as client:
        client.say(GET)
        assert await client.response() == (200, body)


async def test_a_stream_without_length_is_chunked_and_flushed_at_once(pki: layout.Layout) -> None:
    more = asyncio.Event()

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await more.wait()
        await send({"type": "http.response.body", "body": b"one\n", "more_body": True})
        await send({"type": "http.response.body", "body": b"two\n", "more_body": False})

    async with harness.serving(pki, watch) as server, harness.raw(server, pki) as client:
        client.say(GET)
        assert b"transfer-encoding: chunked" in (await client.head()).lower()
        more.set()
        assert await client.reader.readuntil(b"0\r\n\r\n") == b"4\r\none\n\r\n4\r\ntwo\n\r\n0\r\n\r\n"


async def test_an_http_1_0_client_gets_the_body_up_to_the_close(pki: layout.Layout) -> None:
    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"all"})

    async with harness.serving(pki, stream) as server, harness.raw(server, pki) as client:
        client.say(b"GET / HTTP/1.0\r\n\r\n")
        assert (await client.end()).endswith(b"\r\n\r\nall")


async def test_head_has_the_length_and_no_body(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.raw(server, pki) as client:
        client.say(GET.replace(b"GET", b"HEAD") + GET)
        assert b"content-length: 2\r\n" in await client.head()
        assert await client.response() == (200, b"ok")


async def test_a_target_may_be_absolute(pki: layout.Layout) -> None:
    async def path(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.reply(send, scope["path"].encode() + b"|" + scope["query_string"])

    async with harness.serving(pki, path) as server, harness.raw(server, pki) as client:
        client.say(b"GET https://localhost/a%20b?c=d HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert await client.response() == (200, b"/a b|c=d")


# Bodies the app does not read


async def test_an_answer_before_the_body_reaches_a_client_that_still_sends(pki: layout.Layout) -> None:
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.reply(send, b"too large", 413)

    async with harness.serving(pki, refuse) as server, harness.raw(server, pki) as client:
        client.say(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8000000\r\n\r\n" + b"x" * 8_000_000)
        await client.writer.drain()
        assert await client.response() == (413, b"too large")
        client.writer.close()


async def test_a_small_unread_body_leaves_the_connection_usable(pki: layout.Layout) -> None:
    answered = asyncio.Event()

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.reply(send, b"no", 403)
        answered.set()

    async with harness.serving(pki, refuse) as server, harness.raw(server, pki) as client:
        for _ in range(3):
            answered.clear()
            client.say(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\n")
            await answered.wait()
            client.say(b"hello")
            assert await client.response() == (403, b"no")


async def test_100_continue_is_sent_when_the_app_wants_the_body(pki: layout.Layout) -> None:
    async with harness.serving(pki, echo) as server, harness.raw(server, pki) as client:
        client.say(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
        assert (await client.head()).startswith(b"HTTP/1.1 100 ")
        client.say(b"hi")
        assert await client.response() == (200, b"hi")


async def test_100_continue_is_not_sent_when_the_app_refuses_the_body(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.raw(server, pki) as client:
        client.say(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in head


async def test_an_unread_body_is_not_held_in_memory(pki: layout.Layout) -> None:
    sent = 64 << 20
    started, release = asyncio.Event(), asyncio.Event()

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        started.set()
        await release.wait()
        size = 0
        while True:
            message = await receive()
            size += len(message["body"])
            if not message["more_body"]:
                break
        await harness.reply(send, b"%d" % size)

    async with harness.serving(pki, late) as server, harness.raw(server, pki) as client:
        client.say(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n" % sent)
        await started.wait()
        connection = await harness.only_connection(server)
        stream = connection.http.stream  # type: ignore[union-attr]
        assert stream is not None

        async def upload() -> None:
            for _ in range(sent >> 20):
                client.say(b"x" * (1 << 20))
                await client.writer.drain()

        uploading = asyncio.ensure_future(upload())
        await harness.until(lambda: stream.inbox.size > inbox.READ_AHEAD)
        for _ in range(20):
            await asyncio.sleep(0)
        assert stream.inbox.size < 2 * inbox.READ_AHEAD + (256 << 10)
        assert not uploading.done()
        release.set()
        assert await client.response() == (200, b"%d" % sent)
        await uploading


# Clients that leave


async def test_the_app_learns_at_once_that_the_client_left(pki: layout.Layout) -> None:
    waiting, left = asyncio.Event(), asyncio.Event()

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await harness.read_body(receive)
        waiting.set()
        assert (await receive())["type"] == "http.disconnect"
        left.set()

    async with harness.serving(pki, watch) as server:
        async with harness.raw(server, pki) as client:
            client.say(GET)
            await waiting.wait()
        await left.wait()


async def test_sending_to_a_client_that_left_raises_an_os_error(pki: layout.Layout) -> None:
    raised: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            while True:
                await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
                await asyncio.sleep(0)
        except BaseException as error:
            raised.set_result(error)
            raise

    async with harness.serving(pki, stream) as server:
        async with harness.raw(server, pki) as client:
            client.say(GET)
            await client.head()
        assert isinstance(await raised, OSError)


async def test_a_client_that_does_not_read_makes_the_app_wait(pki: layout.Layout) -> None:
    sent = 0

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            sent += 65536

    async with harness.serving(pki, stream) as server, harness.raw(server, pki) as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        client.say(GET)
        connection = await harness.only_connection(server)
        await harness.until(lambda: connection.link._transport.get_write_buffer_size() >= 128 << 10)
        before = sent
        async with harness.client(server, pki, http2=False) as other:
            stop = asyncio.ensure_future(other.get("/"))
            await harness.until(lambda: len(server._connections) == 2)
            stop.cancel()
        assert sent - before < 4 << 20


async def test_a_handler_that_ignores_its_client_s_leaving_is_cancelled(
    pki: layout.Layout, caplog: pytest.LogCaptureFixture
) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with harness.serving(pki, stuck, abandoned_timeout=0.05) as server:
        async with harness.raw(server, pki) as client:
            client.say(GET)
            await started.wait()
        await cancelled.wait()
        await harness.until(lambda: not server._connections)
    assert caplog.messages == ["GET / went on after its client left: cancelled"]


# Apps that fail


async def test_an_app_that_fails_is_answered_for(pki: layout.Layout, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    async with harness.serving(pki, broken) as server, harness.raw(server, pki) as client:
        for _ in range(2):
            client.say(GET)
            assert await client.response() == (500, b"Internal Server Error")
    assert caplog.messages == ["GET / failed"] * 2


async def test_an_app_that_fails_midway_does_not_look_complete(pki: layout.Layout) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ZeroDivisionError

    async with harness.serving(pki, broken) as server, harness.raw(server, pki) as client:
        client.say(GET)
        assert (await client.end()).endswith(b"\r\n\r\n4\r\nhalf\r\n")


async def test_a_line_break_in_a_header_does_not_reach_the_wire(pki: layout.Layout) -> None:
    async def injected(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.reply(send, headers=[(b"location", b"/\r\nset-cookie: evil")])

    async with harness.serving(pki, injected) as server, harness.raw(server, pki) as client:
        client.say(GET)
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 500 ")
        assert b"evil" not in head
