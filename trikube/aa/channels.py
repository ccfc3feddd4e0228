"""Several streams on one WebSocket: the first byte of a message is its channel.

Handed out by `Connection.channels` and `Connection.ports`. Mirrors `apimachinery/pkg/util/remotecommand`
(v4 and v5.channel.k8s.io) and `kubelet/pkg/cri/streaming/portforward/websocket.go`.
"""

from collections.abc import AsyncIterator, Sequence

import orjson
from starlette.websockets import WebSocket

from generic.meta.errors import StatusError
from generic.types import JSONObject

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
"""Channels of exec and attach. On ERROR goes, once and last, a Status; CLOSE names a channel that is at its end."""

EXEC = ("v5.channel.k8s.io", "v4.channel.k8s.io", "channel.k8s.io")
PORT_FORWARD = ("v4.channel.k8s.io",)


class Channels:
    """Those of exec and attach. Whoever writes raises starlette's WebSocketDisconnect if the client left."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.size: tuple[int, int] | None = None
        """Columns and rows of the client's terminal, as it said last."""

    async def stdout(self, data: bytes | str) -> None:
        """Write to the client's standard output."""
        await _send(self.socket, STDOUT, data)

    async def stderr(self, data: bytes | str) -> None:
        """Write to the client's standard error."""
        await _send(self.socket, STDERR, data)

    async def stdin(self) -> AsyncIterator[bytes]:
        """What the client has on standard input, to its end; `size` changes meanwhile."""
        while (message := await _receive(self.socket)) is not None:
            channel, data = message
            if channel == STDIN:
                yield data
            elif channel == RESIZE:
                self.size = _size(data) or self.size

    async def exit(self, code: int = 0) -> None:
        """Say how it ended, as a process does, and close."""
        status: JSONObject = {"metadata": {}, "status": "Success"}
        if code:
            causes = [{"reason": "ExitCode", "message": str(code)}]
            why = f"command terminated with non-zero exit code: exit status {code}"
            status = {"metadata": {}, "status": "Failure", "message": why, "reason": "NonZeroExitCode"}
            status["details"] = {"causes": causes}
        await self._end(status)

    async def fail(self, error: StatusError) -> None:
        """Say why it does not go on, and close. Called by the machinery for what a method raises."""
        await self._end(error.to_status())

    async def _end(self, status: JSONObject) -> None:
        await _send(self.socket, ERROR, orjson.dumps(status))
        await self.socket.close()


class Ports:
    """Forwarded ports: two channels each, one of data and one on which is said why there are none."""

    def __init__(self, socket: WebSocket, numbers: Sequence[int]) -> None:
        self.socket = socket
        self.numbers = tuple(numbers)

    async def open(self) -> None:
        """Say which channel is which. Called by the machinery."""
        for channel in range(2 * len(self.numbers)):
            await _send(self.socket, channel, self.numbers[channel // 2].to_bytes(2, "little"))

    async def send(self, port: int, data: bytes | str) -> None:
        """Raises starlette's WebSocketDisconnect if the client left."""
        await _send(self.socket, 2 * self.numbers.index(port), data)

    async def fail(self, port: int, why: str) -> None:
        """Tell the client why a port cannot be used."""
        await _send(self.socket, 2 * self.numbers.index(port) + 1, why)

    async def received(self) -> AsyncIterator[tuple[int, bytes]]:
        """What the client sends, each piece with its port, until it leaves."""
        while (message := await _receive(self.socket)) is not None:
            channel, data = message
            if channel % 2 == 0 and channel // 2 < len(self.numbers) and data:
                yield self.numbers[channel // 2], data


async def _send(socket: WebSocket, channel: int, data: bytes | str) -> None:
    body = data.encode() if isinstance(data, str) else data
    await socket.send_bytes(bytes((channel,)) + body)


async def _receive(socket: WebSocket) -> tuple[int, bytes] | None:
    """The next message; None when the client left, or has no more to say on channel 0."""
    while True:
        message = await socket.receive()
        if message["type"] != "websocket.receive":
            return None
        body = message.get("bytes") or (message.get("text") or "").encode()
        if body[:2] == bytes((CLOSE, STDIN)):
            return None
        if body:
            return body[0], body[1:]


def _size(data: bytes) -> tuple[int, int] | None:
    try:
        said = orjson.loads(data)
        return int(said["Width"]), int(said["Height"])
    except (ValueError, KeyError, TypeError):
        return None
