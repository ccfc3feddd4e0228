"""The process: it says where it listens, ends in order when told to, and says in one line why it cannot run."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trikube.pki.layout import Layout

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def wardle(folder: Path, pki: Layout, *flags: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "examples.wardle", "--standalone-debug-mode", "--client-ca-file", str(pki.ca_cert)]
    command += ["--data-dir", str(folder), "--bind-address", "127.0.0.1", *flags]
    command += ["--tls-cert-file", str(pki.serving_cert), "--tls-private-key-file", str(pki.serving_key)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_quietly(tmp_path: Path, pki: Layout, number: int) -> None:
    with wardle(tmp_path, pki, "--secure-port", "0") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("wardle listens on https://127.0.0.1:")
        process.send_signal(number)
        err = process.communicate(timeout=20)[1]
    assert (process.returncode, err) == (0, "")


def test_a_port_in_use_is_one_line(tmp_path: Path, pki: Layout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with wardle(tmp_path, pki, "--secure-port", str(port)) as process:
            out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, "")
    assert err == f"wardle: error: cannot listen on 127.0.0.1:{port}: address already in use\n"
