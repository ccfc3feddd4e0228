"""HTTP/2 on one connection: hypercorn's protocol on h2, with another way out and a tolerant stream table.

Made by `connection`. Changed against the base class: an app writes its own frames instead of handing them
to a sending task; a body's flow control follows its reading (`inbox`); an answer before the body's end
resets the stream, not the connection; shutdown is a GOAWAY that lets running streams finish; no request
limit, no outbound validation. Priorities are ignored, as RFC 9113 advises. Mirrors Go's `http2` server.
"""

import asyncio
import functools

import h2.events
import h2.exceptions
from h2.errors import ErrorCodes
from hypercorn.config import Config
from hypercorn.events import Closed, Event
from hypercorn.protocol import events
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.typing import ConnectionState
from hypercorn.typing import WorkerContext as Context
from hyperframe.frame import GoAwayFrame

from generic.serving import headers as header_rules
from generic.serving import http2_codec as codec
from generic.serving.errors import ClientDisconnected
from generic.serving.inbox import READ_AHEAD, Inbox, MessageInbox
from generic.serving.link import HIGH_WATER, Link, log
from generic.serving.stream import RequestStream, http_scope
from generic.serving.websocket import AppTasks, WebSocketStream, unused_app

_HANDLERS_PER_STREAM = 4
"""Running handlers for each allowed stream: a client that resets streams faster than they end is cut off, as in Go."""

_GONE = (h2.exceptions.ProtocolError, KeyError)
"""What h2 raises for a stream or connection that ended meanwhile."""


