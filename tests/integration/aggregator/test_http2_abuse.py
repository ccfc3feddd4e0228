"""A backend that misuses HTTP/2: its callers are told, nothing is collected for it, and nothing of it stays."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import hpack
import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from aggregator.proxy.backends import Backends
from aggregator.proxy.call import Call
from aggregator.proxy.failures import Unreachable
from tests.integration.aggregator.harness import PATH, Plane
from tests.integration.aggregator.http2backend import Peer, speaking
from tests.integration.aggregator.rawbackend import Asked, raw_aggregated
from tests.integration.aggregator.test_http2 import MOST_STREAMS
from tests.integration.aggregator.test_memory import traced
from tests.integration.aggregator.test_wire import REGISTERED, asking, body_of

pytestmark = pytest.mark.anyio

WATCH = Call("GET", b"/?watch=true", [], lasting=True)
ONLY = ("h2",)


def block(*headers: tuple[bytes, bytes]) -> bytes:
    encoded: bytes = hpack.Encoder().encode([(b":status", b"200"), *headers])
    return encoded


def head(*headers: tuple[bytes, bytes]) -> Frame:
    return HeadersFrame(1, block(*headers), flags=["END_HEADERS"])


def forever(*frames: Frame) -> Callable[[Peer], Awaitable[None]]:
    """Say it until the client is gone."""

    async def say(peer: Peer) -> None:
        while not peer.writer.transport.is_closing():
            peer.say(*frames * (50 // len(frames) or 1))
            await peer.writer.drain()
            await asyncio.sleep(0)
        raise ConnectionResetError

    return say


def once(*frames: Frame) -> Callable[[Peer], Awaitable[None]]:
    async def say(peer: Peer) -> None:
        peer.say(*frames)
        await peer.reader.read(0)

    return say


async def garbage(peer: Peer) -> None:
    peer.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n" * 10)


async def huge_frame(peer: Peer) -> None:
    peer.writer.write(b"\xff\xff\xff\x00\x00\x00\x00\x00\x01")
    while not peer.writer.transport.is_closing():
        peer.writer.write(b"x" * 10_000)
        await peer.writer.drain()
        await asyncio.sleep(0)


async def continuations(peer: Peer) -> None:
    peer.say(HeadersFrame(1, block()))
    await forever(ContinuationFrame(1, b""))(peer)


PROTOCOL = "connection error: PROTOCOL_ERROR"
CALM = "connection error: ENHANCE_YOUR_CALM"
MISUSES: Mapping[str, tuple[Callable[[Peer], Awaitable[None]], str]] = {
    "garbage": (garbage, "connection error: FRAME_SIZE_ERROR"),
    "huge frame": (huge_frame, "connection error: FRAME_SIZE_ERROR"),
    "continuations": (continuations, PROTOCOL),
    "many small headers": (
        once(head(*[(b"a", b"")] * 12_000)),
        "http2: response header list larger than advertised limit",
    ),
    "endless 1xx": (
        forever(HeadersFrame(1, hpack.Encoder().encode([(b":status", b"102")]), flags=["END_HEADERS"])),
        "net/http: too many 1xx informational responses",
    ),
    "empty data": (forever(head(), DataFrame(1)), PROTOCOL),
    "pings": (forever(PingFrame(opaque_data=b"12345678")), CALM),
    "settings": (forever(SettingsFrame(settings={4: 70_000})), CALM),
    "resets of nothing": (forever(RstStreamFrame(3)), CALM),
    "a push": (once(PushPromiseFrame(1, 2, block(), flags=["END_HEADERS"])), PROTOCOL),
    "a window beyond all": (
        once(*[WindowUpdateFrame(0, window_increment=(1 << 31) - 1)] * 2),
        "connection error: FLOW_CONTROL_ERROR",
    ),
    "no status": (once(HeadersFrame(1, hpack.Encoder().encode([(b"a", b"b")]), flags=["END_HEADERS"])), PROTOCOL),
    "a status in words": (
        once(HeadersFrame(1, hpack.Encoder().encode([(b":status", b"fine")]), flags=["END_HEADERS"])),
        "malformed response from server: malformed non-numeric status",
    ),
    "upper case": (
        once(HeadersFrame(1, hpack.Encoder().encode([(b":status", b"200"), (b"A", b"b")]), flags=["END_HEADERS"])),
        PROTOCOL,
    ),
    "a line break": (once(head((b"a", b"b\r\nset-cookie: c"))), PROTOCOL),
    "a framing header": (once(head((b"transfer-encoding", b"chunked"))), PROTOCOL),
    "a body too long": (once(head((b"content-length", b"1")), DataFrame(1, b"xx")), PROTOCOL),
    "goaway": (
        once(GoAwayFrame(last_stream_id=1, error_code=11)),
        "http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=ENHANCE_YOUR_CALM",
    ),
}


async def misused(backends: Backends) -> str:
    with pytest.raises(Unreachable) as refused:
        await body_of(backends, WATCH)
    return str(refused.value)


@pytest.mark.parametrize("how", MISUSES)
async def test_every_misuse_is_told_and_ends(tmp_path: Path, how: str) -> None:
    say, told = MISUSES[how]

    async def serve(peer: Peer) -> None:
        await peer.request(1)
        await say(peer)

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        message = await misused(backends)
        assert message.startswith(told), message


@pytest.mark.parametrize("how", ["huge frame", "continuations", "endless 1xx"])
async def test_what_has_no_end_is_not_collected(tmp_path: Path, how: str) -> None:
    async def serve(peer: Peer) -> None:
        await peer.request(1)
        await MISUSES[how][0](peer)

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        with traced() as most:
            await misused(backends)
            assert most() < 4 << 20


async def test_what_comes_after_the_last_goaway_is_not_looked_at(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def serve(peer: Peer) -> None:
        await peer.request(1)
        peer.say(GoAwayFrame(last_stream_id=0), *[PingFrame(opaque_data=b"12345678")] * 10)
        await peer.end()

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        assert await misused(backends) == "http2: Transport received Server's graceful shutdown GOAWAY"
    assert caplog.records == []


async def test_a_server_that_says_nothing_after_the_handshake_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.proxy.dialing.CONNECT_SECONDS", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with asking(tmp_path, silent, alpn=ONLY) as backends:
        with pytest.raises(Unreachable, match=r"^dial tcp .*: i/o timeout$") as refused:
            await body_of(backends, WATCH)
        assert refused.value.dialing


async def test_a_great_answer_passes_in_constant_memory(tmp_path: Path) -> None:
    size = 16 << 20

    async def serve(peer: Peer) -> None:
        await peer.request(1)
        peer.head(1)
        left = size
        while left:
            await peer.until(lambda: peer.connection.local_flow_control_window(1))
            room = min(peer.connection.local_flow_control_window(1), 16_384, left)
            peer.body(1, b"x" * room)
            left -= room
            await peer.writer.drain()
        peer.connection.end_stream(1)
        peer.flush()
        await peer.end()

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        with traced() as most:
            async with backends.answer(REGISTERED, WATCH) as answer:
                read = 0
                async for chunk in answer.body:
                    read += len(chunk)
            assert read == size
            assert most() < 8 << 20


async def test_others_are_answered_while_watches_are_flooded(plane: Plane, tmp_path: Path) -> None:
    floods = {
        b"bytes": forever(head(), *[DataFrame(1, b"x")] * 200),
        b"much": forever(head(), *[DataFrame(1, b"x" * 16_384)] * 10),
        b"nothing": forever(PingFrame(opaque_data=b"12345678")),
    }
    begun: list[bytes] = []

    async def flood(peer: Peer) -> None:
        asked = await peer.request(1)
        how = asked[b":path"].split(b"/")[-2]
        begun.append(how)
        await floods[how](peer)

    async def none(asked: Asked) -> None:
        raise AssertionError(f"{asked.line} is no watch")

    async with raw_aggregated(plane, tmp_path, none, http2=speaking(flood, {MOST_STREAMS: 1})):
        bad = [
            asyncio.create_task(plane.http.get(f"{PATH}/namespaces/{how.decode()}/flunders?watch=true"))
            for how in floods
        ]
        await plane.until(lambda: len(begun) == len(floods))
        for _ in range(30):
            assert (await plane.http.get("/api/v1/namespaces/default")).status_code == 200
        for task in bad:
            task.cancel()
        await asyncio.wait(bad)
