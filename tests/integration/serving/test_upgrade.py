"""Apps that take a client's connection over after an upgrade."""

import asyncio

import pytest

from generic.request import upgrade
from generic.types import Receive, Scope, Send
from tests.integration.serving import harness
from trikube.pki import layout

pytestmark = pytest.mark.anyio

SWITCH = (b"Switching Protocols", [(b"connection", b"upgrade"), (b"upgrade", b"echo")])
HEAD = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
ASK = b"POST / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: echo\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Says back what it hears, until it hears `bye`."""
    take_over = upgrade.offered(scope)
    assert take_over is not None
    await harness.read_body(receive)
    duplex = await take_over(*SWITCH)
    while (data := await duplex.read()) != b"bye":
        await duplex.write(data)


async def test_bytes_pass_unread_from_the_first_one_after_the_request(pki: layout.Layout) -> None:
    async with harness.serving(pki, echo) as server, harness.raw(server, pki) as client:
        client.say(ASK + b"content-length: 4\r\n\r\nbodyGET / HTTP/1.1\r\n\r\n")
        assert await client.reader.readexactly(len(HEAD)) == HEAD
        assert await client.reader.readexactly(18) == b"GET / HTTP/1.1\r\n\r\n"
        big = b"x" * (1 << 20)
        client.say(big)
        assert await client.reader.readexactly(len(big)) == big
        client.say(b"bye")
        assert await client.end() == b""
        await harness.until(lambda: not server._connections)


async def test_the_end_of_a_client_is_the_end_of_what_can_be_read(pki: layout.Layout) -> None:
    heard: asyncio.Future[list[bytes]] = asyncio.get_running_loop().create_future()

    async def listen(scope: Scope, receive: Receive, send: Send) -> None:
        take_over = upgrade.offered(scope)
        assert take_over is not None
        duplex = await take_over(*SWITCH)
        heard.set_result([await duplex.read(), await duplex.read()])
        with pytest.raises(OSError, match="left"):
            await duplex.write(b"anybody?")

    async with harness.serving(pki, listen) as server:
        async with harness.raw(server, pki) as client:
            client.say(ASK + b"content-length: 0\r\n\r\n")
            assert await client.head() == HEAD
            client.say(b"last words")
        assert await heard == [b"last words", b""]
        await harness.until(lambda: not server._connections)


async def test_a_client_is_not_read_faster_than_the_app_reads(pki: layout.Layout) -> None:
    proceed = asyncio.Event()
    size = 8 << 20

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        take_over = upgrade.offered(scope)
        assert take_over is not None
        duplex = await take_over(*SWITCH)
        await proceed.wait()
        got = 0
        while got < size:
            got += len(await duplex.read())
        await duplex.write(b"all")

    async with harness.serving(pki, wait) as server, harness.raw(server, pki) as client:
        client.say(ASK + b"content-length: 0\r\n\r\n")
        await client.head()
        client.say(b"x" * size)
        connection = await harness.only_connection(server)
        held = connection.http._raw  # type: ignore[union-attr]
        assert held is not None
        await harness.until(lambda: held.size > 256 << 10)
        assert held.size < 2 << 20
        proceed.set()
        assert await client.reader.readexactly(3) == b"all"


async def test_it_is_offered_only_where_it_was_asked_for_and_only_once_the_body_is_read(pki: layout.Layout) -> None:
    tried = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        take_over = upgrade.offered(scope)
        said = b"none"
        if take_over is not None:
            with pytest.raises(RuntimeError, match="body"):
                await take_over(*SWITCH)
            said = b"early"
            tried.set()
        await harness.read_body(receive)
        await harness.reply(send, said)

    async with harness.serving(pki, app) as server, harness.raw(server, pki) as client:
        client.say(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert await client.response() == (200, b"none")
        client.say(ASK + b"content-length: 4\r\n\r\nbo")
        await tried.wait()
        client.say(b"dy")
        assert await client.response() == (200, b"early")
        client.say(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert await client.response() == (200, b"none")


async def test_a_websocket_over_http2_is_one_stream_of_its_connection(pki: layout.Layout) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await harness.reply(send)
            return
        take_over = upgrade.offered(scope)
        assert take_over is not None
        duplex = await take_over(b"", [(b"Upgrade", b"websocket"), (b"Sec-WebSocket-Accept", b"x"), (b"X-More", b"1")])
        while data := await duplex.read():
            await duplex.write(data)
        await duplex_ends(duplex)

    async def duplex_ends(duplex: upgrade.Duplex) -> None:
        with pytest.raises(OSError, match="left"):
            await duplex.write(b"anybody?")

    asked = [(b":protocol", b"websocket"), (b"sec-websocket-version", b"13")]
    async with harness.serving(pki, app) as server, harness.h2_client(server, pki) as client:
        stream = client.request(method=b"CONNECT", end=False, headers=asked)
        await client.until(lambda: client.statuses[stream] == [200])
        for text in (b"\x81\x05hello", b"x" * 60_000):
            already = len(client.bodies[stream])
            client.data(stream, text)
            await client.until(lambda: len(client.bodies[stream]) == already + len(text))  # noqa: B023, awaited here
            assert bytes(client.bodies[stream][already:]) == text
        assert await client.answer(client.request()) == (200, b"ok")
        client.data(stream, b"", end=True)
        await client.until(lambda: stream in client.ended)
        assert await client.answer(client.request()) == (200, b"ok")
