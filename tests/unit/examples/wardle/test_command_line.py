"""The command line of wardle and of its registration: what is taken, what is refused in one line."""

import base64
from pathlib import Path

import pytest
import yaml

from examples.wardle import __main__ as program
from examples.wardle import options, registration
from examples.wardle.options import OptionsError

NEEDED = ["--data-dir", "data", "--tls-cert-file", "tls.crt", "--tls-private-key-file", "tls.key"]


def test_flags_become_options() -> None:
    flags = ["--kubeconfig", "a", "--authorization-kubeconfig", "b", "--requestheader-allowed-names", "x,y"]
    given = options.parse([*NEEDED, *flags])
    assert (given.kubeconfig, given.authorization_kubeconfig) == (Path("a"), Path("b"))
    assert given.requestheader_allowed_names == ("x", "y")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--kubeconfig is needed"),
        (["--kubeconfig", "a", "--secure-port", "70000"], "--secure-port 70000 must be between 0 and 65535"),
        (["--kubeconfig", "a", "--bind-address", "localhost"], "--bind-address localhost is not an IP address"),
        (["--kubeconfig", "a", "--client-ca-file", "b"], "authorities are learned from the main server"),
        (["--standalone-debug-mode"], "--standalone-debug-mode needs --client-ca-file"),
    ],
)
def test_flags_that_cannot_be_are_named(flags: list[str], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        options.parse([*NEEDED, *flags])


@pytest.mark.parametrize("missing", ["kubeconfig", "authority"])
def test_what_keeps_it_from_running_is_one_line_and_exit_code_one(
    missing: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--data-dir", str(tmp_path), "--tls-cert-file", "a", "--tls-private-key-file", "b"]
    file = str(tmp_path / "missing")
    more = {"kubeconfig": ["--kubeconfig", file], "authority": ["--standalone-debug-mode", "--client-ca-file", file]}
    assert program.main([*flags, *more[missing]]) == 1
    said = capsys.readouterr().err
    assert said.startswith("wardle: error: cannot read ")
    assert said.count("\n") == 1


def test_a_damaged_database_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wardle.db").write_bytes(b"not a database" * 100)
    flags = ["--data-dir", str(tmp_path), "--tls-cert-file", "a", "--tls-private-key-file", "b", "--kubeconfig", "c"]
    assert program.main(flags) == 1
    said = capsys.readouterr().err
    assert "damaged" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(("address", "family"), [("192.0.2.7", "IPv4"), ("2001:db8::7", "IPv6")])
def test_a_registration_says_where_the_server_is_and_whom_to_trust(address: str, family: str) -> None:
    found = {}
    for obj in yaml.safe_load_all(registration.render(address=address, port=1234, ca=b"PEM")):
        found[obj["kind"], obj["metadata"]["name"]] = obj
    service, endpoints = found["Service", "api"], found["EndpointSlice", "api"]
    assert endpoints["addressType"] == family
    assert endpoints["endpoints"][0]["addresses"] == [address]
    assert endpoints["ports"][0]["port"] == 1234
    # The aggregator finds the slice by the service's name and the port by its name.
    assert endpoints["metadata"]["labels"]["kubernetes.io/service-name"] == service["metadata"]["name"]
    assert endpoints["ports"][0]["name"] == service["spec"]["ports"][0]["name"]
    for version in ("v1alpha1", "v1beta1"):
        spec = found["APIService", f"{version}.wardle.example.com"]["spec"]
        assert spec["service"] == {"name": "api", "namespace": "wardle", "port": 443}
        assert base64.b64decode(spec["caBundle"]) == b"PEM"
    assert ("Namespace", "wardle") in found


def test_a_registration_without_an_ip_address_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ca.crt").write_bytes(b"PEM")
    assert registration.main(["--address", "localhost", "--ca-file", str(tmp_path / "ca.crt")]) == 1
    assert capsys.readouterr().err.startswith("registration: error: 'localhost' does not appear to be")
