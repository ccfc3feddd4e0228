"""The guide docs/build-an-aa.md, from an empty folder, command by command, with the server it describes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import guide
from trikube.background.ports import free_port

TOOLS = Path(sys.executable).parent
CHECKOUT = Path(__file__).resolve().parents[2]
GUIDE = "build-an-aa.md"
SERVERS = ("python cats.py --", "trikube up")


class Reader:
    """Someone who types the guide: servers each in a terminal of their own, which is stopped before the next part."""

    def __init__(self, folder: Path) -> None:
        path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
        self.env = {**os.environ, "HOME": str(folder), "PATH": path, "PYTHONPATH": str(CHECKOUT)}
        self.folder = folder
        self.ports = {number: str(free_port()) for number in ("6443", "9443")}
        self.servers: list[subprocess.Popen[str]] = []

    def type(self, line: str) -> tuple[int, str]:
        """The exit code and everything it said."""
        for number, free in self.ports.items():
            line = line.replace(number, free)
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            self.env[name] = value.replace("$PWD", str(self.folder))
            return 0, ""
        if line.startswith(SERVERS):
            self._serve(line)
            return 0, ""
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def stop(self) -> None:
        """Ctrl-C in every terminal, the last first; each ends in order."""
        while self.servers:
            server = self.servers.pop()
            server.send_signal(signal.SIGINT)
            _, err = server.communicate(timeout=30)
            assert server.returncode == 0, err

    def _serve(self, line: str) -> None:
        server = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.servers.append(server)
        assert server.stdout is not None
        said = server.stdout.readline()
        assert "listens on" in said, said + server.communicate(timeout=10)[1]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    made = Reader(tmp_path)
    yield made
    for server in made.servers:
        server.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.communicate(timeout=10)


@pytest.mark.timeout(120)
def test_the_guide_works_from_an_empty_folder(tmp_path: Path, reader: Reader) -> None:
    assert guide.write_files(GUIDE, tmp_path) == ["cats.py", "tom.yaml", "rex.yaml"]
    said: dict[str, list[str]] = {}
    for line in guide.commands(GUIDE):
        if line.startswith("trikube up"):
            reader.stop()
        code, output = reader.type(line)
        assert (code != 0) == ("rex.yaml" in line or line.endswith("--as alice")), f"{line}: {output}"
        said.setdefault(line, []).append(output)
    reader.stop()
    alone, aggregated = said["kubectl get cats"]
    assert alone.split()[:6] == ["NAME", "BREED", "MEALS", "AGE", "tom", "persian"]
    assert "fish" in said["kubectl get ct tom -o yaml"][0]
    assert 'spec.breed: Invalid value: "dog": is no cat' in said["kubectl apply -f rex.yaml"][0]
    assert "What kind of cat it is." in said["kubectl explain cat.spec"][0]
    # The second run found what the first one stored.
    assert aggregated.split()[4:7] == ["tom", "persian", "1"]
    assert said["kubectl get ct tom"][0].split()[4:7] == ["tom", "persian", "2"]
    (listed,) = (output for line, (output, *_) in said.items() if line.startswith("curl"))
    assert '"kind":"CatList"' in listed.replace(" ", "")


def test_the_guides_cat_is_the_examples(tmp_path: Path) -> None:
    guide.write_files(GUIDE, tmp_path)
    lines = [line for line in (tmp_path / "cats.py").read_text().splitlines() if line]
    example = (CHECKOUT / "examples" / "cats" / "__main__.py").read_text()
    missing = [line for line in lines[1:-2] if line not in example]
    assert missing == []
