"""pytest loads the plugin in every run of every project: it must cost nothing there."""

import subprocess
import sys


def test_loading_the_plugin_imports_no_server_and_no_client() -> None:
    script = (
        "import sys, pytest; before = set(sys.modules); import trikube.testing.plugin;"
        "print(*sorted({name.split('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["trikube"]
