"""HTTP/2 to a backend, without a control plane around it: who shares a connection, and how requests on it end."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import h2.settings
import pytest
from hyperframe.frame import GoAwayFrame, RstStreamFrame

from aggregator.proxy.call import Call
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.http2_codec import STREAM_WINDOW
from tests.integration.aggregator.http2backend import Peer, refusing_http1, speaking
from tests.integration.aggregator.test_wire import REGISTERED, asking, body_of, read_head

pytestmark = pytest.mark.anyio

GET = Call("GET", b"/", [(b"x-Extra-%2F", b"a")])
WATCH = Call("GET", b"/?watch=true", [], lasting=True)
ONLY, BOTH = ("h2",), ("h2", "http/1.1")
CANCEL, REFUSED, INTERNAL = 8, 7, 2
MOST_STREAMS = h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS


async def endless(chunk: bytes = b"x" * 10_000) -> AsyncIterator[bytes]:
    while True:
        yield chunk
        await asyncio.sleep(0)


async def test_watches_share_a_connection_and_short_requests_have_their_own(tmp_path: Path) -> None:
    peers: list[Peer] = []
    short = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal short
        if writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
            peer = Peer(reader, writer)
            peers.append(peer)
            await peer.start()
            await peer.until(lambda: len(peer.heads) == 3)
            for number in (5, 3, 1):
                peer.ok(number, b"%d" % number)
            await peer.end()
        else:
            short += 1
            await read_head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            await reader.read()

    async with asking(tmp_path, serve, alpn=BOTH) as backends:
        bodies = await asyncio.gather(*(body_of(backends, WATCH) for _ in range(3)))
        assert bodies == [b"1", b"3", b"5"]
        assert await body_of(backends, GET) == b"ok"
    assert (len(peers), short) == (1, 1)


async def test_a_server_that_speaks_nothing_else_is_asked_everything_that_way(tmp_path: Path) -> None:
    async def serve(peer: Peer) -> None:
        asked = await peer.request(1)
        assert asked[b":path"] == b"/"
        assert asked[b"x-extra-%2f"] == b"a"
        peer.ok(1)
        await peer.until(lambda: 3 in peer.ended)
        assert peer.heads[3][b"content-length"] == b"300000"
        assert len(peer.bodies[3]) == 300_000
        peer.head(3, end=True, status=b"204")
        await peer.end()

    async with asking(tmp_path, speaking(serve), alpn=ONLY, behind=refusing_http1) as backends:
        assert await body_of(backends, GET) == b"ok"
        assert await body_of(backends, Call("POST", b"/", [], b"x" * 300_000)) == b""


async def test_a_server_that_only_pretends_to_speak_http1_is_found_out(tmp_path: Path) -> None:
    pretended = 0

    async def ok(peer: Peer) -> None:
        for number in (1, 3):
            await peer.request(number)
            peer.ok(number)
        await peer.end()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal pretended
        if writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2":
            await speaking(ok)(reader, writer)
        else:
            pretended += 1
            await read_head(reader)

    async with asking(tmp_path, serve, alpn=ONLY) as backends:
        assert [await body_of(backends, GET) for _ in range(2)] == [b"ok"] * 2
    assert pretended == 1


async def test_what_upgrades_cannot_go_to_such_a_server(tmp_path: Path) -> None:
    async def serve(peer: Peer) -> None:
        await peer.end()

    async with asking(tmp_path, speaking(serve), alpn=ONLY, behind=refusing_http1) as backends:
        with pytest.raises(Unreachable, match="no application protocol"):
            await body_of(backends, Call("GET", b"/", [], upgrade=True))


async def test_a_server_without_it_is_watched_over_http1(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_head(reader)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async with asking(tmp_path, serve) as backends:
        assert [await body_of(backends, one) for one in (WATCH, GET, WATCH)] == [b"ok"] * 3


async def test_leaving_resets_that_stream_and_no_other(tmp_path: Path) -> None:
    reset, going_on = asyncio.Event(), asyncio.Event()

    async def serve(peer: Peer) -> None:
        await peer.until(lambda: len(peer.heads) == 2)
        for number in (1, 3):
            peer.head(number)
        await peer.until(lambda: peer.resets)
        assert peer.resets == {1: CANCEL}
        reset.set()
        peer.body(3, b"still here", end=True)
        await peer.end()

    async def leave() -> None:
        async with backends.answer(REGISTERED, WATCH):
            going_on.set()
            await asyncio.Event().wait()

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        leaving = asyncio.create_task(leave())
        staying = asyncio.create_task(body_of(backends, WATCH))
        await going_on.wait()
        leaving.cancel()
        await reset.wait()
        assert await staying == b"still here"


async def test_what_is_not_read_stops_its_sender_and_no_other(tmp_path: Path) -> None:
    async def serve(peer: Peer) -> None:
        for number in (1, 3):
            await peer.request(number)
            peer.head(number)
        sent = 0
        while room := min(peer.connection.local_flow_control_window(1), 16_000):
            peer.body(1, b"x" * room)
            sent += room
        assert sent == STREAM_WINDOW
        peer.body(3, b"first")
        await peer.until(lambda: peer.connection.local_flow_control_window(1) > 100_000)
        peer.body(1, b"more", end=True)
        await peer.end()

    async with (
        asking(tmp_path, speaking(serve), alpn=ONLY) as backends,
        backends.answer(REGISTERED, WATCH) as slow,
        backends.answer(REGISTERED, WATCH) as quick,
    ):
        assert await anext(aiter(quick.body)) == b"first"
        read = b"".join([chunk async for chunk in slow.body])
        assert len(read) == STREAM_WINDOW + 4


async def test_a_body_goes_on_at_the_pace_of_the_backend(tmp_path: Path) -> None:
    taken = asyncio.Event()

    async def serve(peer: Peer) -> None:
        peer.acknowledge = False
        await peer.until(lambda: len(peer.bodies.get(1, b"")) == 65_535)
        assert peer.connection.remote_flow_control_window(1) == 0
        peer.connection.increment_flow_control_window(1000, 1)
        peer.connection.increment_flow_control_window(1000)
        peer.flush()
        await peer.until(lambda: len(peer.bodies[1]) == 66_535)
        peer.head(1, end=True, status=b"413")
        taken.set()
        await peer.until(lambda: peer.resets)
        await peer.end()

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        assert await body_of(backends, Call("POST", b"/", [], endless(), lasting=True)) == b""
        assert taken.is_set()


async def test_goaway_lets_finish_what_runs_and_repeats_what_was_not_looked_at(tmp_path: Path) -> None:
    connections, asked = 0, b""

    async def serve(peer: Peer) -> None:
        nonlocal connections, asked
        connections += 1
        if connections == 1:
            await peer.until(lambda: len(peer.heads) == 2)
            peer.head(1)
            peer.say(GoAwayFrame(last_stream_id=1))
            peer.body(1, b"old", end=True)
        else:
            await peer.until(lambda: 1 in peer.ended)
            asked = peer.bodies[1]
            peer.ok(1, b"new")
        await peer.end()

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        old = asyncio.create_task(body_of(backends, WATCH))
        await asyncio.sleep(0)
        new = asyncio.create_task(body_of(backends, Call("POST", b"/", [], b"twice", lasting=True)))
        assert [await old, await new] == [b"old", b"new"]
    assert connections == 2
    assert asked == b"twice"


async def test_a_refused_stream_is_repeated_and_a_broken_one_is_not(tmp_path: Path) -> None:
    async def serve(peer: Peer) -> None:
        await peer.request(1)
        peer.say(RstStreamFrame(1, error_code=REFUSED))
        await peer.request(3)
        peer.ok(3)
        await peer.request(5)
        peer.say(RstStreamFrame(5, error_code=INTERNAL))
        await peer.end()
        assert 7 not in peer.heads

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        assert await body_of(backends, WATCH) == b"ok"
        with pytest.raises(Unreachable, match=r"^stream error: stream ID 5; INTERNAL_ERROR; received from peer$"):
            await body_of(backends, WATCH)


async def test_a_server_that_refuses_everything_is_asked_a_few_times_only(tmp_path: Path) -> None:
    asked = 0

    async def serve(peer: Peer) -> None:
        nonlocal asked
        for number in range(1, 100, 2):
            await peer.request(number)
            asked += 1
            peer.say(RstStreamFrame(number, error_code=REFUSED))

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        with pytest.raises(Unreachable, match="REFUSED_STREAM") as refused:
            await body_of(backends, WATCH)
    assert refused.value.dialing, "another address may be asked"
    assert asked == 4


async def test_where_no_more_streams_are_allowed_others_connections_are_made(tmp_path: Path) -> None:
    connections, all_made = 0, asyncio.Event()

    async def serve(peer: Peer) -> None:
        nonlocal connections
        connections += 1
        if connections == 5:
            all_made.set()
        await peer.request(1)
        peer.head(1)
        await all_made.wait()
        peer.body(1, b"ok", end=True)
        await peer.end()

    async with asking(tmp_path, speaking(serve, {MOST_STREAMS: 1}), alpn=ONLY) as backends:
        assert await asyncio.gather(*(body_of(backends, WATCH) for _ in range(5))) == [b"ok"] * 5
    assert connections == 5


async def test_a_server_that_allows_no_streams_is_unreachable(tmp_path: Path) -> None:
    async def serve(peer: Peer) -> None:
        await peer.end()

    async with asking(tmp_path, speaking(serve, {MOST_STREAMS: 0}), alpn=ONLY) as backends:
        with pytest.raises(Unreachable, match=r"^http2: client conn not usable$"):
            await body_of(backends, WATCH)


async def test_a_server_that_is_silent_is_pinged_and_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.proxy.trunk.READ_IDLE_SECONDS", 0.05)
    monkeypatch.setattr("aggregator.proxy.trunk.PING_SECONDS", 0.05)
    pinged = asyncio.Event()

    async def serve(peer: Peer) -> None:
        await peer.request(1)
        while pings := b"trikube." not in await peer.reader.read(1000):
            assert pings
        pinged.set()
        await peer.reader.read()

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        with pytest.raises(Unreachable, match=r"^http2: client connection lost$"):
            await body_of(backends, WATCH)
    assert pinged.is_set()


async def test_idle_connections_are_closed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.proxy.connections._KEEP_SECONDS", 0.02)
    closed = asyncio.Event()

    async def serve(peer: Peer) -> None:
        await peer.request(1)
        peer.ok(1)
        await peer.end()
        closed.set()

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        assert await body_of(backends, WATCH) == b"ok"
        async with asyncio.timeout(5):
            await closed.wait()


async def test_trailers_and_informational_responses_come_with_the_answer(tmp_path: Path) -> None:
    async def serve(peer: Peer) -> None:
        await peer.request(1)
        for status in (b"100", b"101", b"1xx"):
            peer.head(1, status=status)
        peer.head(1, (b"link", b"</a>"), status=b"103")
        peer.head(1, (b"trailer", b"x-sum"))
        peer.body(1, b"ok")
        peer.trail(1, (b"x-sum", b"1"))
        await peer.end()

    told: list[tuple[int, list[tuple[bytes, bytes]]]] = []

    async def inform(status: int, headers: list[tuple[bytes, bytes]]) -> None:
        told.append((status, [*headers]))

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        call = Call("GET", b"/", [], lasting=True, inform=inform)
        async with backends.answer(REGISTERED, call) as answer:
            assert [chunk async for chunk in answer.body] == [b"ok"]
            assert answer.trailers() == [(b"x-sum", b"1")]
    assert told == [(103, [(b"link", b"</a>")])]


async def test_a_body_waits_to_be_wanted_and_its_trailers_follow_it(tmp_path: Path) -> None:
    begun = False

    async def body() -> AsyncIterator[bytes]:
        nonlocal begun
        begun = True
        yield b"here"

    async def serve(peer: Peer) -> None:
        assert (await peer.request(1))[b"expect"] == b"100-continue"
        assert not begun
        peer.head(1, status=b"100")
        await peer.until(lambda: 1 in peer.ended)
        assert peer.bodies[1] == b"here"
        assert peer.trailers[1] == {b"x-sum": b"1"}
        peer.ok(1)
        await peer.request(3)
        peer.head(3, status=b"401", end=True)
        await peer.until(lambda: 3 in peer.resets)
        await peer.end()

    async with asking(tmp_path, speaking(serve), alpn=ONLY) as backends:
        expecting = [(b"expect", b"100-continue")]

        def call() -> Call:
            return Call(
                "PUT",
                b"/",
                expecting,
                body(),
                lasting=True,
                expects_continue=True,
                trailers=lambda: [(b"x-sum", b"1")],
            )

        assert await body_of(backends, call()) == b"ok"
        begun = False
        async with backends.answer(REGISTERED, call()) as answer:
            assert answer.status == 401
    assert not begun, "nobody wanted it"
