import asyncio

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.connection import Connection
from wsproto.events import AcceptConnection, CloseConnection, RejectConnection, Request, TextMessage

from generic.types import Receive, Scope, Send
from tests.integration.serving import harness
from trikube.pki import layout

pytestmark = pytest.mark.anyio


class Echo:
    """An app that says back what it hears, and keeps its scopes."""

    def __init__(self) -> None:
        self.scopes: list[Scope] = []
        self.left = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        assert (await receive())["type"] == "websocket.connect"
        if scope["path"] == "/no":
            await send({"type": "websocket.close"})
            return
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        self.left.set()


async def test_websocket_over_http1(pki: layout.Layout) -> None:
    app = Echo()
    async with harness.serving(pki, app) as server, harness.raw(server, pki) as client:
        protocol = WSConnection(ConnectionType.CLIENT)
        client.say(protocol.send(Request(host="localhost", target="/yes")))
        protocol.receive_data(await client.head())
        assert isinstance(next(protocol.events()), AcceptConnection)
        for text in ("one", "two"):
            client.say(protocol.send(TextMessage(data=text)))
            protocol.receive_data(await client.reader.read(1000))
            (event,) = protocol.events()
            assert isinstance(event, TextMessage)
            assert event.data == text
        client.say(protocol.send(CloseConnection(code=1000)))
        await app.left.wait()
        await client.end()
    assert app.scopes[0]["type"] == "websocket"
    assert app.scopes[0]["extensions"]["tls"]["client_cert_name"] == "CN=kubernetes-admin,O=system:masters"


async def test_a_refused_handshake_is_a_403(pki: layout.Layout) -> None:
    async with harness.serving(pki, Echo()) as server, harness.raw(server, pki) as client:
        protocol = WSConnection(ConnectionType.CLIENT)
        client.say(protocol.send(Request(host="localhost", target="/no")))
        protocol.receive_data(await client.head())
        event = next(protocol.events())
        assert isinstance(event, RejectConnection)
        assert event.status_code == 403
        await client.end()


async def test_a_malformed_handshake_is_refused_and_closed(pki: layout.Layout) -> None:
    async with harness.serving(pki, Echo()) as server, harness.raw(server, pki) as client:
        client.say(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
        assert (await client.response())[0] == 400
        assert await client.end() == b""


async def test_the_app_learns_that_the_client_left(pki: layout.Layout) -> None:
    app = Echo()
    async with harness.serving(pki, app) as server:
        async with harness.raw(server, pki) as client:
            protocol = WSConnection(ConnectionType.CLIENT)
            client.say(protocol.send(Request(host="localhost", target="/yes")))
            await client.head()
        await app.left.wait()
        await harness.until(lambda: not server._connections)


async def test_websocket_over_http2_beside_a_request(pki: layout.Layout) -> None:
    app = Echo()

    async def both(scope: Scope, receive: Receive, send: Send) -> None:
        await (app if scope["type"] == "websocket" else harness.hello)(scope, receive, send)

    async with harness.serving(pki, both) as server, harness.h2_client(server, pki) as client:
        stream = client.request(
            method=b"CONNECT",
            path=b"/yes",
            end=False,
            headers=[(b":protocol", b"websocket"), (b"sec-websocket-version", b"13")],
        )
        await client.until(lambda: client.statuses[stream] == [200])
        protocol = Connection(ConnectionType.CLIENT)
        client.data(stream, protocol.send(TextMessage(data="hello")))
        await client.until(lambda: len(client.bodies[stream]) == 7)
        protocol.receive_data(bytes(client.bodies[stream]))
        (event,) = protocol.events()
        assert isinstance(event, TextMessage)
        assert event.data == "hello"
        assert await client.answer(client.request()) == (200, b"ok")
        client.reset(stream)
        await app.left.wait()
        assert await client.answer(client.request()) == (200, b"ok")
