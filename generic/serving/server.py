"""The listener: binds, serves every client that comes, and shuts down in the order its caller chooses.

Made by whoever runs a server (`generic` servers, aggregated API servers). Mirrors `SecureServingInfo.Serve`
of `apiserver/pkg/server/secure_serving.go`, whose limits are the defaults.
"""

import asyncio
import errno
import ipaddress
import os
import socket

from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from generic.serving.connection import Connection
from generic.serving.errors import ServingError
from generic.serving.link import log
from generic.serving.options import SecureServingOptions
from generic.serving.tls import Certificates
from generic.types import ASGIApp

_BACKLOG = 1024
_CLOSING = 1.0
"""Seconds for the clients just answered to take their last bytes."""


class SecureServer:
    """Serves an ASGI app over TLS.

    `start`, and at the end `stop_accepting`, `drain`, `close`: each may be called alone, and again.
    """

    def __init__(self, app: ASGIApp, options: SecureServingOptions) -> None:
        self._app = app
        self._options = options
        self._config = _config(options)
        self._context = WorkerContext(None)
        self._certificates: Certificates | None = None
        self._listener: asyncio.Server | None = None
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._draining = False
        self._port = 0

    @property
    def port(self) -> int:
        """The port it listens on; known after `start`."""
        return self._port

    @property
    def url(self) -> str:
        """Where a client on this machine reaches it."""
        address = ipaddress.ip_address(self._options.bind_address)
        if address.is_unspecified:
            address = ipaddress.ip_address("::1" if address.version == 6 else "127.0.0.1")
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"https://{host}:{self._port}"

    async def start(self) -> None:
        """Bind and serve. Raises ServingError, with one line, when it cannot."""
        self._certificates = Certificates(self._options)
        sock = _bind(self._options.bind_address, self._options.port)
        self._port = sock.getsockname()[1]
        self._listener = await asyncio.start_server(
            self._serve,
            sock=sock,
            backlog=_BACKLOG,
            ssl=self._certificates.context,
            ssl_handshake_timeout=self._options.header_timeout,
        )

    async def stop_accepting(self) -> None:
        """Close the listening socket; connections stay."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def drain(self, timeout: float) -> bool:  # noqa: ASYNC109, it answers instead of raising
        """Let running requests end and close every connection that has none; False if some still run.

        Watches are requests: end them first. Idle connections close at once, HTTP/2 clients are told to
        go elsewhere. `timeout` is seconds.
        """
        self._draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        answering = {task for connection, task in self._connections.items() if connection.answering}
        for connection in list(self._connections):
            connection.drain()
        while running := {task for connection in self._connections for task in connection.link.tasks}:
            left = deadline - loop.time()
            if left <= 0:
                return False
            await asyncio.wait(running, timeout=left)
        if answering:
            await asyncio.wait(answering, timeout=max(0.0, min(_CLOSING, deadline - loop.time())))
        return True

    async def close(self) -> None:
        """Abort whatever is left, and return when nothing is."""
        await self.stop_accepting()
        while self._connections:
            for connection in list(self._connections):
                connection.abort()
            # A handler may take its time over its cancellation, or catch it: then it is told again.
            await asyncio.wait(self._connections.values(), timeout=1)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        try:
            connection = Connection(self._app, self._options, self._config, self._context, reader, writer)
        except (OSError, ValueError):
            writer.transport.abort()  # gone before we looked
            return
        self._connections[connection] = task
        try:
            if self._draining:
                connection.drain()
            await connection.run()
        except asyncio.CancelledError:
            # The loop itself is being shut down.
            connection.abort()
        finally:
            del self._connections[connection]


def _bind(address: str, port: int) -> socket.socket:
    try:
        version = ipaddress.ip_address(address).version
    except ValueError as error:
        raise ServingError(f'bind address "{address}" is not an IP address') from error
    shown = f"[{address}]:{port}" if version == 6 else f"{address}:{port}"
    family = socket.AF_INET6 if version == 6 else socket.AF_INET
    try:
        sock = socket.create_server(
            (address, port), family=family, backlog=_BACKLOG, dualstack_ipv6=address == "::" and socket.has_ipv6
        )
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        why = {errno.EADDRINUSE: "address already in use"}.get(number or 0) or (
            os.strerror(number).lower() if number else str(error)
        )
        raise ServingError(f"cannot listen on {shown}: {why}") from error
    # Connections inherit all of this. asyncio sets this one only on sockets made for TCP by name, and without it an
    # answer may wait 40 ms for the client's acknowledgement of the one before.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # A watch whose client vanished without a word ends within minutes.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 9)
    return sock


def _config(options: SecureServingOptions) -> Config:
    """Hypercorn's settings, for what of it we kept. Its limits on requests and queues end connections: none."""
    config = Config()
    config.errorlog = log
    config.h11_max_incomplete_size = options.max_header_bytes
    config.h2_max_concurrent_streams = options.http2_max_streams_per_connection
    config.h2_max_header_list_size = options.max_header_bytes
    config.include_server_header = False
    config.keep_alive_max_requests = 1 << 62
    config.max_app_queue_size = 0
    return config
