"""Whom the proxy trusts, and when it notices another certificate of its own. BEHAVIOURS C, "TLS"."""

import asyncio
import base64
import ssl
from pathlib import Path

import pytest

from aggregator.proxy import credentials
from aggregator.proxy.credentials import ProxyCredentials
from trikube.pki import layout


@pytest.fixture
def pki(tmp_path: Path) -> layout.Layout:
    return layout.ensure(tmp_path / "pki")


@pytest.fixture
def made(pki: layout.Layout) -> ProxyCredentials:
    return ProxyCredentials(pki.front_proxy_client_cert, pki.front_proxy_client_key)


def trusted(context: ssl.SSLContext) -> list[bytes]:
    return context.get_ca_certs(binary_form=True)


def test_without_a_ca_bundle_the_roots_of_the_system_are_trusted(
    pki: layout.Layout, made: ProxyCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pki.ca_cert))
    cluster = ssl.PEM_cert_to_DER_cert(pki.ca_cert.read_text())
    context = made.context(ca_bundle="", insecure=False)
    assert cluster in trusted(context)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)

    given = base64.b64encode(pki.front_proxy_ca_cert.read_bytes()).decode()
    front_proxy = ssl.PEM_cert_to_DER_cert(pki.front_proxy_ca_cert.read_text())
    assert trusted(made.context(ca_bundle=given, insecure=False)) == [front_proxy]


def test_a_certificate_half_written_is_waited_for(pki: layout.Layout, made: ProxyCredentials) -> None:
    before = made.generation
    renewed = pki.front_proxy.issue_client("front-proxy-client")
    pki.front_proxy_client_cert.write_bytes(renewed.cert)
    assert not made.look(), "the key is another one's"
    assert made.generation == before
    pki.front_proxy_client_key.write_bytes(renewed.key)
    assert made.look()
    assert made.generation == before + 1
    assert not made.look()
    assert made.generation == before + 1


@pytest.mark.anyio
async def test_a_new_certificate_is_told_of_without_anybody_asking(
    pki: layout.Layout, made: ProxyCredentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_LOOK_SECONDS", 0.01)
    changed = asyncio.Event()
    made.start(changed.set)
    renewed = pki.front_proxy.issue_client("front-proxy-client")
    pki.front_proxy_client_cert.write_bytes(renewed.cert)
    pki.front_proxy_client_key.write_bytes(renewed.key)
    async with asyncio.timeout(10):
        await changed.wait()
    await made.stop()
