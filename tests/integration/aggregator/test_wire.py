"""One connection to a backend and what is asked on it, without a control plane around them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

import pytest

from aggregator.proxy import dialing
from aggregator.proxy.backends import Backends
from aggregator.proxy.call import Call
from aggregator.proxy.connections import Connections
from aggregator.proxy.credentials import ProxyCredentials
from aggregator.proxy.failures import Unreachable
from generic.client.resolving import Address
from tests.integration.aggregator.test_connections import Fixed, registration
from trikube.pki import layout

pytestmark = pytest.mark.anyio

GET = Call("GET", b"/", [])
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
REGISTERED = registration()

Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def asking(
    folder: Path,
    handle: Handle,
    *,
    alpn: Sequence[str] = (),
    behind: Callable[[Address], AbstractAsyncContextManager[Address]] = nullcontext,
) -> AsyncIterator[Backends]:
    """How to ask a server that does `handle` with each connection, and stands `behind` something else."""
    pki = layout.ensure(folder / "pki")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.serving_cert, pki.serving_key)
    if alpn:
        context.set_alpn_protocols(list(alpn))

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await handle(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    connections = Connections(ProxyCredentials(pki.front_proxy_client_cert, pki.front_proxy_client_key))
    async with server, behind(Address("127.0.0.1", server.sockets[0].getsockname()[1])) as address:
        yield Backends(connections, Fixed(address))
        await connections.aclose()
        if serving:
            await asyncio.wait(serving)
    assert connections.users == 0


async def body_of(backends: Backends, call: Call) -> bytes:
    async with backends.answer(REGISTERED, call) as answer:
        return b"".join([chunk async for chunk in answer.body])


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def test_a_connection_is_used_again_when_its_answer_was_read_and_only_then(tmp_path: Path) -> None:
    made = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal made
        made += 1
        while True:
            await read_head(reader)
            writer.write(OK)

    async with asking(tmp_path, serve) as backends:
        assert [await body_of(backends, GET) for _ in range(3)] == [b"ok"] * 3
        assert made == 1
        async with backends.answer(REGISTERED, GET):
            pass
        assert await body_of(backends, GET) == b"ok"
        assert made == 2


async def test_a_kept_connection_that_closes_when_it_is_used_is_replaced_for_what_may_be_repeated(
    tmp_path: Path,
) -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await read_head(reader))
        writer.write(OK)
        heads.append(await read_head(reader))

    async with asking(tmp_path, serve) as backends:
        assert [await body_of(backends, GET) for _ in range(2)] == [b"ok"] * 2
        assert len(heads) == 3, "the second GET was sent twice"
        with pytest.raises(Unreachable, match=r"^EOF$"):
            await body_of(backends, Call("POST", b"/", []))
        assert len(heads) == 4, "the POST was not"


async def test_informational_responses_are_passed_over_but_not_without_end(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for count in (64, 65):
            await read_head(reader)
            writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" * count + OK)
            await writer.drain()

    async with asking(tmp_path, serve) as backends:
        assert await body_of(backends, GET) == b"ok"
        with pytest.raises(Unreachable, match="too many 1xx"):
            await body_of(backends, GET)


async def test_an_answer_that_comes_before_the_end_of_the_body_ends_the_sending(tmp_path: Path) -> None:
    closed = asyncio.Event()
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 1000
            await asyncio.sleep(0)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert b"transfer-encoding: chunked" in await read_head(reader)
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig")
        await writer.drain()
        while await reader.read(1 << 16):
            pass
        closed.set()

    async with asking(tmp_path, serve) as backends:
        assert await body_of(backends, Call("POST", b"/", [], endless())) == b"big"
        async with asyncio.timeout(5):
            await closed.wait()
        before = sent
        await asyncio.sleep(0)
        assert sent == before


async def test_what_goes_wrong_with_the_body_is_what_the_caller_gets(tmp_path: Path) -> None:
    class Gone(Exception):
        """The client left."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise Gone

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with asking(tmp_path, serve) as backends:
        with pytest.raises(Gone):
            await body_of(backends, Call("POST", b"/", [], broken()))


async def test_a_body_that_is_not_whole_is_an_error(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nha")
        await writer.drain()

    async with asking(tmp_path, serve) as backends:
        with pytest.raises(Unreachable, match=r"^unexpected EOF$"):
            await body_of(backends, GET)


async def test_idle_connections_are_closed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.proxy.connections._KEEP_SECONDS", 0.02)
    closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(OK)
        await reader.read()
        closed.set()

    async with asking(tmp_path, serve) as backends:
        assert await body_of(backends, GET) == b"ok"
        async with asyncio.timeout(5):
            await closed.wait()


async def test_a_server_that_does_not_shake_hands_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "CONNECT_SECONDS", 0.05)

    ended = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.transport.abort()
        ended.set()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
        with pytest.raises(Unreachable, match=rf"^dial tcp {address}: i/o timeout$") as refused:
            await dialing.dial(address, context=ssl.create_default_context(), server_name="a")
        await ended.wait()
    assert refused.value.dialing
