"""The pytest plugin as its users meet it: pytest runs of their own, on files of the guide and on small ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import guide

# Loaded by name, so that it is the plugin of this checkout whether or not it is installed.
PLUGINS = ("-p", "trikube.testing.plugin", "-p", "xdist", "-p", "no:cacheprovider")
STRICT = ("-W", "error")


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest in `folder`."""
    command = [sys.executable, "-m", "pytest", *PLUGINS, "--basetemp", str(folder / "tmp"), *arguments]
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    env.pop("PYTEST_ADDOPTS", None)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env, timeout=55, check=False)


def test_the_guide_passes_as_it_is_printed(tmp_path: Path) -> None:
    names = guide.write_files("testing.md", tmp_path)
    tests = [name for name in names if name.startswith("test_")]
    assert len(tests) >= 3
    # Warnings are left alone: kopf leaves connections to the garbage collector.
    done = run_pytest(tmp_path, *tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_guide_works_without_pytest(tmp_path: Path) -> None:
    guide.write_files("testing.md", tmp_path)
    done = subprocess.run(
        [sys.executable, "without_pytest.py"], cwd=tmp_path, capture_output=True, text=True, timeout=55, check=True
    )
    assert "namespace/default" in done.stdout


def test_a_session_shares_one_and_workers_do_not(tmp_path: Path) -> None:
    (tmp_path / "test_shared.py").write_text(
        "import pathlib, pytest\n"
        "@pytest.mark.parametrize('number', range(2))\n"
        "@pytest.mark.parametrize('group', [pytest.param(g, marks=pytest.mark.xdist_group(g)) for g in 'ab'])\n"
        "def test_one(shared_control_plane, number, group, worker_id):\n"
        "    with open('urls.txt', 'a') as file:\n"
        "        file.write(f'{worker_id} {shared_control_plane.url}\\n')\n"
        "    assert shared_control_plane.httpx_client().get('/readyz').text == 'ok'\n"
    )
    done = run_pytest(tmp_path, "-n", "2", "--dist", "loadgroup", *STRICT)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = (tmp_path / "urls.txt").read_text().splitlines()
    assert len(seen) == 4
    assert len({line.split()[0] for line in seen}) == len({line.split()[1] for line in seen}) == len(set(seen)) == 2


def test_flags_come_from_a_fixture_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    conftest = "import pytest\n@pytest.fixture(scope='session')\ndef control_plane_flags(): return {}\n"
    (tmp_path / "conftest.py").write_text(conftest.format(["--anonymous-auth=false"]))
    (tmp_path / "test_flags.py").write_text(
        "import httpx\n"
        "def test_it(control_plane):\n"
        "    assert httpx.get(control_plane.url + '/version', verify=False).status_code == 401\n"
    )
    done = run_pytest(tmp_path, "--trikube-mode", "thread", *STRICT)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "conftest.py").write_text(conftest.format(["--event-ttl=0s"]))
    for mode in ("process", "thread"):
        done = run_pytest(tmp_path, "--trikube-mode", mode)
        assert done.returncode == 1
        assert "ControlPlaneError: the control plane did not start: " in done.stdout
        assert "--event-ttl 0s must be positive" in done.stdout


def test_a_failing_test_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "test_fails.py").write_text(
        "import pathlib\n"
        "def test_it(control_plane):\n"
        "    pathlib.Path('pid').write_text(str(control_plane._runner.process.pid))\n"
        "    assert False\n"
    )
    assert run_pytest(tmp_path, *STRICT).returncode == 1
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
