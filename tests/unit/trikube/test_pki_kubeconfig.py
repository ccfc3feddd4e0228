import ssl
import stat
from pathlib import Path

import yaml

from generic.client import kubeconfig as reader
from trikube import kubeconfig
from trikube.pki import layout


def write(tmp_path: Path) -> tuple[Path, layout.Layout]:
    made = layout.ensure(tmp_path / "pki")
    path = tmp_path / "admin.kubeconfig"
    kubeconfig.write(
        path,
        server="https://127.0.0.1:6443",
        ca=made.cluster.pem,
        client_cert=made.admin_cert.read_bytes(),
        client_key=made.admin_key.read_bytes(),
    )
    return path, made


def test_what_is_written_can_be_read_back(tmp_path: Path) -> None:
    path, made = write(tmp_path)
    config = reader.load(path)
    assert config.server == "https://127.0.0.1:6443"
    assert config.ca == made.ca_cert.read_bytes()
    assert config.client_cert == made.admin_cert.read_bytes()
    assert config.client_key == made.admin_key.read_bytes()


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path, _ = write(tmp_path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_unchanged_file_is_left_alone(tmp_path: Path) -> None:
    path, _ = write(tmp_path)
    before = path.stat().st_ino
    write(tmp_path)
    assert path.stat().st_ino == before


def test_it_is_the_document_kubectl_expects(tmp_path: Path) -> None:
    path, _ = write(tmp_path)
    document = yaml.safe_load(path.read_text())
    assert (document["apiVersion"], document["kind"]) == ("v1", "Config")
    assert document["current-context"] == document["contexts"][0]["name"] == "kubernetes-admin@trikube"


def test_its_tls_context_presents_the_certificate_and_verifies_the_server(tmp_path: Path) -> None:
    path, _ = write(tmp_path)
    context = reader.load(path).ssl_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1
