import asyncio
import socket

import pytest
from h2.errors import ErrorCodes

from generic.serving import inbox
from generic.types import Receive, Scope, Send
from tests.integration.serving import harness
from trikube.pki import layout

pytestmark = pytest.mark.anyio


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await harness.reply(send, await harness.read_body(receive))


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    await harness.reply(send, b"too large", 413)


async def test_a_connection_takes_any_number_of_requests(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.h2_client(server, pki) as client:
        for _ in range(12):
            streams = [client.request() for _ in range(100)]
            await client.until(lambda: client.ended.issuperset(streams))  # noqa: B023
        assert len(client.ended) == 1200
        assert {bytes(body) for body in client.bodies.values()} == {b"ok"}
        assert (client.goaway, client.resets) == (None, {})


async def test_the_scope_is_what_http_1_would_have_given(pki: layout.Layout) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await harness.reply(send)

    async with harness.serving(pki, app) as server, harness.h2_client(server, pki) as client:
        await client.answer(client.request(path=b"/a%2Fb%20c?d=e", headers=[(b"accept", b"*/*")]))
    (scope,) = seen
    assert (scope["method"], scope["path"], scope["raw_path"]) == ("GET", "/a/b c", b"/a%2Fb%20c")
    assert (scope["query_string"], scope["http_version"], scope["scheme"]) == (b"d=e", "2", "https")
    assert dict(scope["headers"]) == {b"accept": b"*/*", b"host": b"localhost"}
    assert scope["server"] == ("127.0.0.1", server.port)


async def test_headers_of_a_connection_are_left_out_and_the_date_is_there_once(pki: layout.Layout) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.reply(send, headers=[(b"Keep-Alive", b"5"), (b"transfer-encoding", b"identity"), (b"X-A", b"b")])

    async with harness.serving(pki, app) as server, harness.client(server, pki, http2=True) as client:
        response = await client.get("/")
    assert [name for name, _ in response.headers.raw] == [b"content-length", b"x-a", b"date"]


# Bodies the app does not read


async def test_an_answer_before_the_body_resets_that_stream_alone(pki: layout.Layout) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/watch":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"event", "more_body": True})
            await harness.read_body(receive)
            await receive()
        else:
            await refuse(scope, receive, send)

    options = {"linger_timeout": 0.01}
    async with harness.serving(pki, app, **options) as server, harness.h2_client(server, pki) as client:
        watch = client.request(path=b"/watch")
        await client.until(lambda: bytes(client.bodies[watch]) == b"event")
        for _ in range(3):
            upload = client.request(method=b"POST", end=False)
            client.data(upload, b"x" * 1000)
            assert await client.answer(upload) == (413, b"too large")
            await client.until(lambda: upload in client.resets)  # noqa: B023
            assert client.resets[upload] == ErrorCodes.NO_ERROR
        assert client.goaway is None
        assert watch not in client.resets
        assert watch not in client.ended


async def test_data_for_a_stream_already_answered_is_dropped(pki: layout.Layout) -> None:
    async with harness.serving(pki, refuse) as server, harness.h2_client(server, pki) as client:
        uploads = [client.request(method=b"POST", end=False) for _ in range(8)]
        for _ in range(10):
            for upload in uploads:
                client.data(upload, b"x" * 16000)
        await client.until(lambda: client.ended >= set(uploads))
        for upload in uploads:
            client.data(upload, b"", end=True)
        assert (client.goaway, client.resets) == (None, {})
        assert await client.answer(client.request(method=b"POST")) == (413, b"too large")


async def test_httpx_gets_an_early_answer_to_a_large_upload(pki: layout.Layout) -> None:
    async with harness.serving(pki, refuse) as server, harness.client(server, pki, http2=True) as client:
        for _ in range(3):
            response = await client.post("/", content=b"x" * 4_000_000)
            assert (response.status_code, response.text) == (413, "too large")


async def test_unread_bodies_are_bounded_and_do_not_stop_other_streams(pki: layout.Layout) -> None:
    release = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/stuck":
            await release.wait()
        await echo(scope, receive, send)

    async with harness.serving(pki, app) as server, harness.h2_client(server, pki) as client:
        stuck = [client.request(method=b"POST", path=b"/stuck", end=False) for _ in range(4)]
        sent = dict.fromkeys(stuck, 0)

        async def fill() -> None:
            for stream in stuck:
                while room := min(client.room(stream), 16384):
                    client.data(stream, b"x" * room)
                    sent[stream] += room

        await fill()
        # A round trip later the server has said all it will about more room.
        for _ in range(3):
            other = client.request(method=b"POST", end=False)
            client.data(other, b"quick", end=True)
            assert await client.answer(other) == (200, b"quick")
            await fill()
        assert all(inbox.READ_AHEAD <= size <= 2 * inbox.READ_AHEAD + 16384 for size in sent.values())
        release.set()
        for stream in stuck:
            client.data(stream, b"", end=True)
        for stream in stuck:
            _, body = await client.answer(stream)
            assert len(body) == sent[stream]


async def test_a_body_larger_than_every_window_arrives_whole(pki: layout.Layout) -> None:
    body = bytes(range(256)) * 20_000
    async with harness.serving(pki, echo) as server, harness.client(server, pki, http2=True) as client:
        assert (await client.post("/", content=body)).content == body


async def test_reset_unread_bodies_give_the_connection_its_room_back(pki: layout.Layout) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/stuck":
            await asyncio.Event().wait()
        await echo(scope, receive, send)

    options = {"http2_max_streams_per_connection": 4, "abandoned_timeout": 0.01}
    async with harness.serving(pki, app, **options) as server, harness.h2_client(server, pki) as client:
        for _ in range(40):
            stuck = client.request(method=b"POST", path=b"/stuck", end=False)
            while room := min(client.room(stuck), 16384):
                client.data(stuck, b"x" * room)
            client.reset(stuck)
            quick = client.request(method=b"POST", end=False)
            client.data(quick, b"quick", end=True)
            assert await client.answer(quick) == (200, b"quick")


# Responses


async def test_a_small_window_gets_a_large_response_bit_by_bit(pki: layout.Layout) -> None:
    body = bytes(range(256)) * 4000

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.reply(send, body)

    async with harness.serving(pki, large) as server, harness.h2_client(server, pki, window=1000) as client:
        streams = [client.request() for _ in range(3)]
        for stream in streams:
            assert await client.answer(stream) == (200, body)


async def test_a_stream_whose_client_does_not_read_does_not_stop_the_others(pki: layout.Layout) -> None:
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        if scope["path"] != "/endless":
            await harness.reply(send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
            sent += 1000

    async with harness.serving(pki, app) as server, harness.h2_client(server, pki, window=20_000) as client:
        client.acknowledge = False
        client.request(path=b"/endless")
        for _ in range(20):
            assert await client.answer(client.request()) == (200, b"ok")
        assert sent <= 20_000


async def test_the_head_of_a_stream_is_sent_before_its_body(pki: layout.Layout) -> None:
    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.Event().wait()

    async with harness.serving(pki, watch) as server, harness.h2_client(server, pki) as client:
        stream = client.request()
        await client.until(lambda: client.statuses[stream] == [200])
        assert not client.closed


# Clients that leave


@pytest.mark.parametrize("how", ["reset", "close"])
async def test_the_app_learns_at_once_that_the_client_left(pki: layout.Layout, how: str) -> None:
    waiting, left = asyncio.Event(), asyncio.Event()

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await harness.read_body(receive)
        waiting.set()
        assert (await receive())["type"] == "http.disconnect"
        left.set()

    async with harness.serving(pki, watch) as server, harness.h2_client(server, pki) as client:
        stream = client.request()
        await waiting.wait()
        if how == "reset":
            client.reset(stream)
        else:
            client.writer.transport.abort()
        await left.wait()


async def test_an_app_that_waits_for_a_window_learns_that_the_client_left(pki: layout.Layout) -> None:
    raised: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await harness.reply(send, b"x" * 1_000_000)
        except BaseException as error:
            raised.set_result(error)
            raise

    async with harness.serving(pki, large) as server, harness.h2_client(server, pki, window=1000) as client:
        client.acknowledge = False
        stream = client.request()
        await client.until(lambda: len(client.bodies[stream]) == 1000)
        client.reset(stream)
        assert isinstance(await raised, OSError)


async def test_an_idle_connection_is_closed_with_goaway_or_close(pki: layout.Layout) -> None:
    async with (
        harness.serving(pki, harness.hello, idle_timeout=0.05) as server,
        harness.h2_client(server, pki) as client,
    ):
        assert await client.answer(client.request()) == (200, b"ok")
        await client.until(lambda: False)
        assert client.closed


async def test_a_client_that_says_nothing_after_the_handshake_is_cut_off(pki: layout.Layout) -> None:
    async with (
        harness.serving(pki, harness.hello, header_timeout=0.05) as server,
        harness.raw(server, pki, alpn=["h2"]) as client,
    ):
        await client.end()
        await harness.until(lambda: not server._connections)


async def test_a_watch_is_not_idle(pki: layout.Layout) -> None:
    more = asyncio.Event()

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await more.wait()
        await send({"type": "http.response.body", "body": b"event"})

    async with (
        harness.serving(pki, watch, idle_timeout=0.05, header_timeout=0.05) as server,
        harness.h2_client(server, pki) as client,
    ):
        stream = client.request()
        await client.until(lambda: client.statuses[stream] == [200])
        asyncio.get_running_loop().call_later(0.3, more.set)
        assert await client.answer(stream) == (200, b"event")


# Clients that misbehave


@pytest.mark.parametrize("path", [b"/\xff\xfe", b"nonsense", b"/caf\xc3\xa9"])
async def test_a_malformed_path_is_refused_on_its_stream_alone(pki: layout.Layout, path: bytes) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.h2_client(server, pki) as client:
        assert await client.answer(client.request(path=path)) == (400, b"")
        assert await client.answer(client.request()) == (200, b"ok")


async def test_connect_is_refused_on_its_stream_alone(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.h2_client(server, pki) as client:
        assert await client.answer(client.request(method=b"CONNECT", path=b"")) == (400, b"")
        assert await client.answer(client.request()) == (200, b"ok")


async def test_oversized_headers_end_that_connection_alone(pki: layout.Layout) -> None:
    async with (
        harness.serving(pki, harness.hello) as server,
        harness.h2_client(server, pki) as bad,
        harness.h2_client(server, pki) as good,
    ):
        bad.request(headers=[(b"x-%d" % n, b"y" * 5000) for n in range(250)])
        await bad.until(lambda: False)
        assert bad.closed
        assert await good.answer(good.request()) == (200, b"ok")


async def test_large_headers_are_served(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.h2_client(server, pki) as client:
        big = client.request(headers=[(b"x-%d" % n, b"y" * 5000) for n in range(150)])
        assert await client.answer(big) == (200, b"ok")


async def test_nonsense_ends_that_connection_alone(pki: layout.Layout) -> None:
    async with (
        harness.serving(pki, harness.hello) as server,
        harness.h2_client(server, pki) as bad,
        harness.h2_client(server, pki) as good,
    ):
        bad.writer.write(b"\xff" * 100)
        await bad.until(lambda: False)
        assert bad.closed
        assert await good.answer(good.request()) == (200, b"ok")


async def test_a_client_that_resets_faster_than_handlers_end_is_cut_off(pki: layout.Layout) -> None:
    running = 0

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal running
        running += 1
        await asyncio.Event().wait()

    options = {"http2_max_streams_per_connection": 10}
    async with harness.serving(pki, slow, **options) as server, harness.h2_client(server, pki) as client:
        for _ in range(200):
            client.reset(client.request())
        await client.until(lambda: client.goaway is not None)
        assert client.goaway == ErrorCodes.ENHANCE_YOUR_CALM
        assert running <= 41


async def test_a_client_that_pings_and_never_reads_is_cut_off(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.h2_client(server, pki) as client:
        connection = await harness.only_connection(server)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        # What the system holds for a client that does not read counts for nobody: less of it, less to write here.
        client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        pings = b"\0\0\x08\x06\0\0\0\0\0pingpong" * 4000
        while not connection.link.closing:
            client.writer.write(pings)
            await asyncio.sleep(0)
        assert connection.link.closing


# Apps that fail


async def test_an_app_that_fails_is_answered_for(pki: layout.Layout, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    async with harness.serving(pki, broken) as server, harness.h2_client(server, pki) as client:
        assert await client.answer(client.request()) == (500, b"Internal Server Error")
    assert caplog.messages == ["GET / failed"]


async def test_an_app_that_fails_midway_resets_its_stream_alone(pki: layout.Layout) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ZeroDivisionError

    async with harness.serving(pki, broken) as server, harness.h2_client(server, pki) as client:
        for _ in range(2):
            stream = client.request()
            assert await client.answer(stream) == (200, b"half")
            assert client.resets[stream] == ErrorCodes.INTERNAL_ERROR


async def test_an_app_that_says_nothing_is_answered_for(pki: layout.Layout) -> None:
    async def silent(scope: Scope, receive: Receive, send: Send) -> None:
        pass

    async with harness.serving(pki, silent) as server, harness.h2_client(server, pki) as client:
        assert await client.answer(client.request()) == (500, b"Internal Server Error")
