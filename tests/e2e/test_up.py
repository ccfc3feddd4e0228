"""`trikube up` from the outside: what it leaves on disk, what survives, and how it refuses to start."""

import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import UpProcess, up


@pytest.fixture
def process(tmp_path: Path) -> Iterator[UpProcess]:
    made = UpProcess(tmp_path / "data")
    yield made
    made.kill()


def test_everything_in_the_data_folder_is_for_its_owner_alone(process: UpProcess) -> None:
    process.start()
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in process.folder.rglob("*")}
    assert {path.name for path in modes} >= {"admin.kubeconfig", "trikube.db", "ca.key", "sa.key", "front-proxy-ca.key"}
    for path, mode in modes.items():
        assert mode & 0o077 == 0, path


def test_what_was_stored_is_there_after_a_restart(process: UpProcess) -> None:
    process.start()
    assert process.kubectl.run("create", "configmap", "kept", "--from-literal=a=b").code == 0
    before = process.kubectl.run("get", "configmap", "kept", "-o", "yaml").out
    assert process.terminate() == 0
    process.start()
    assert process.kubectl.run("get", "configmap", "kept", "-o", "yaml").out == before


def test_what_was_acknowledged_survives_a_kill(process: UpProcess) -> None:
    process.start()
    assert process.kubectl.run("create", "configmap", "kept", "--from-literal=a=b").code == 0
    process.kill()
    process.start()
    assert process.kubectl.run("get", "configmap", "kept").code == 0


def test_a_second_server_on_the_same_folder_is_refused(process: UpProcess) -> None:
    process.start()
    _refused(up(process.folder), "trikube.db")


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "trikube.db").write_bytes(b"this is no database" * 100)
    _refused(up(tmp_path), "trikube.db")


def test_a_damaged_authority_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "ca.crt").write_text("no certificate")
    _refused(up(tmp_path), "ca.crt")


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        _refused(up(tmp_path, "--secure-port", str(port)), f"127.0.0.1:{port}: address already in use")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--bind-address", "nowhere"), "--bind-address nowhere is not an IP address"),
        (("--secure-port", "70000"), "--secure-port 70000 must be between 0 and 65535"),
        (("--storage", "etcd"), "--storage etcd needs --etcd-servers"),
        (("--token-auth-file", "/does/not/exist"), "--token-auth-file"),
        (("--etcd-servers", "http://127.0.0.1:1"), "etcd at http://127.0.0.1:1"),
    ],
)
def test_an_option_that_cannot_be_is_refused(tmp_path: Path, flags: tuple[str, ...], said: str) -> None:
    _refused(up(tmp_path, *flags), said)


def _refused(done: subprocess.CompletedProcess[str], said: str) -> None:
    """Exit code 1 and one line, without a traceback."""
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("trikube: ")
    assert said in lines[0]
