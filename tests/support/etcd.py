"""A real etcd for tests: on free loopback ports, with its own folder, killed and restarted at will."""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

ETCD = Path(sys.executable).with_name("etcd")
READY = b"ready to serve client requests"


PORTS = range(20_000, 32_000)
"""Below those the kernel gives to clients: while etcd is down, one of them could otherwise take its port."""


def free_port() -> int:
    """A loopback port nobody listens on at the moment."""
    while True:
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


class EtcdServer:
    """One member. `flags` are etcd's own; `scheme` https needs those for its certificate."""

    def __init__(self, folder: Path, *flags: str, scheme: str = "http") -> None:
        self._folder = folder
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = f"{scheme}://127.0.0.1:{free_port()}"
        self._peer = f"http://127.0.0.1:{free_port()}"

    def start(self) -> None:
        """Start, or start again with what is in the folder. Returns when it serves."""
        self._process = subprocess.Popen(
            [
                str(ETCD),
                f"--data-dir={self._folder / 'etcd'}",
                f"--listen-client-urls={self.endpoint}",
                f"--advertise-client-urls={self.endpoint}",
                f"--listen-peer-urls={self._peer}",
                f"--initial-advertise-peer-urls={self._peer}",
                f"--initial-cluster=default={self._peer}",
                *self._flags,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        output = self._process.stderr
        assert output is not None
        said: list[bytes] = []
        for line in output:
            said.append(line)
            if READY in line:
                break
        else:
            self.kill()
            raise RuntimeError(b"etcd did not start:\n".decode() + b"".join(said[-5:]).decode())
        # It blocks once the pipe is full, so somebody has to read on.
        threading.Thread(target=_drain, args=(output,), daemon=True).start()

    def kill(self) -> None:
        """SIGKILL. Does nothing if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        # It takes effect a little later.
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def thaw(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def _drain(output: IO[bytes]) -> None:
    with output:
        for _ in output:
            pass
