"""HTTP/1.1 on one connection: hypercorn's protocol on h11, made to survive its clients.

Made by `connection`. Changed against the base class: the request body's flow control (`inbox`), answers
sent before the body is read, `100 Continue` only when the app wants the body, pipelined requests that do
not hide a client's leaving, the head's time-out, no request limit per connection, no outbound validation,
connections that an app takes over (`raw`).
Mirrors the behaviour of Go's `net/http` server.
"""

import asyncio
from http import HTTPStatus

import h11
from h11._headers import Headers as H11Headers
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData
from hypercorn.protocol import events
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol, H11WSConnection
from hypercorn.typing import ConnectionState
from hypercorn.typing import WorkerContext as Context

from generic.serving import headers as header_rules
from generic.serving.errors import ClientDisconnected
from generic.serving.inbox import READ_AHEAD, MessageInbox
from generic.serving.link import HIGH_WATER, Link
from generic.serving.raw import EXTENSION, RawConnection, informational, switching
from generic.serving.stream import RequestStream, http_scope
from generic.serving.websocket import AppTasks, WebSocketStream, unused_app

_DISCARD = 256 << 10
"""An unread body announced to be this small is read and dropped, and the connection kept, as Go does."""
_PIPELINED = 64 << 10
"""Bytes of further requests held while one is being answered."""

_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


