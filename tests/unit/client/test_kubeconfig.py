import base64
import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml

from generic.client import kubeconfig


def write(path: Path, *, cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None) -> Path:
    document = {
        "current-context": "here",
        "contexts": [
            {"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "team"}},
            {"name": "there", "context": {"cluster": "other"}},
        ],
        "clusters": [
            {"name": "c", "cluster": {"server": "https://a:1/", **(cluster or {})}},
            {"name": "other", "cluster": {"server": "https://b:2"}},
        ],
        "users": [{"name": "u", "user": user or {}}],
    }
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config"


def test_the_current_context_is_read(path: Path) -> None:
    config = kubeconfig.load(write(path))
    assert (config.server, config.namespace) == ("https://a:1", "team")


def test_another_context_can_be_named(path: Path) -> None:
    config = kubeconfig.load(write(path), context="there")
    assert (config.server, config.namespace) == ("https://b:2", "default")


def test_files_are_relative_to_the_kubeconfig(path: Path) -> None:
    (path.parent / "ca.pem").write_bytes(b"from file")
    assert kubeconfig.load(write(path, cluster={"certificate-authority": "ca.pem"})).ca == b"from file"


def test_embedded_data_wins_over_a_file(path: Path) -> None:
    cluster = {
        "certificate-authority": "missing",
        "certificate-authority-data": base64.b64encode(b"embedded").decode(),
    }
    assert kubeconfig.load(write(path, cluster=cluster)).ca == b"embedded"


def test_a_token_file_is_read_at_each_use(path: Path) -> None:
    token = path.parent / "token"
    token.write_text("first\n")
    config = kubeconfig.load(write(path, user={"tokenFile": "token"}))
    assert config.bearer_token() == "first"
    token.write_text("second\n")
    assert config.bearer_token() == "second"
    token.write_text("\n")
    with pytest.raises(kubeconfig.KubeconfigError, match="empty token"):
        config.bearer_token()


def test_a_literal_token_wins_over_a_token_file(path: Path) -> None:
    assert kubeconfig.load(write(path, user={"token": "t", "tokenFile": "missing"})).bearer_token() == "t"


def test_secrets_are_not_in_its_repr(path: Path) -> None:
    config = kubeconfig.load(write(path, user={"token": "s3cret", "username": "a", "password": "s3cret"}))
    assert "s3cret" not in repr(config)


def test_insecure_means_no_verification(path: Path) -> None:
    context = kubeconfig.load(write(path, cluster={"insecure-skip-tls-verify": True})).ssl_context()
    assert context.verify_mode is ssl.CERT_NONE


def test_bad_certificate_data_is_our_error(path: Path) -> None:
    cluster = {"certificate-authority-data": base64.b64encode(b"not PEM").decode()}
    with pytest.raises(kubeconfig.KubeconfigError, match="bad certificate data for https://a:1"):
        kubeconfig.load(write(path, cluster=cluster)).ssl_context()


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({"server": ""}, {}, "the cluster has no server"),
        ({"certificate-authority": "missing"}, {}, "cannot read .*missing: No such file"),
        ({"certificate-authority-data": "%%%"}, {}, "certificate-authority-data is not base64"),
        ({}, {"client-certificate-data": "YQ=="}, "must be given together"),
        ({}, {"exec": {"command": "aws"}}, "exec credential plugin is not supported"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    path: Path, cluster: dict[str, Any], user: dict[str, Any], message: str
) -> None:
    with pytest.raises(kubeconfig.KubeconfigError, match=message):
        kubeconfig.load(write(path, cluster=cluster, user=user))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not YAML"),
        ("- a", "is not a kubeconfig"),
        ("kind: Config", "has no current-context"),
        ("current-context: x", 'context "x" does not exist'),
    ],
)
def test_a_malformed_file_is_said_in_one_line(path: Path, text: str, message: str) -> None:
    path.write_text(text)
    with pytest.raises(kubeconfig.KubeconfigError, match=message) as raised:
        kubeconfig.load(path)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_our_error(path: Path) -> None:
    with pytest.raises(kubeconfig.KubeconfigError, match=r"cannot read .*config: No such file or directory"):
        kubeconfig.load(path)
