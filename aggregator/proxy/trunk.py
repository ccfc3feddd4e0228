"""Trunk: one connection to a backend over HTTP/2, on which any number of requests is under way.

Opened by `trunks.py`; carries the requests of `stream.py`. What a request's reader has not taken stops that request's
sender, and no other: the window of the connection is that of all streams together. Mirrors ClientConn of Go's
`net/http` HTTP/2 transport.
"""

import asyncio
import logging
from contextlib import suppress
from typing import Protocol

import h2.errors
import h2.events
import h2.exceptions

from aggregator.proxy import http2_codec as codec
from aggregator.proxy.dialing import Dialed
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.headers import Headers
from generic.client.resolving import Address

READ_IDLE_SECONDS, PING_SECONDS = 30.0, 15.0
"""After so long a silence it is asked whether the backend is there, and given up so much later: as in client-go."""
MOST_STREAMS = 250
_READ, _LITTLE = 16 << 10, 2 << 10
"""Bytes taken at once; little after the last took longer than a turn should: the smallest frames cost the most."""
_TURN_SECONDS = 0.002
_HIGH_WATER = 128 << 10
"""Unsent bytes at which whoever sends more must wait."""
_FLOOD = 2 << 20
"""Unsent bytes that only answers to control frames can amount to."""
_MOST_VAIN = 64 << 10
"""Bytes of frames that bring no request on, in a row or in one read-idle time."""
_LAST_STREAM_ID = (1 << 31) - 1000

_LOG = logging.getLogger(__name__)


class Unprocessed(Unreachable):
    """The backend has said that it has seen nothing of the request: anybody may be asked instead."""

    def __init__(self, message: str, address: Address) -> None:
        super().__init__(message, address, dialing=True)


class Branch(Protocol):
    """What a trunk tells its streams."""

    def begun(self, headers: Headers) -> None:
        """The final response has begun."""

    def informed(self, headers: Headers) -> None:
        """A 1xx response."""

    def pushed(self, data: bytes, size: int) -> None:
        """A part of the body; `size` in terms of flow control."""

    def trailed(self, headers: Headers) -> None:
        """The trailers."""

    def ended(self) -> None:
        """The response is complete."""

    def reset(self, error: Unreachable) -> None:
        """The backend has ended it."""

    def failed(self, error: Unreachable) -> None:
        """The connection is gone."""


