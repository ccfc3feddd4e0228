"""Connections that switch to another protocol on their way through the proxy."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, RejectConnection, Request, TextMessage

from generic.meta.errors import StatusError
from generic.request import context
from generic.request.user import UserInfo
from generic.types import Receive, Scope, Send
from tests.integration.aggregator.harness import PATH, Plane, aggregated
from tests.integration.aggregator.rawbackend import Asked, answer, raw_aggregated, raw_client
from tests.integration.serving import harness

pytestmark = pytest.mark.anyio

EXEC = f"{PATH}/namespaces/default/flunders/a/exec?command=date&command=-u"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream: v4\r\n\r\n"
ASKING = ("Connection: Upgrade", "Upgrade: SPDY/3.1", "X-Stream-Protocol-Version: v4.channel.k8s.io")


async def echo(asked: Asked) -> None:
    await asked.say(SWITCHED)
    while data := await asked.reader.read(1 << 16):
        await asked.say(data)


async def test_bytes_pass_both_ways_after_the_backends_own_101(plane: Plane, tmp_path: Path) -> None:
    async with raw_aggregated(plane, tmp_path, echo) as backend, raw_client(plane) as client:
        client.ask(EXEC, *ASKING, "X-Remote-User: mallory", "Authorization: secret", "Content-Length: 0", method="POST")
        assert await client.head() == SWITCHED
        for said in (b"\x80\x03\x00\x01", b"more"):
            client.writer.write(said)
            assert await client.reader.readexactly(len(said)) == said
    (asked,) = backend.seen
    assert asked.line == f"POST {EXEC} HTTP/1.1"
    assert asked.headers["upgrade"] == "SPDY/3.1"
    assert asked.headers["connection"] == "Upgrade"
    assert asked.headers["x-stream-protocol-version"] == "v4.channel.k8s.io"
    assert asked.headers["x-remote-user"] == "kubernetes-admin"
    assert asked.headers["host"] == f"127.0.0.1:{backend.port}"
    assert "authorization" not in asked.headers


async def test_what_either_side_says_at_once_is_not_lost(plane: Plane, tmp_path: Path) -> None:
    async def greet(asked: Asked) -> None:
        assert await asked.body() == b"first"
        await asked.say(SWITCHED + b"welcome")
        await asked.say(b"you said " + await asked.reader.readexactly(5) + b" and I leave")

    async with raw_aggregated(plane, tmp_path, greet), raw_client(plane) as client:
        client.ask(EXEC, *ASKING, "Content-Length: 5", method="POST", body=b"firsthello")
        assert await client.head() == SWITCHED
        assert await client.reader.read() == b"welcomeyou said hello and I leave"


async def test_what_is_not_read_is_not_taken(plane: Plane, tmp_path: Path) -> None:
    chunk, count = b"x" * (1 << 16), 640
    sent = 0
    proceed = asyncio.Event()

    async def pour(asked: Asked) -> None:
        nonlocal sent
        await asked.say(SWITCHED)
        while sent < count:
            await asked.say(chunk)
            sent += 1
            if sent == 1:
                proceed.set()

    async with raw_aggregated(plane, tmp_path, pour), raw_client(plane) as client:
        client.ask(EXEC, *ASKING)
        assert await client.head() == SWITCHED
        await proceed.wait()
        assert await _stalls(lambda: sent) < count, "40 MB are in nobody's memory"
        assert len(await client.reader.readexactly(len(chunk) * count)) == len(chunk) * count


async def _stalls(counter: Callable[[], int]) -> int:
    """The count, once it has stopped rising."""
    last, same = -1, 0
    while same < 20:
        await asyncio.sleep(0.01)
        now = counter()
        last, same = (now, same + 1) if now == last else (now, 0)
    return last


async def test_a_client_that_leaves_ends_the_backends_connection(plane: Plane, tmp_path: Path) -> None:
    ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(asked: Asked) -> None:
        await asked.say(SWITCHED)
        ended.set_result(await asked.reader.read())

    async with raw_aggregated(plane, tmp_path, listen):
        async with raw_client(plane) as client:
            client.ask(EXEC, *ASKING)
            await client.head()
            client.writer.write(b"last words")
        assert await ended == b"last words"


async def test_a_refusal_is_passed_on_and_what_is_no_switch_is_503(plane: Plane, tmp_path: Path) -> None:
    status = b""

    async def answer_it(asked: Asked) -> None:
        if status:
            await asked.say(answer(b'{"kind":"Status"}', status=status))

    no_switch = b"invalid upgrade response: status code "
    expected = {
        b"403 Forbidden": (403, b'{"kind":"Status"}'),
        b"500 Internal Server Error": (500, b'{"kind":"Status"}'),
        b"200 OK": (503, no_switch + b"200\n"),
        b"302 Found": (503, no_switch + b"302\n"),
        b"": (503, b"EOF\n"),
    }
    async with raw_aggregated(plane, tmp_path, answer_it) as backend:
        for status, seen in expected.items():  # noqa: B007, the backend reads it
            async with raw_client(plane) as client:
                client.ask(EXEC, *ASKING)
                assert await client.response() == seen
    assert len(backend.seen) == len(expected), "a command is never run twice"


async def test_it_lasts_longer_than_a_request_may(plane: Plane, tmp_path: Path) -> None:
    async with raw_aggregated(plane, tmp_path, echo), raw_client(plane) as client:
        client.ask(f"{PATH}/namespaces/default/flunders/a/vnc?timeout=200ms", *ASKING)
        assert await client.head() == SWITCHED
        loop = asyncio.get_running_loop()
        late = loop.time() + 0.4
        while loop.time() < late:
            client.writer.write(b"ping")
            assert await client.reader.readexactly(4) == b"ping"


async def test_it_ends_with_the_server(plane: Plane, tmp_path: Path) -> None:
    async with raw_aggregated(plane, tmp_path, echo, dies=True), raw_client(plane) as client:
        client.ask(EXEC, *ASKING)
        await client.head()
        plane.in_flight.begin_drain()
        assert await client.reader.read() == b""


async def test_where_there_is_no_connection_to_take_over_it_is_said(plane: Plane, tmp_path: Path) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("nothing is read or sent")

    async with raw_aggregated(plane, tmp_path, echo):
        scope: Scope = {"type": "websocket", "path": PATH, "http_version": "2", "headers": [], "query_string": b""}
        context.ensure(scope).user = UserInfo("bob")
        with pytest.raises(StatusError, match="no connection to be taken over"):
            await plane.aggregator.generic(scope, never, never)  # type: ignore[arg-type]


class Shell:
    """An aggregated server on our own listener: a WebSocket that says back what it hears."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        assert (await receive())["type"] == "websocket.connect"
        if b"no=1" in scope["query_string"]:
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][0]})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "bytes": b"\x01" + (message["bytes"] or message["text"].encode())})
            if message.get("text") == "exit":
                await send({"type": "websocket.close", "code": 1000})
                return


