"""How a server finds its main server in a pod, the certificates it makes, and requests that may take long."""

from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.unit.aa.harness import make, serving
from trikube import aa
from trikube.aa import access, certificates
from trikube.aa.plan import Served


def test_in_a_pod_the_service_account_reaches_the_main_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(aa.OptionsError, match=r"cannot read .*ca\.crt: No such file"):
        access.in_cluster(tmp_path)
    (tmp_path / "ca.crt").write_bytes(b"ca")
    (tmp_path / "token").write_text("first")
    config = access.in_cluster(tmp_path)
    assert (config.server, config.ca, config.bearer_token()) == ("https://[fd00::1]:443", b"ca", "first")
    # Such tokens are rotated.
    (tmp_path / "token").write_text("second")
    assert config.bearer_token() == "second"


def test_certificates_are_kept_and_name_the_service(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path, certificates.own_names("cats"))
    before = made.serving_cert.read_bytes()
    names = x509.load_pem_x509_certificate(before).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert "cats.cats.svc" in names.value.get_values_for_type(x509.DNSName)
    assert made.admin_key.stat().st_mode & 0o077 == 0
    assert certificates.ensure(tmp_path, certificates.own_names("cats")).serving_cert.read_bytes() == before
    made.serving_cert.write_bytes(b"nonsense")
    assert certificates.ensure(tmp_path, certificates.own_names("cats")).serving_cert.read_bytes() != b"nonsense"


class Tap(aa.Resource, group="water.demo.io", version="v1"):
    """Tap is open for as long as one likes."""

    @aa.connect("water")
    async def water(self, ctx: aa.Context, connection: aa.Connection) -> None:
        info = ctx.request.info
        await connection.write(f"{info.is_long_running} {ctx.request.deadline} {connection.query_params['for']}")

    @aa.subresource("shut")
    def shut(self, ctx: aa.Context, body: aa.Metadata) -> None:
        assert not ctx.request.info.is_long_running


@pytest.mark.anyio
async def test_a_stream_has_no_deadline_whatever_it_is_called(tmp_path: Path) -> None:
    path = "/apis/water.demo.io/v1/namespaces/default/taps/t"
    async with serving(tmp_path, Tap) as client:
        await client.create(Tap.definition.gvr, make(Tap, "t"))
        assert (await client.request("GET", f"{path}/water", query={"for": "tea"})).body == b"True None tea"
        assert (await client.request("POST", f"{path}/shut", body={})).status == 201


class Nice(aa.Strategy):
    """Rules in place of the class's own."""

    def prepare_for_create(self, request: Any, obj: dict[str, Any]) -> None:
        obj["metadata"]["labels"] = {"nice": "yes"}


@pytest.mark.anyio
async def test_a_strategy_of_ones_own_stands_in_for_the_hooks(tmp_path: Path) -> None:
    async with serving(tmp_path, Served(Tap, strategy=Nice())) as client:
        made = await client.create(Tap.definition.gvr, make(Tap, "t"))
    assert made["metadata"]["labels"] == {"nice": "yes"}
