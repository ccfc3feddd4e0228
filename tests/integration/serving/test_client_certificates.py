import asyncio
import os
import shutil
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from generic.types import Receive, Scope, Send
from tests.integration.serving import harness
from trikube.pki import files, issue, layout

pytestmark = pytest.mark.anyio


class Recorder:
    """An app that keeps the `tls` extension of every request."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope["extensions"]["tls"])
        await harness.reply(send)


@pytest.mark.parametrize("http2", [False, True])
async def test_the_client_s_certificate_is_in_the_tls_extension(pki: layout.Layout, http2: bool) -> None:
    app = Recorder()
    async with harness.serving(pki, app) as server:
        for cert in ("admin", "front-proxy-client"):
            async with harness.client(server, pki, http2=http2, cert=cert) as client:
                await client.get("/")
    admin, proxy = app.seen
    assert admin["client_cert_chain"][0] == pki.admin_cert.read_text()
    assert admin["client_cert_name"] == "CN=kubernetes-admin,O=system:masters"
    assert proxy["client_cert_chain"][0] == pki.front_proxy_client_cert.read_text()
    assert proxy["client_cert_name"] == "CN=front-proxy-client"
    assert admin["tls_version"] == 0x0304
    assert admin["cipher_suite"] >> 8 == 0x13


async def test_a_client_without_a_certificate_is_served_and_has_none(pki: layout.Layout) -> None:
    app = Recorder()
    async with harness.serving(pki, app) as server, harness.client(server, pki, http2=True, cert="") as client:
        assert (await client.get("/")).status_code == 200
    assert app.seen[0]["client_cert_chain"] == []
    assert app.seen[0]["client_cert_name"] is None


@pytest.mark.parametrize("http2", [False, True])
async def test_requests_of_a_connection_share_the_extension_and_others_do_not(pki: layout.Layout, http2: bool) -> None:
    app = Recorder()
    async with harness.serving(pki, app) as server:
        for _ in range(2):
            async with harness.client(server, pki, http2=http2) as client:
                await client.get("/")
                await client.get("/")
    first, second, third, fourth = app.seen
    assert first is second
    assert third is fourth
    assert first is not third


async def test_a_certificate_of_a_foreign_authority_ends_the_connection(pki: layout.Layout, tmp_path: Path) -> None:
    app = Recorder()
    stranger = issue.new_authority("kubernetes").issue_client("kubernetes-admin", ["system:masters"])
    files.write(tmp_path / "c.pem", stranger.cert + stranger.key)
    context = harness.trust(pki, cert="")
    context.load_cert_chain(tmp_path / "c.pem")
    async with harness.serving(pki, app) as server:
        async with httpx.AsyncClient(base_url=server.url, verify=context, trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.get("/")
        async with harness.client(server, pki, http2=True) as client:
            assert (await client.get("/")).status_code == 200
    assert len(app.seen) == 1


async def test_a_serving_certificate_does_not_make_a_client(pki: layout.Layout) -> None:
    app = Recorder()
    async with (
        harness.serving(pki, app) as server,
        harness.client(server, pki, http2=True, cert="apiserver") as client,
    ):
        with pytest.raises(httpx.TransportError):
            await client.get("/")
    assert app.seen == []


async def test_a_name_with_special_characters_is_escaped(pki: layout.Layout, tmp_path: Path) -> None:
    app = Recorder()
    issued = pki.cluster.issue_client('jo,"e=', ["a+b"])
    files.write(tmp_path / "c.pem", issued.cert + issued.key)
    context = harness.trust(pki, cert="")
    context.load_cert_chain(tmp_path / "c.pem")
    async with (
        harness.serving(pki, app) as server,
        httpx.AsyncClient(base_url=server.url, verify=context, trust_env=False) as client,
    ):
        await client.get("/")
    assert app.seen[0]["client_cert_name"] == 'CN=jo\\,\\"e\\=,O=a\\+b'


# Reload


class Files:
    """A server's certificate files that change under it."""

    def __init__(self, pki: layout.Layout, directory: Path) -> None:
        self.cert, self.key, self.ca = directory / "tls.crt", directory / "tls.key", directory / "ca.crt"
        self.pki = pki
        self.serve(pki.serving_cert.read_bytes(), pki.serving_key.read_bytes())
        shutil.copy(pki.ca_cert, self.ca)

    def serve(self, cert: bytes, key: bytes) -> None:
        files.write(self.key, key)
        files.write(self.cert, cert)

    @property
    def options(self) -> dict[str, Any]:
        return {"cert_file": self.cert, "key_file": self.key, "client_ca_files": [self.ca]}


async def served(port: int, context: ssl.SSLContext) -> bytes:
    """The certificate a new connection is shown."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    return shown


@pytest.mark.parametrize("name", ["localhost", None])
async def test_a_renewed_certificate_is_shown_to_new_connections(
    pki: layout.Layout, tmp_path: Path, name: str | None
) -> None:
    own = Files(pki, tmp_path)
    renewed = pki.cluster.issue_serving(["localhost", "127.0.0.1"])
    async with harness.serving(pki, harness.hello, **own.options) as server, harness.raw(server, pki) as old:
        own.serve(renewed.cert, renewed.key)
        context = harness.trust(pki)
        context.check_hostname = name is not None
        _, writer = await asyncio.open_connection("127.0.0.1", server.port, ssl=context, server_hostname=name or "")
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        writer.transport.abort()
        assert ssl.DER_cert_to_PEM_cert(shown) == renewed.cert.decode()
        old.say(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert await old.response() == (200, b"ok")


async def test_a_half_written_certificate_leaves_the_old_one_serving(pki: layout.Layout, tmp_path: Path) -> None:
    own = Files(pki, tmp_path)
    renewed = pki.cluster.issue_serving(["localhost"])
    async with harness.serving(pki, harness.hello, **own.options) as server:
        files.write(own.key, renewed.key)
        assert ssl.DER_cert_to_PEM_cert(await served(server.port, harness.trust(pki))) == pki.serving_cert.read_text()
        own.cert.unlink()
        assert ssl.DER_cert_to_PEM_cert(await served(server.port, harness.trust(pki))) == pki.serving_cert.read_text()
        files.write(own.cert, renewed.cert)
        assert ssl.DER_cert_to_PEM_cert(await served(server.port, harness.trust(pki))) == renewed.cert.decode()


async def test_an_unchanged_file_is_not_read_again(
    pki: layout.Layout, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="generic.serving")
    own = Files(pki, tmp_path)
    async with harness.serving(pki, harness.hello, **own.options) as server:
        await served(server.port, harness.trust(pki))
        assert caplog.messages == []
        os.utime(own.cert)
        await served(server.port, harness.trust(pki))
        assert caplog.messages == [f"certificates reloaded from {own.cert}"]


async def test_a_removed_authority_is_trusted_no_more_and_a_new_one_is(pki: layout.Layout, tmp_path: Path) -> None:
    own = Files(pki, tmp_path)
    other = issue.new_authority("other")
    issued = other.issue_client("jane")
    files.write(tmp_path / "jane.pem", issued.cert + issued.key)
    jane = harness.trust(pki, cert="")
    jane.load_cert_chain(tmp_path / "jane.pem")
    app = Recorder()
    async with harness.serving(pki, app, **own.options) as server:
        files.write(own.ca, other.pem)
        async with harness.client(server, pki, http2=True) as client:
            with pytest.raises(httpx.TransportError):
                await client.get("/")
        async with httpx.AsyncClient(base_url=server.url, verify=jane, trust_env=False) as client:
            await client.get("/")
    assert [tls["client_cert_name"] for tls in app.seen] == ["CN=jane"]