async def test_a_websocket_session_runs_through_the_proxy(plane: Plane, tmp_path: Path) -> None:
    shell = Shell()
    async with aggregated(plane, tmp_path, shell), raw_client(plane) as client:
        session = WSConnection(ConnectionType.CLIENT)
        client.writer.write(session.send(Request(host="me", target=EXEC, subprotocols=["v5.channel.k8s.io"])))
        session.receive_data(await client.head())
        (accepted,) = session.events()
        assert isinstance(accepted, AcceptConnection)
        assert accepted.subprotocol == "v5.channel.k8s.io"
        big = bytes(range(256)) * 1024
        client.writer.write(session.send(BytesMessage(data=big)))
        heard = b""
        while len(heard) < len(big) + 1:
            session.receive_data(await client.reader.read(1 << 16))
            heard += b"".join(event.data for event in session.events() if isinstance(event, BytesMessage))
        assert heard == b"\x01" + big
        client.writer.write(session.send(TextMessage(data="exit")))
        events: list[object] = []
        while not any(isinstance(event, CloseConnection) for event in events):
            session.receive_data(await client.reader.read(1 << 16))
            events += session.events()
        client.writer.write(session.send(CloseConnection(code=1000)))
        assert await client.reader.read() == b""
    (scope,) = shell.scopes
    assert dict(scope["headers"])[b"x-remote-user"] == b"kubernetes-admin"


async def test_a_refused_websocket_is_refused_to_the_client(plane: Plane, tmp_path: Path) -> None:
    async with aggregated(plane, tmp_path, Shell()), raw_client(plane) as client:
        session = WSConnection(ConnectionType.CLIENT)
        client.writer.write(session.send(Request(host="me", target=f"{EXEC}&no=1")))
        session.receive_data(await client.head())
        refused = next(session.events())
        assert isinstance(refused, RejectConnection)
        assert refused.status_code == 403


async def test_a_websocket_of_a_client_that_speaks_http2(plane: Plane, tmp_path: Path) -> None:
    shell = Shell()
    asked = [(b":protocol", b"websocket"), (b"sec-websocket-version", b"13"), (b"sec-websocket-protocol", b"v5")]
    async with aggregated(plane, tmp_path, shell), harness.h2_client(plane.listener, plane.pki) as client:
        stream = client.request(method=b"CONNECT", path=EXEC.encode(), end=False, headers=asked)
        await client.until(lambda: client.statuses[stream] == [200])
        frames = Connection(ConnectionType.CLIENT)
        client.data(stream, frames.send(BytesMessage(data=b"ls")))
        await client.until(lambda: len(client.bodies[stream]) >= 5)
        frames.receive_data(bytes(client.bodies[stream]))
        (event,) = frames.events()
        assert isinstance(event, BytesMessage)
        assert event.data == b"\x01ls"
        client.reset(stream)
        await plane.until(lambda: plane.aggregator.connections.users == 0)
    (scope,) = shell.scopes
    assert dict(scope["headers"])[b"x-remote-user"] == b"kubernetes-admin"