class Trunk:
    """A connection. `takes_more` says whether another request may be begun on it."""

    def __init__(self, dialed: Dialed, address: Address) -> None:
        self.address = address
        self.used = False
        """It has answered something."""
        self._reader, self._writer = dialed.reader, dialed.writer
        self._transport = dialed.writer.transport
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._loop = asyncio.get_running_loop()
        self._h2 = codec.connection()
        self._branches: dict[int, Branch] = {}
        self._windows: dict[int, asyncio.Future[None]] = {}
        self._settled: asyncio.Future[None] = self._loop.create_future()
        self._unsent = 0
        self._scheduled = False
        self._leaving = False
        self._goaway = ""
        """What a GOAWAY said."""
        self._closed = False
        self._vain = 0
        self._heard_at = self.idle_since = self._loop.time()
        self._pinged_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Exchange settings. Raises Unreachable."""
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(codec.STREAM_WINDOW * MOST_STREAMS)
        self._wrote(0)
        self._reading = self._loop.create_task(self._read(), name=f"http2 {self.address}")
        self._timer = self._loop.call_later(READ_IDLE_SECONDS, self._check)
        await self._settled

    @property
    def takes_more(self) -> bool:
        if self._closed or self._leaving or self._h2.highest_outbound_stream_id >= _LAST_STREAM_ID:
            return False
        return len(self._branches) < min(self._h2.remote_settings.max_concurrent_streams, MOST_STREAMS)

    @property
    def idle(self) -> bool:
        return not self._branches

    @property
    def closed(self) -> bool:
        return self._closed

    # What streams ask for

    def begin(self, branch: Branch, headers: Headers, *, end: bool) -> int:
        """Send the head of a request. Raises Unprocessed."""
        most = self._h2.remote_settings.max_header_list_size
        if most is not None and sum(len(name) + len(value) + 32 for name, value in headers) > most:
            raise Unreachable("http2: request header list larger than peer's advertised limit", self.address)
        try:
            number = self._h2.get_next_available_stream_id()
            self._h2.send_headers(number, headers, end_stream=end)
        except h2.exceptions.ProtocolError as error:
            raise Unprocessed("http2: client conn not usable", self.address) from error
        self._branches[number] = branch
        self._wrote(0)
        return number

    async def send(self, number: int, data: bytes) -> None:
        """Send a part of a body, at the pace of the backend. Raises an OSError when it is not wanted any more."""
        view = memoryview(data)
        while view:
            self._still(number)
            if self._unsent >= _HIGH_WATER or self._transport.get_write_buffer_size() >= _HIGH_WATER:
                self._flush()
                await self._writer.drain()
            self._still(number)
            try:
                size = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size, len(view))
                if size > 0:
                    self._h2.send_data(number, view[:size])
            except codec.GONE as error:
                raise ConnectionResetError("the stream is over") from error
            if size > 0:
                view = view[size:]
                self._vain = 0
                self._wrote(size)
            else:
                # A new entry goes to the end: whoever waits longest is woken first, so streams take turns.
                self._windows[number] = self._loop.create_future()
                await self._windows[number]

    def finish(self, number: int, trailers: Headers) -> None:
        """The body is complete. Raises an OSError when it is not wanted any more."""
        self._still(number)
        try:
            if trailers:
                self._h2.send_headers(number, trailers, end_stream=True)
            else:
                self._h2.end_stream(number)
        except codec.GONE as error:
            raise ConnectionResetError("the stream is over") from error
        self._wrote(0)

    def acknowledge(self, number: int, size: int) -> None:
        """So much of a body has been taken: more may come."""
        if not self._closed and size:
            self._h2.acknowledge_received_data(size, number)
            self._wrote(0)

    def leave(self, number: int, *, complete: bool) -> None:
        """Nobody wants anything of this request any more; `complete`: nothing of it is left on either side."""
        self._branches.pop(number, None)
        self._wake(number)
        if self._closed:
            return
        if not complete:
            # What is on its way for it comes in vain.
            self._vain -= codec.STREAM_WINDOW
            with suppress(*codec.GONE):  # it may be over on the other side
                self._h2.reset_stream(number, h2.errors.ErrorCodes.CANCEL)
            self._wrote(0)
        if not self._branches:
            self.idle_since = self._loop.time()
            if self._leaving:
                self.close()

    def _still(self, number: int) -> None:
        if self._closed or number not in self._branches:
            raise ConnectionResetError("the stream is over")

    # Its end

    def close(self) -> None:
        """Say goodbye and close; what still runs fails."""
        if not self._closed:
            with suppress(h2.exceptions.ProtocolError):  # it has been said
                self._h2.close_connection()
            self._flush()
            self._fail("http2: client connection force closed via ClientConn.Close")
            self._transport.close()

    def abort(self) -> None:
        """Close at once; what still runs fails."""
        self._fail("http2: client connection force closed via ClientConn.Close")
        self._transport.abort()

    def _fail(self, why: str) -> None:
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if not self._settled.done():
            self._settled.set_exception(Unreachable(why, self.address, dialing=True))
            self._settled.exception()  # whoever waited may have gone
        branches = list(self._branches.values())
        self._branches.clear()
        for branch in branches:
            branch.failed(Unreachable(why, self.address))
        self._wake_all()

    # Reading

    async def _read(self) -> None:
        why, size, time = "", _READ, self._loop.time
        try:
            while not why and (data := await self._reader.read(size)):
                self._heard_at = time()
                why = self._receive(data)
                more = len(data) == size
                size = _LITTLE if time() - self._heard_at > _TURN_SECONDS else _READ
                if more:
                    await asyncio.sleep(0)  # others have their turn first
        except OSError:
            why = f"read tcp {self.address}: connection reset by peer"
        except Exception:
            _LOG.exception("HTTP/2 connection to %s failed", self.address)
            why = "connection error: INTERNAL_ERROR"
        self._flush()
        self._fail(self._goaway or why or "unexpected EOF")
        self._transport.close()

    def _receive(self, data: bytes) -> str:
        """Take bytes; says what is wrong with them, if anything."""
        self._vain += len(data)
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.DenialOfServiceError:
            return "http2: response header list larger than advertised limit"
        except h2.exceptions.ProtocolError as error:
            return f"connection error: {codec.code(error.error_code)}"
        for event in events:
            self._take(event)
        if self._closed:
            return self._goaway
        if codec.oversized(self._h2):
            return "connection error: FRAME_SIZE_ERROR"
        if self._vain > _MOST_VAIN or self._unsent + self._transport.get_write_buffer_size() > _FLOOD:
            return "connection error: ENHANCE_YOUR_CALM"
        self._wrote(0)
        return ""

    def _take(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.DataReceived(stream_id=number, data=data, flow_controlled_length=size):
                self._data(number or 0, data or b"", size or 0)
            case h2.events.ResponseReceived(stream_id=number, headers=headers):
                self._vain = 0
                self.used = True
                if branch := self._branches.get(number or 0):
                    branch.begun(headers or [])
            case h2.events.InformationalResponseReceived(stream_id=number, headers=headers):
                if branch := self._branches.get(number or 0):
                    branch.informed(headers or [])
            case h2.events.TrailersReceived(stream_id=number, headers=headers):
                if branch := self._branches.get(number or 0):
                    branch.trailed(headers or [])
            case h2.events.StreamEnded(stream_id=number):
                if branch := self._branches.get(number or 0):
                    branch.ended()
            case h2.events.StreamReset(stream_id=number, error_code=code):
                self._reset(number or 0, int(code or 0))
            case h2.events.WindowUpdated(stream_id=number):
                self._wake(number) if number else self._wake_all()
            case h2.events.RemoteSettingsChanged():
                if not self._settled.done():
                    self._settled.set_result(None)
                self._wake_all()
            case h2.events.ConnectionTerminated(error_code=code, last_stream_id=last):
                self._go_away(int(code or 0), last or 0)

    def _data(self, number: int, data: bytes, size: int) -> None:
        branch = self._branches.get(number)
        if branch is None:
            self.acknowledge(number, size)
        elif data:
            self._vain = 0
            branch.pushed(data, size)
        else:
            self.acknowledge(number, size)  # of padding alone

    def _reset(self, number: int, code: int) -> None:
        branch = self._branches.pop(number, None)
        self._wake(number)
        if branch is None:
            return
        why = f"stream error: stream ID {number}; {codec.code(code)}; received from peer"
        refused = code == h2.errors.ErrorCodes.REFUSED_STREAM
        branch.reset(Unprocessed(why, self.address) if refused else Unreachable(why, self.address))
        self.leave(number, complete=True)

    def _go_away(self, code: int, last: int) -> None:
        """No more requests here. Those after `last` were not looked at; the others are answered."""
        self._leaving = True
        said = f'LastStreamID={last}, ErrCode={codec.code(code)}, debug=""'
        self._goaway = f"http2: server sent GOAWAY and closed the connection; {said}"
        for number in [one for one in self._branches if one > last]:
            branch = self._branches.pop(number)
            branch.reset(Unprocessed("http2: Transport received Server's graceful shutdown GOAWAY", self.address))
            self._wake(number)
        if not self._branches:
            self._fail(self._goaway)
            self._transport.close()

    # Writing: collected, and sent once a turn of the event loop for all streams together

    def _wrote(self, size: int) -> None:
        self._unsent += size
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._scheduled = False
        self._flush()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        self._unsent = 0
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def _wake(self, number: int) -> None:
        waiting = self._windows.pop(number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _wake_all(self) -> None:
        for number in list(self._windows):
            self._wake(number)

    def _check(self) -> None:
        """Whether the backend is still there, now and then."""
        now = self._loop.time()
        self._vain = min(self._vain, 0)
        due = self._heard_at + READ_IDLE_SECONDS
        if now >= due and self._pinged_at > self._heard_at:
            self._fail("http2: client connection lost")
            self._transport.abort()
            return
        if now >= due:
            self._pinged_at, due = now, now + PING_SECONDS
            self._h2.ping(b"trikube.")
            self._wrote(0)
        self._timer = self._loop.call_at(due, self._check)