class HTTP2(H2Protocol):
    """The server's side of an HTTP/2 connection."""

    streams: dict[int, RequestStream | WebSocketStream]  # type: ignore[assignment]

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
        self.connection = codec.connection(link.options)
        self._windows: dict[int, asyncio.Future[None]] = {}
        self._discarding: dict[int, asyncio.TimerHandle] = {}
        """Streams answered while their client still sends: it is let finish, for a while."""
        self._last_accepted = 0
        self._leaving = False
        self._went_away = False
        link.pull = self.connection.data_to_send

    async def initiate(  # type: ignore[override]
        self, headers: None = None, settings: None = None
    ) -> None:
        self.connection.initiate_connection()
        # One unread body uses up its own window, never the connection's.
        streams = self.link.options.http2_max_streams_per_connection
        self.connection.increment_flow_control_window(codec.STREAM_WINDOW * streams)
        self.link.wrote(0)
        self.link.expire_in(self.link.options.header_timeout)

    async def received(self, data: bytes) -> None:
        """Take bytes. Never waits: what one stream does not read must not stop the others."""
        try:
            received = self.connection.receive_data(data)
        except h2.exceptions.ProtocolError:
            self.link.close()  # with the GOAWAY that h2 made of it
            return
        if codec.oversized(self.connection):
            self.connection.close_connection(ErrorCodes.FRAME_SIZE_ERROR)
            self.link.close()
            return
        for event in received:
            kind = type(event)
            if kind is h2.events.RequestReceived:
                await self._begin(event)  # type: ignore[arg-type]
            elif kind is h2.events.DataReceived:
                await self._data(event)  # type: ignore[arg-type]
            elif kind is h2.events.TrailersReceived:
                self._trailed(event)  # type: ignore[arg-type]
            elif kind is h2.events.StreamEnded:
                self._ended(event.stream_id)  # type: ignore[attr-defined]
            elif kind is h2.events.StreamReset:
                await self._close_stream(event.stream_id)  # type: ignore[attr-defined]
            elif kind is h2.events.WindowUpdated:
                self._opened(event.stream_id)  # type: ignore[attr-defined]
            elif kind is h2.events.RemoteSettingsChanged:
                self._opened(0)
            elif kind is h2.events.ConnectionTerminated:
                self.link.close()
        self.link.wrote(0)
        self.link.check_flood()

    async def lost(self) -> None:
        """The client left."""
        self.closed = True
        for timer in self._discarding.values():
            timer.cancel()
        for stream_id in list(self.streams):
            await self._close_stream(stream_id)
        self._opened(0)

    def drain(self) -> None:
        """Take no more streams; close when those that run are answered, or now.

        GOAWAY goes out when there is nothing more to answer or when the client wants another stream, not
        at once: clients on the Python h2 library fail what is in flight when they see one.
        """
        self._leaving = True
        self._leave_if_done()

    # Requests

    async def _begin(self, event: h2.events.RequestReceived) -> None:
        stream_id = event.stream_id
        assert stream_id is not None
        if self._leaving:
            self._turn_away(stream_id)
            return
        limit = self.link.options.http2_max_streams_per_connection * _HANDLERS_PER_STREAM
        if len(self.link.tasks) > limit:
            self.connection.close_connection(ErrorCodes.ENHANCE_YOUR_CALM)
            self.link.close()
            return
        self._last_accepted = stream_id
        pseudo, headers = codec.split(event.headers)
        method, target = pseudo.get(b":method", b""), pseudo.get(b":path", b"")
        try:
            if method == b"CONNECT":
                if pseudo.get(b":protocol") != b"websocket":
                    raise ValueError("not a WebSocket")
                await self._begin_websocket(stream_id, headers, target)
                return
            scope = http_scope(
                self.link, method=method.decode("ascii"), target=target, headers=headers, http_version="2"
            )
        except ValueError:
            self._refuse(stream_id)
            return
        self.link.busy()
        stream = RequestStream(self, self.link, stream_id, scope)
        self.streams[stream_id] = stream
        stream.start()

    async def _begin_websocket(self, stream_id: int, headers: header_rules.Headers, target: bytes) -> None:
        self.link.busy()
        stream = WebSocketStream(self.link, self.config, self.context, self.stream_send, stream_id)
        self.streams[stream_id] = stream
        await stream.handle(
            events.Request(
                stream_id=stream_id,
                headers=headers,
                http_version="2",
                method="CONNECT",
                raw_path=target,
                state=self.connection_state,
            )
        )
        if stream.closed:  # not a handshake: it is answered, and no app runs
            await self._close_stream(stream_id)

    async def _data(self, event: h2.events.DataReceived) -> None:
        stream_id, size = event.stream_id, event.flow_controlled_length
        assert stream_id is not None
        assert size is not None
        stream = self.streams.get(stream_id)
        if isinstance(stream, RequestStream):
            stream.inbox.push(event.data or b"")
        elif stream is not None:
            await stream.handle(events.Data(stream_id=stream_id, data=event.data or b""))
        if stream is None or stream.inbox.size <= READ_AHEAD or stream.inbox.gone:
            self._acknowledge(stream_id, size)
            return
        if not stream.inbox.held:
            stream.inbox.when_read(functools.partial(self._release, stream_id, stream.inbox))
        stream.inbox.held += size

    def _trailed(self, event: h2.events.TrailersReceived) -> None:
        stream = self.streams.get(event.stream_id or 0)
        if isinstance(stream, RequestStream):
            stream.inbox.trailers = header_rules.allowed_trailers(event.headers or ())

    def _release(self, stream_id: int, inbox: Inbox) -> None:
        size, inbox.held = inbox.held, 0
        self._acknowledge(stream_id, size)

    def _acknowledge(self, stream_id: int, size: int) -> None:
        if not self.closed:
            try:
                self.connection.acknowledge_received_data(size, stream_id)
            except _GONE:
                return
            self.link.wrote(0)

    def _refuse(self, stream_id: int) -> None:
        """Answer 400 to what is no request."""
        self.connection.send_headers(stream_id, [(b":status", b"400"), (b"content-length", b"0")], end_stream=True)
        self._reset(stream_id, ErrorCodes.NO_ERROR)

    def _turn_away(self, stream_id: int) -> None:
        """Refuse a stream so that its client tries it again elsewhere."""
        if not self._went_away:
            self._went_away = True
            # By hand: h2 takes a GOAWAY for the end, but the streams below go on.
            self.link.flush()
            self.link.write(GoAwayFrame(0, last_stream_id=self._last_accepted, error_code=0).serialize())
        self._reset(stream_id, ErrorCodes.REFUSED_STREAM)

    # Responses: the stream's `Wire`

    def send_start(self, stream: RequestStream, status: int, headers: header_rules.Headers) -> None:
        headers, closes = header_rules.for_http2(headers)
        self._headers(stream.stream_id, [(b":status", b"%d" % status), *headers])
        if closes:
            self._leaving = True

    async def send_body(self, stream: RequestStream, data: bytes, *, end: bool) -> None:
        await self._send(stream.stream_id, data, end=end)

    def send_informational(self, stream: RequestStream, status: int, headers: header_rules.Headers) -> None:
        self._headers(stream.stream_id, [(b":status", b"%d" % status), *headers])

    async def send_trailers(self, stream: RequestStream, headers: header_rules.Headers) -> None:
        if headers:
            self._headers(stream.stream_id, headers, end=True)
        else:
            await self._send(stream.stream_id, b"", end=True)

    def _headers(self, stream_id: int, headers: header_rules.Headers, *, end: bool = False) -> None:
        try:
            self.connection.send_headers(stream_id, headers, end_stream=end)
        except _GONE as error:
            raise ClientDisconnected("the client left") from error
        self.link.wrote(0)

    def reading(self, stream: RequestStream) -> None:
        if any(name == b"expect" for name, _ in stream.scope["headers"]) and not (stream.gone or stream.begun):
            try:
                self.connection.send_headers(stream.stream_id, [(b":status", b"100")])
            except _GONE:
                return  # the response has begun
            self.link.wrote(0)

    def finished(self, stream: RequestStream) -> None:
        stream_id = stream.stream_id
        if not stream.inbox.ended and not self.closed:
            # A reset would do (RFC 9113, 8.1), but clients on httpx wait for ever when it comes midway.
            self._discarding[stream_id] = self.link.loop.call_later(
                self.link.options.linger_timeout, self._discarded, stream_id
            )
        self._forget(stream_id)

    def aborted(self, stream: RequestStream) -> None:
        self._reset(stream.stream_id, ErrorCodes.INTERNAL_ERROR)
        self._forget(stream.stream_id)

    async def stream_send(self, event: events.Event) -> None:
        """What hypercorn's WebSocket stream sends."""
        try:
            if isinstance(event, events.Response):
                headers = [header for header in event.headers if header[0] != b"connection"]
                self.connection.send_headers(event.stream_id, [(b":status", b"%d" % event.status_code), *headers])
                self.link.wrote(0)
            elif isinstance(event, (events.Body, events.Data)):
                await self._send(event.stream_id, event.data, end=False)
            elif isinstance(event, (events.EndBody, events.EndData)):
                await self._send(event.stream_id, b"", end=True)
            elif isinstance(event, events.StreamClosed):
                await self._close_stream(event.stream_id)
                self._reset(event.stream_id, ErrorCodes.NO_ERROR)
        except (ClientDisconnected, *_GONE):
            return

    async def _send(self, stream_id: int, data: bytes, *, end: bool) -> None:
        connection, link = self.connection, self.link
        total, sent = len(data), 0
        view: bytes | memoryview = data
        try:
            while True:
                if link.congested:
                    await link.room()
                window = connection.local_flow_control_window(stream_id)
                size = min(total - sent, window, connection.max_outbound_frame_size, HIGH_WATER)
                if size == total:  # nearly always
                    connection.send_data(stream_id, data, end)
                    link.wrote(size)
                    break
                if size > 0:
                    if view is data:
                        view = memoryview(data)
                    last = sent + size == total
                    connection.send_data(stream_id, view[sent : sent + size], end and last)
                    sent += size
                    link.wrote(size)
                    if last:
                        break
                else:
                    await self._window(stream_id)
        except _GONE as error:
            raise ClientDisconnected("the client left") from error

    async def _window(self, stream_id: int) -> None:
        """Wait until the client may have room for more of this stream. Raises ClientDisconnected."""
        if self.closed or stream_id not in self.streams:
            raise ClientDisconnected("the client left")
        window = self.link.loop.create_future()
        # A new entry goes to the end: whoever waits longest is woken first, so streams take turns.
        self._windows[stream_id] = window
        await window
        if self.closed or stream_id not in self.streams:
            raise ClientDisconnected("the client left")

    def _opened(self, stream_id: int | None) -> None:
        if stream_id:
            waiting = self._windows.pop(stream_id, None)
            futures = [waiting] if waiting is not None else []
        else:
            futures = list(self._windows.values())
            self._windows.clear()
        for future in futures:
            if not future.done():
                future.set_result(None)

    # The end of a stream, and of the connection

    def _ended(self, stream_id: int) -> None:
        """The client has sent its whole body."""
        stream = self.streams.get(stream_id)
        if isinstance(stream, RequestStream):
            stream.inbox.end()
        elif stream is not None:
            stream.ended()
        else:
            self._discarded(stream_id)

    def _discarded(self, stream_id: int) -> None:
        """No more is read of a body that nobody wanted."""
        timer = self._discarding.pop(stream_id, None)
        if timer is not None:
            timer.cancel()
            self._reset(stream_id, ErrorCodes.NO_ERROR)
            self._leave_if_done()

    async def _close_stream(self, stream_id: int) -> None:
        """The client gave a stream up."""
        stream = self.streams.get(stream_id)
        if stream is None:
            self._discarded(stream_id)
            return
        self._forget(stream_id)
        if isinstance(stream, RequestStream):
            stream.disconnect()
        else:
            await stream.lost()

    def _forget(self, stream_id: int) -> None:
        if self.streams.pop(stream_id, None) is None:
            return
        if self._windows:
            self._opened(stream_id)
        if not self.streams:
            self.link.idle()
            self._leave_if_done()

    def _leave_if_done(self) -> None:
        if self._leaving and not self.streams and not self._discarding:
            self._say_goodbye()

    def _reset(self, stream_id: int, code: ErrorCodes) -> None:
        try:
            self.connection.reset_stream(stream_id, code)
        except _GONE:
            return
        self.link.wrote(0)

    def _say_goodbye(self) -> None:
        try:
            self.connection.close_connection(last_stream_id=self._last_accepted)
        except h2.exceptions.ProtocolError:
            log.debug("the connection was closed already")
        self.link.close()

    async def _event(self, event: Event) -> None:
        if isinstance(event, Closed):
            self.link.close()
