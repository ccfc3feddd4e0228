"""The etcd engine with certificates: etcd's own checked, ours shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from generic.storage.etcd import EtcdStorage
from generic.storage.interface import StorageError
from tests.support.etcd import EtcdServer
from trikube.pki import issue

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    for name in ("ca", "foreign-ca"):
        authority = issue.new_authority(name)
        (folder / f"{name}.crt").write_bytes(authority.pem)
        if name == "ca":
            pairs = {"server": authority.issue_serving(["127.0.0.1"]), "client": authority.issue_client("trikube")}
            for stem, issued in pairs.items():
                (folder / f"{stem}.crt").write_bytes(issued.cert)
                (folder / f"{stem}.key").write_bytes(issued.key)
    return folder


@pytest.fixture(scope="module")
def tls_server(pki: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    server = EtcdServer(
        tmp_path_factory.mktemp("etcd"),
        f"--cert-file={pki / 'server.crt'}",
        f"--key-file={pki / 'server.key'}",
        f"--trusted-ca-file={pki / 'ca.crt'}",
        "--client-cert-auth",
        scheme="https",
    )
    server.start()
    yield server
    server.kill()


async def test_with_a_client_certificate(tls_server: EtcdServer, pki: Path) -> None:
    storage = EtcdStorage(
        [tls_server.endpoint],
        ca_file=str(pki / "ca.crt"),
        cert_file=str(pki / "client.crt"),
        key_file=str(pki / "client.key"),
    )
    await storage.start()
    written = await storage.put("/a", b"1", expected_revision=0)
    assert (await storage.get("/a")).item == written
    await storage.close()


async def test_without_a_client_certificate(tls_server: EtcdServer, pki: Path) -> None:
    with pytest.raises(StorageError, match="etcd at https://"):
        await EtcdStorage([tls_server.endpoint], ca_file=str(pki / "ca.crt"), deadline=5).start()


async def test_with_an_authority_that_did_not_sign_etcds_certificate(tls_server: EtcdServer, pki: Path) -> None:
    with pytest.raises(StorageError, match=r"(?i)certificate"):
        await EtcdStorage([tls_server.endpoint], ca_file=str(pki / "foreign-ca.crt"), deadline=5).start()
