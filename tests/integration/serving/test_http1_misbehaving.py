"""HTTP/1.1 clients that are slow, half gone or wrong: each is dealt with, and none hurts another."""

import asyncio
import os
import socket

import pytest

from generic.types import Receive, Scope, Send
from tests.integration.serving import harness
from trikube.pki import layout

pytestmark = pytest.mark.anyio

GET = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await harness.reply(send, await harness.read_body(receive))


async def test_a_head_that_never_ends_is_cut_off_and_hurts_nobody(pki: layout.Layout) -> None:
    async with (
        harness.serving(pki, harness.hello, header_timeout=0.3) as server,
        harness.raw(server, pki) as slow,
        harness.client(server, pki, http2=False) as other,
    ):
        slow.say(b"GET / HTTP/1.1\r\n")
        ended = asyncio.ensure_future(slow.end())
        while not ended.done():
            slow.say(b"x: y\r\n")
            assert (await other.get("/")).text == "ok"
            await asyncio.sleep(0.01)
        assert ended.result() == b""


async def test_a_body_may_trickle_as_slowly_as_it_likes(pki: layout.Layout) -> None:
    async with (
        harness.serving(pki, echo, header_timeout=0.05, idle_timeout=0.05) as server,
        harness.raw(server, pki) as slow,
    ):
        slow.say(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 8\r\n\r\n")
        for _ in range(8):
            slow.say(b"x")
            await asyncio.sleep(0.02)
        assert await slow.response() == (200, b"xxxxxxxx")


async def test_a_half_closed_connection_hurts_nobody(pki: layout.Layout) -> None:
    waiting, left = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/":
            await harness.reply(send)
            return
        await harness.read_body(receive)
        waiting.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with (
        harness.serving(pki, app) as server,
        harness.raw(server, pki) as half,
        harness.client(server, pki, http2=True) as other,
    ):
        half.say(GET.replace(b"/ ", b"/watch "))
        await waiting.wait()
        # The end of what it sends, without TLS's leave-taking; it could still read.
        with socket.socket(fileno=os.dup(half.writer.get_extra_info("socket").fileno())) as below:
            below.shutdown(socket.SHUT_WR)
        await left.wait()
        assert (await other.get("/")).text == "ok"
        await harness.until(lambda: len(server._connections) == 1)


async def test_an_idle_connection_is_closed(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello, idle_timeout=0.05) as server, harness.raw(server, pki) as client:
        client.say(GET)
        assert await client.response() == (200, b"ok")
        assert await client.end() == b""


async def test_a_request_is_not_idle(pki: layout.Layout) -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.2)
        await harness.reply(send)

    async with (
        harness.serving(pki, slow, idle_timeout=0.05, header_timeout=0.05) as server,
        harness.raw(server, pki) as client,
    ):
        client.say(GET)
        assert await client.response() == (200, b"ok")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * (2 << 20) + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"x: y\r\n" * 400_000 + b"\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nhost: a\r\nbad header: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400),
        (b"GET nonsense HTTP/1.1\r\nhost: a\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
    ids=["long header", "many headers", "nonsense", "bad header", "two lengths", "bad target", "http2 unasked"],
)
async def test_what_is_no_request_is_refused_and_hurts_nobody(pki: layout.Layout, request_: bytes, status: int) -> None:
    linger = 0.5 if len(request_) > 1000 else 0.05
    async with (
        harness.serving(pki, harness.hello, linger_timeout=linger) as server,
        harness.raw(server, pki) as bad,
        harness.client(server, pki, http2=False) as other,
    ):
        bad.say(request_)
        assert (await bad.response())[0] == status
        assert (await other.get("/")).text == "ok"
        assert await bad.end() == b""


async def test_a_head_of_nearly_a_mebibyte_is_served(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.raw(server, pki) as client:
        client.say(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"y" * 900_000 + b"\r\n\r\n")
        assert await client.response() == (200, b"ok")
