"""Connections to servers that do not behave, without a control plane around them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aggregator.apiservices.registration import Registration
from aggregator.proxy.backends import Backends
from aggregator.proxy.call import Call
from aggregator.proxy.connections import Connections
from aggregator.proxy.credentials import ProxyCredentials
from aggregator.proxy.failures import BadTrust, Unreachable
from generic.client.resolving import Address, ServiceReference
from generic.meta.gvk import GroupVersion
from trikube.pki import layout

pytestmark = pytest.mark.anyio

GET = Call("GET", b"/", [])


class Fixed:
    """A resolver that knows where everything is."""

    def __init__(self, *addresses: Address) -> None:
        self.addresses = addresses

    def resolve(self, service: ServiceReference) -> Sequence[Address]:
        return self.addresses


def registration(ca_bundle: str = "") -> Registration:
    return Registration(
        name="v1.a.example.com",
        group_version=GroupVersion("a.example.com", "v1"),
        group_priority=1,
        version_priority=1,
        service=ServiceReference("default", "api", 443),
        ca_bundle=ca_bundle,
        insecure=not ca_bundle,
        available=True,
    )


@pytest.fixture
async def connections(tmp_path: Path) -> AsyncIterator[Connections]:
    pki = layout.ensure(tmp_path / "pki")
    made = Connections(ProxyCredentials(pki.front_proxy_client_cert, pki.front_proxy_client_key))
    yield made
    await made.aclose()


Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handle: Handle) -> AsyncIterator[Address]:
    """A TCP server, no TLS."""
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield Address("127.0.0.1", server.sockets[0].getsockname()[1])


async def ask(backends: Backends, registered: Registration) -> None:
    async with backends.answer(registered, GET):
        pass


async def test_giving_up_on_a_server_that_does_not_shake_hands_closes_the_connection(connections: Connections) -> None:
    greeted, ended = asyncio.Event(), asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        while await reader.read(1 << 16):
            pass
        ended.set()
        writer.close()

    async with listening(silent) as address:
        asking = asyncio.create_task(ask(Backends(connections, Fixed(address)), registration()))
        await greeted.wait()
        asking.cancel()
        async with asyncio.timeout(5):
            await ended.wait()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert connections.users == 0


async def test_a_server_that_speaks_no_tls_is_unreachable(connections: Connections) -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"SSH-2.0-nobody\r\n")
        await writer.drain()
        writer.close()

    async with listening(rude) as address:
        with pytest.raises(Unreachable) as refused:
            await ask(Backends(connections, Fixed(address)), registration())
    assert refused.value.dialing
    assert str(refused.value).startswith("tls: ")


async def test_a_name_nobody_knows_is_unreachable(connections: Connections) -> None:
    address = Address("nobody.invalid", 443)
    with pytest.raises(Unreachable, match=r"^dial tcp: lookup nobody\.invalid: no such host$"):
        await ask(Backends(connections, Fixed(address)), registration())


async def test_a_ca_bundle_without_certificates_is_said_to_be_one(connections: Connections) -> None:
    with pytest.raises(BadTrust, match=r"^unable to load root certificates: "):
        await ask(Backends(connections, Fixed(Address("127.0.0.1", 1))), registration("eA=="))
