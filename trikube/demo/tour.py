"""The tour: starts a control plane in a folder of its own, walks through the steps, leaves nothing behind.

Called by `trikube demo` (`make demo`) from a checkout, and by the end-to-end test.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from trikube.background.kubectl import Kubectl
from trikube.background.process import Process, ProcessFailed
from trikube.demo.failures import TourFailed
from trikube.demo.guide import Guide
from trikube.demo.registration import SampleServer
from trikube.demo.steps import STEPS
from trikube.demo.traffic import Traffic

CHECKOUT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    argparse.ArgumentParser(prog="trikube demo", description="The tour of the whole chain.").parse_args(arguments)
    try:
        run(print)
    except (TourFailed, ProcessFailed) as error:
        print(f"the tour failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run(say: Callable[[str], None]) -> None:
    """The whole tour; each line it shows goes to `say`. Raises TourFailed, ProcessFailed."""
    manifests = CHECKOUT / "manifests"
    if not manifests.is_dir():
        raise TourFailed("the tour needs a checkout of trikube: its manifests and examples are not installed")
    folder = Path(tempfile.mkdtemp(prefix="trikube-demo-"))
    try:
        _walk(folder, manifests, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _walk(folder: Path, manifests: Path, say: Callable[[str], None]) -> None:
    data, log = folder / "data", folder / "trikube.log"
    command = [sys.executable, "-m", "trikube.cli", "up", "--data-dir", str(data), "--secure-port", "0", "--v", "3"]
    plane = Process("the control plane", command, log=log)
    started = time.monotonic()
    plane.start(until="use it with")
    try:
        say(f"trikube is up after {time.monotonic() - started:.2f} s: three servers in one process")
        sample = SampleServer(folder / "wardle", data, checkout=CHECKOUT)
        guide = Guide(
            Kubectl(data / "admin.kubeconfig", folder / "home"),
            Traffic(log),
            manifests=manifests,
            aggregated_server=sample.program,
            registration=sample.registration,
            say=say,
        )
        try:
            for number, step in enumerate(STEPS, 1):
                say(f"\n== {number}. {(step.__doc__ or '').strip()}")
                step(guide)
        finally:
            sample.program.stop()
    finally:
        plane.stop()
    say("\nThat was the tour: nothing is left running.")