class HTTP1(H11Protocol):
    """The server's side of an HTTP/1.1 connection."""

    stream: RequestStream | WebSocketStream | None  # type: ignore[assignment]

    def __init__(self, link: Link, config: Config, context: Context) -> None:
        super().__init__(
            unused_app,
            config,
            context,
            AppTasks(link, MessageInbox()),
            ConnectionState({}),
            True,
            link.client,
            link.server,
            self._event,
        )
        self.link = link
        self._head_begun = False
        self._lingering = False
        self._close_after = False
        self._raw: RawConnection | None = None
        self._next_turn: asyncio.Future[None] | None = None

    async def initiate(self) -> None:
        self.link.expire_in(self.link.options.header_timeout)

    async def received(self, data: bytes) -> None:
        """Take bytes; returns when the connection may be read further."""
        if self._lingering:
            return
        if self._raw is not None:
            self._raw.push(data)
            if self._raw.size > READ_AHEAD:
                await self._raw.room()
            return
        self.connection.receive_data(data)
        paused = await self._advance()
        stream = self.stream
        if stream is None:
            if not self._head_begun and not self._lingering and self.connection.their_state is h11.IDLE:
                # Whatever trickles in later does not extend it.
                self._head_begun = True
                self.link.expire_in(self.link.options.header_timeout)
        elif stream.inbox.size > READ_AHEAD:
            await stream.inbox.room()
        elif paused and len(self.connection.trailing_data[0]) > _PIPELINED:
            self._next_turn = self.link.loop.create_future()
            await self._next_turn

    async def lost(self) -> None:
        """The client left."""
        if self._raw is not None:
            self._raw.disconnect()
        if isinstance(self.stream, RequestStream):
            self.stream.disconnect()
        elif self.stream is not None:
            await self.stream.lost()
        self.stream = None
        self._turn()

    def drain(self) -> None:
        """Close when the request that runs is answered, or now."""
        if self.stream is None and not self._lingering:
            self.link.close()

    # Requests

    async def _advance(self) -> bool:
        """Take the events of all that was received; True if there is more, for which it is too early."""
        while True:
            try:
                event = self.connection.next_event()
            except h11.RemoteProtocolError as error:
                self._refuse(error.error_status_hint)
                return False
            if event is h11.NEED_DATA:
                return False
            if event is h11.PAUSED:
                return True
            if isinstance(event, h11.Request):
                await self._begin(event)
                if self._lingering:
                    return False
            elif isinstance(event, h11.Data):
                if isinstance(self.stream, RequestStream):
                    self.stream.inbox.push(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                if self.stream is None:
                    self._recycle()
                elif isinstance(self.stream, RequestStream):
                    if event.headers:
                        self.stream.inbox.trailers = header_rules.allowed_trailers(event.headers)
                    self.stream.inbox.end()
            elif isinstance(event, events.Data):
                if isinstance(self.stream, WebSocketStream):
                    await self.stream.handle(event)
            else:
                return False  # h11.ConnectionClosed

    async def _begin(self, request: h11.Request) -> None:
        self._head_begun = False
        headers = list(request.headers)
        method = request.method.decode("ascii")
        upgrade = b""
        small = True
        for name, value in headers:
            if name == b"upgrade":
                upgrade = value
            elif name == b"content-length":
                small = int(value) <= _DISCARD
            elif name == b"transfer-encoding":
                small = False
        self._close_after = not small
        if request.http_version not in {b"1.1", b"1.0"}:
            self._refuse(505, head=method == "HEAD")
            return
        self.link.busy()
        if upgrade.lower() == b"websocket" and method == "GET":
            await self._begin_websocket(request, headers)
            return
        version = request.http_version.decode()
        try:
            scope = http_scope(self.link, method=method, target=request.target, headers=headers, http_version=version)
        except ValueError:
            self._refuse(400, head=method == "HEAD")
            return
        if upgrade:
            scope["extensions"][EXTENSION] = self._take_over
        stream = RequestStream(self, self.link, STREAM_ID, scope)
        self.stream = stream
        stream.start()

    async def _begin_websocket(self, request: h11.Request, headers: header_rules.Headers) -> None:
        assert isinstance(self.connection, h11.Connection)
        stream = WebSocketStream(
            self.link, self.config, self.context, self.stream_send, STREAM_ID, take_over=self._take_over
        )
        self.stream = stream
        self.connection = H11WSConnection(self.connection)
        await stream.handle(
            events.Request(
                stream_id=STREAM_ID,
                headers=headers,
                http_version=request.http_version.decode(),
                method="GET",
                raw_path=request.target,
                state=self.connection_state,
            )
        )
        if stream.closed:  # not a handshake: it is answered, and no app runs
            self.stream = None
            self.link.close()

    async def _take_over(self, reason: bytes, headers: header_rules.Headers) -> RawConnection:
        """An app's own answer to an upgrade; what comes from now on is for it alone. Raises ClientDisconnected."""
        stream, connection = self.stream, self.connection
        if stream is None or self.link.closing:
            raise ClientDisconnected("the client left")
        if connection.their_state is h11.SEND_BODY:
            raise RuntimeError("the body of the request has to be read before the connection is taken over")
        head = switching(reason, headers)
        stream.hand_over()
        held = connection.buffer if isinstance(connection, H11WSConnection) else connection.trailing_data[0]
        self._raw = RawConnection(self._send_raw, bytes(held))
        self.link.write(head)
        self._turn()
        return self._raw

    async def _send_raw(self, data: bytes) -> None:
        self.link.write(data)
        if self.link.congested:
            await self.link.room()

    def _refuse(self, status: int, *, head: bool = False) -> None:
        """Answer what is no request, and close; `head` without a body."""
        if self.connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            body = b"%d %s" % (status, _REASONS[status])
            self._head(
                status,
                [
                    (b"content-type", b"text/plain; charset=utf-8"),
                    (b"connection", b"close"),
                    (b"content-length", b"%d" % len(body)),
                    (b"date", header_rules.now()),
                ],
            )
            if not head:
                self.link.write(body)
        stream, self.stream = self.stream, None
        if isinstance(stream, RequestStream):
            stream.disconnect()
        self._linger()

    # Responses: the stream's `Wire`

    def send_start(self, stream: RequestStream, status: int, headers: header_rules.Headers) -> None:
        connection = self.connection
        # A client that has not been told to send its body may or may not still send it: h11 cannot know.
        unread = connection.their_state is h11.SEND_BODY
        if self.link.draining or (unread and (self._close_after or connection.they_are_waiting_for_100_continue)):
            headers = [header for header in headers if header[0] != b"connection"]
            headers.append((b"connection", b"close"))
        try:
            self._head(status, headers)
        except h11.LocalProtocolError as error:
            raise RuntimeError(f"malformed response: {error}") from error

    async def send_body(self, stream: RequestStream, data: bytes, *, end: bool) -> None:
        if self.link.congested:
            await self._room(stream)
        if len(data) <= HIGH_WATER:
            if data:
                self._body(data)
        else:
            # In slices, so that a large response neither stops the others nor is held twice.
            view = memoryview(data)
            for start in range(0, len(data), HIGH_WATER):
                if self.link.congested:
                    await self._room(stream)
                self._body(view[start : start + HIGH_WATER])
        if end:
            self._end()

    def send_informational(self, stream: RequestStream, status: int, headers: header_rules.Headers) -> None:
        # By hand: h11 would take it for the `100 Continue` that the client may still be waiting for.
        self.link.write(informational(status, _REASONS.get(status, b""), headers))

    async def send_trailers(self, stream: RequestStream, headers: header_rules.Headers) -> None:
        self._end(headers)

    def reading(self, stream: RequestStream) -> None:
        if self.stream is stream and self.connection.they_are_waiting_for_100_continue:
            assert isinstance(self.connection, h11.Connection)
            data = self.connection.send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
            if data:
                self.link.write(data)

    def finished(self, stream: RequestStream) -> None:
        if self.stream is stream:
            self.stream = None
            self._recycle()

    def aborted(self, stream: RequestStream) -> None:
        if self.stream is stream:
            self.stream = None
            # Without the end of the body the client can tell; nothing else can be said any more.
            self.link.close()
            self._turn()

    async def stream_send(self, event: events.Event) -> None:
        """What hypercorn's WebSocket stream sends."""
        if isinstance(event, events.StreamClosed):
            if isinstance(self.stream, WebSocketStream):
                await self.stream.lost()
            self.stream = None
            self.link.close()
        elif not self.link.closing:
            await super().stream_send(event)
            await self.link.room()

    def _head(self, status: int, headers: header_rules.Headers) -> None:
        # Ready-made headers: h11 would check every name and value again with a regular expression.
        ready = H11Headers([(name, name, value) for name, value in headers])
        data = self.connection.send(h11.Response(status_code=status, headers=ready, reason=_REASONS.get(status, b"")))
        if data:
            self.link.write(data)

    def _body(self, data: bytes | memoryview) -> None:
        try:
            assert isinstance(self.connection, h11.Connection)
            parts = self.connection.send_with_data_passthrough(h11.Data(data=data))  # type: ignore[arg-type]
        except h11.LocalProtocolError as error:
            raise RuntimeError(f"malformed response: {error}") from error
        for part in parts or ():
            self.link.write(part)

    def _end(self, trailers: header_rules.Headers | None = None) -> None:
        try:
            end = h11.EndOfMessage(headers=trailers) if trailers else h11.EndOfMessage()
            data = self.connection.send(end)
        except h11.LocalProtocolError as error:
            raise RuntimeError(f"malformed response: {error}") from error
        if data:
            self.link.write(data)

    async def _room(self, stream: RequestStream) -> None:
        await self.link.room()
        if stream.gone:
            raise ClientDisconnected("the client left")

    # The connection after a response

    def _recycle(self) -> None:
        connection = self.connection
        assert isinstance(connection, h11.Connection)
        if connection.our_state is h11.DONE and connection.their_state is h11.DONE and not self.link.draining:
            connection.start_next_cycle()
            self.link.idle()
            self._turn()
            if connection.trailing_data[0]:
                self.link.spawn(self._pipelined())
        elif connection.our_state is h11.DONE and connection.their_state is h11.SEND_BODY:
            # The rest of the body comes and is dropped; its end brings us back here.
            self.link.expire_in(self.link.options.header_timeout)
        elif connection.their_state is h11.SEND_BODY:
            self._linger()
        else:
            self.link.close()
            self._turn()

    async def _pipelined(self) -> None:
        await self._advance()

    def _linger(self) -> None:
        """Close, but go on reading a little: closing on a client that sends makes it lose our answer."""
        self._lingering = True
        self._turn()
        self.link.expire_in(self.link.options.linger_timeout)

    def _turn(self) -> None:
        if self._next_turn is not None:
            if not self._next_turn.done():
                self._next_turn.set_result(None)
            self._next_turn = None

    async def _event(self, event: Event) -> None:
        if isinstance(event, RawData):
            self.link.write(event.data)
        elif isinstance(event, Closed):
            self.link.close()
