"""One client's connection, from handshake to close: reads, and hands what it reads to its protocol.

Made by `server` for each client. A hypercorn `TCPServer` without its task and lock per request.
"""

import asyncio

import h2.exceptions
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext as Context
from hypercorn.config import Config
from hypercorn.utils import parse_socket_addr

from generic.serving import tls
from generic.serving.http1 import HTTP1
from generic.serving.http2 import HTTP2
from generic.serving.link import Link, log
from generic.serving.options import SecureServingOptions
from generic.serving.websocket import unused_app
from generic.types import ASGIApp

_MAX_READ = 256 << 10


class Connection(TCPServer):
    """A client."""

    def __init__(
        self,
        app: ASGIApp,
        options: SecureServingOptions,
        config: Config,
        context: Context,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        super().__init__(unused_app, asyncio.get_running_loop(), config, context, {}, reader, writer)
        socket = writer.get_extra_info("socket")
        secure = writer.get_extra_info("ssl_object")
        self.link = Link(
            app,
            options,
            writer,
            tls.extension(secure),
            parse_socket_addr(socket.family, writer.get_extra_info("peername")),
            parse_socket_addr(socket.family, writer.get_extra_info("sockname")),
        )
        protocol = HTTP2 if secure.selected_alpn_protocol() == "h2" else HTTP1
        self.http: HTTP1 | HTTP2 = protocol(self.link, config, context)

    async def run(self) -> None:
        """Serve until the client or we leave, and every handler has ended."""
        reading = asyncio.ensure_future(self._read())
        closed = asyncio.ensure_future(self.writer.wait_closed())
        # Not the end of reading alone: it stands still while a body waits for its app, or a flood for its turn,
        # and would not see that the connection is gone.
        await asyncio.wait((reading, closed), return_when=asyncio.FIRST_COMPLETED)
        reading.cancel()
        await asyncio.wait((reading,))
        await self.http.lost()
        self.link.close()
        while self.link.tasks:
            await asyncio.wait(self.link.tasks)
        try:
            await closed
        except OSError:
            pass
        self.link.stop_timer()

    @property
    def answering(self) -> bool:
        """A handler runs, or bytes of an answer are not sent."""
        return bool(self.link.tasks) or self.link.backlog > 0

    def drain(self) -> None:
        """Take no more requests and close when those that run are answered."""
        self.link.draining = True
        self.http.drain()

    def abort(self) -> None:
        """End it now, handlers and all."""
        self.link.abort()
        for task in list(self.link.tasks):
            task.cancel()

    async def _read(self) -> None:
        try:
            await self.http.initiate()
            while data := await self.reader.read(_MAX_READ):
                await self.http.received(data)
        except (OSError, h2.exceptions.ProtocolError):
            pass
        except Exception:
            log.exception("connection from %s failed", self.link.client)
