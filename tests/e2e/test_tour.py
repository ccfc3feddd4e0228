"""`make demo`, as a new user meets it: real processes, the real kubectl, nothing left behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from trikube.demo import tour
from trikube.demo.failures import TourFailed
from trikube.demo.tour import CHECKOUT


@pytest.mark.timeout(180)
def test_the_tour_shows_every_step_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "trikube.cli", "demo"],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path), "HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for step in range(1, 8):
        assert f"== {step}. " in done.stdout
    # Each tier answered something, and the aggregated server was reached through the first.
    ways = {line.rpartition("  ")[2] for line in done.stdout.splitlines() if line.startswith("    -> ")}
    shown = " | ".join(sorted(ways)) + done.stdout
    for way in ("aggregator > kubeapi", "aggregator > kubeapi > extensions", "AA behind v1alpha1.wardle.example.com"):
        assert way in shown
    assert list(tmp_path.glob("trikube-demo-*")) == []
    assert _processes_naming(str(tmp_path)) == []


def _processes_naming(text: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found


def test_the_tour_says_in_one_line_what_it_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour, "CHECKOUT", tmp_path)
    with pytest.raises(TourFailed, match="needs a checkout"):
        tour.run(lambda line: None)
