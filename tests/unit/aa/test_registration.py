"""What registers a server, and what lets it ask the main server as a user."""

import base64
from pathlib import Path

import pytest
import yaml

from examples.wardle.__main__ import SERVER


@pytest.mark.parametrize(("address", "family"), [("192.0.2.7", "IPv4"), ("2001:db8::7", "IPv6")])
def test_a_registration_says_where_the_server_is_and_whom_to_trust(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], address: str, family: str
) -> None:
    ca = tmp_path / "ca.crt"
    ca.write_bytes(b"PEM")
    SERVER.execute(["registration", "--address", address, "--port", "1234", "--ca-file", str(ca)])
    found = {(obj["kind"], obj["metadata"]["name"]): obj for obj in yaml.safe_load_all(capsys.readouterr().out)}
    service, endpoints = found["Service", "wardle"], found["EndpointSlice", "wardle"]
    assert endpoints["addressType"] == family
    assert endpoints["endpoints"][0]["addresses"] == [address]
    assert endpoints["ports"][0]["port"] == 1234
    # The aggregator finds the slice by the service's name and the port by its name.
    assert endpoints["metadata"]["labels"]["kubernetes.io/service-name"] == service["metadata"]["name"]
    assert endpoints["ports"][0]["name"] == service["spec"]["ports"][0]["name"]
    specs = [found["APIService", f"{version}.wardle.example.com"]["spec"] for version in ("v1beta1", "v1alpha1")]
    assert specs[0]["versionPriority"] > specs[1]["versionPriority"]
    for spec in specs:
        assert spec["service"] == {"name": "wardle", "namespace": "wardle", "port": 443}
        assert base64.b64decode(spec["caBundle"]) == b"PEM"
    assert ("Namespace", "wardle") in found
    assert not any(kind.endswith(("Role", "Binding")) for kind, _ in found)


def test_a_user_gets_the_rights_a_server_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--address", "192.0.2.7", "--data-dir", str(tmp_path), "--user", "wardle-server"]
    SERVER.execute(["registration", *flags])
    found = [obj for obj in yaml.safe_load_all(capsys.readouterr().out) if obj["kind"].endswith(("Role", "Binding"))]
    bindings = {obj["roleRef"]["name"]: obj for obj in found if obj["kind"].endswith("Binding")}
    assert set(bindings) == {"wardle", "system:auth-delegator", "extension-apiserver-authentication-reader"}
    assert bindings["extension-apiserver-authentication-reader"]["metadata"]["namespace"] == "kube-system"
    user = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "wardle-server"}
    assert [obj["subjects"] for obj in bindings.values()] == [[user]] * 3
    (role,) = [obj for obj in found if obj["kind"] == "ClusterRole"]
    plurals = [
        *("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
        *("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
        *("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
    ]
    verbs = ["get", "list", "watch"]
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": verbs},
        {"apiGroups": ["admissionregistration.k8s.io"], "resources": plurals, "verbs": verbs},
    ]


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (["--address", "localhost"], "--address localhost is not an IP address"),
        (["--address", "192.0.2.7", "--port", "65536"], "--port 65536 must be between 1 and 65535"),
    ],
)
def test_what_cannot_be_an_endpoint_is_one_line_and_makes_no_certificates(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], why: str
) -> None:
    with pytest.raises(SystemExit):
        SERVER.execute(["registration", *flags, "--data-dir", str(tmp_path / "data")])
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"wardle: error: {why}\n")
    assert list(tmp_path.iterdir()) == []
