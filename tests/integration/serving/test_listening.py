import asyncio
import contextlib
import logging
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from generic.serving.errors import ServingError
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from tests.integration.serving import harness
from trikube.pki import issue, layout

pytestmark = pytest.mark.anyio


async def start(pki: layout.Layout, **options: Any) -> None:
    async with harness.serving(pki, harness.hello, **options):
        pass


async def test_a_port_in_use_is_one_line(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server:
        with pytest.raises(ServingError) as raised:
            await start(pki, port=server.port)
    assert str(raised.value) == f"cannot listen on 127.0.0.1:{server.port}: address already in use"


async def test_an_address_of_another_machine_is_one_line(pki: layout.Layout) -> None:
    with pytest.raises(ServingError, match=r"cannot listen on 192\.0\.2\.1:0: cannot assign requested address"):
        await start(pki, bind_address="192.0.2.1")


async def test_a_name_is_no_bind_address(pki: layout.Layout) -> None:
    with pytest.raises(ServingError, match='bind address "localhost" is not an IP address'):
        await start(pki, bind_address="localhost")


async def test_a_missing_certificate_is_one_line(pki: layout.Layout, tmp_path: Path) -> None:
    with pytest.raises(ServingError, match=r"cannot read .*none\.crt: No such file or directory"):
        await start(pki, cert_file=tmp_path / "none.crt")


@pytest.mark.parametrize("which", ["cert_file", "key_file"])
async def test_a_broken_certificate_or_key_is_one_line(pki: layout.Layout, tmp_path: Path, which: str) -> None:
    (tmp_path / "broken").write_text("garbage")
    with pytest.raises(ServingError, match=r"cannot use certificate .* with key ") as raised:
        await start(pki, **{which: tmp_path / "broken"})
    assert "\n" not in str(raised.value)


async def test_a_key_of_another_certificate_is_one_line(pki: layout.Layout) -> None:
    with pytest.raises(ServingError, match="key values mismatch"):
        await start(pki, key_file=pki.admin_key)


async def test_an_encrypted_key_is_refused_and_asks_no_terminal(pki: layout.Layout, tmp_path: Path) -> None:
    key = tmp_path / "encrypted.key"
    key.write_bytes(
        issue.new_key().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    with pytest.raises(ServingError, match="the key is encrypted"):
        await start(pki, key_file=key)


async def test_a_broken_authority_is_one_line(pki: layout.Layout, tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("garbage")
    with pytest.raises(ServingError, match=r"ca\.crt holds no readable certificate of an authority"):
        await start(pki, client_ca_files=[tmp_path / "ca.crt"])


@pytest.mark.parametrize(("address", "host"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
async def test_its_url_is_one_a_local_client_can_use(pki: layout.Layout, address: str, host: str) -> None:
    async with harness.serving(pki, harness.hello, bind_address=address) as server:
        assert server.url == f"https://{host}:{server.port}"
        async with harness.client(server, pki, http2=True) as client:
            assert (await client.get("/")).text == "ok"


async def test_the_ipv6_wildcard_takes_ipv4_as_well(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello, bind_address="::") as server, harness.raw(server, pki) as client:
        client.say(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert await client.response() == (200, b"ok")


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), ([], None)])
async def test_http2_is_preferred_and_http1_the_fallback(
    pki: layout.Layout, offered: list[str], chosen: str | None
) -> None:
    async with harness.serving(pki, harness.hello) as server, harness.raw(server, pki, alpn=offered) as client:
        assert client.writer.get_extra_info("ssl_object").selected_alpn_protocol() == chosen
        if chosen != "h2":
            client.say(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert await client.response() == (200, b"ok")


async def test_tls_1_2_is_served_and_older_is_not(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello) as server:
        for version, served in ((ssl.TLSVersion.TLSv1_2, True), (ssl.TLSVersion.TLSv1_1, False)):
            context = harness.trust(pki)
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
            with pytest.warns(DeprecationWarning, match="TLSv1_1") if not served else contextlib.nullcontext():
                context.minimum_version = version
                context.maximum_version = version
            if served:
                _, writer = await _connect(server, context)
                assert writer.get_extra_info("ssl_object").version() == "TLSv1.2"
                writer.transport.abort()
            else:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    await _connect(server, context)


async def test_what_is_not_tls_hurts_nobody_and_is_not_logged(
    pki: layout.Layout, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with harness.serving(pki, harness.hello) as server, harness.client(server, pki, http2=True) as client:
        for nonsense in (b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\0" * 64, b""):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(nonsense)
            writer.write_eof()
            try:
                await reader.read()
            except ConnectionError:
                pass
            writer.close()
        assert (await client.get("/")).text == "ok"
    assert not [record for record in caplog.records if record.name in {"asyncio", "generic.serving"}]


async def test_the_handshake_has_a_time_limit(pki: layout.Layout) -> None:
    async with harness.serving(pki, harness.hello, header_timeout=0.1) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert await reader.read() == b""
        writer.close()


async def test_nothing_is_bound_when_the_certificate_is_bad(pki: layout.Layout, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options = SecureServingOptions(
        bind_address="127.0.0.1", port=port, cert_file=tmp_path / "none", key_file=pki.serving_key
    )
    with pytest.raises(ServingError):
        await SecureServer(harness.hello, options).start()
    with socket.create_server(("127.0.0.1", port)):
        pass


async def _connect(server: SecureServer, context: ssl.SSLContext) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname="localhost")
