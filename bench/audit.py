"""What audit costs: the GETs of `figures.py`, each with two events in a file. Put into the table by `__main__.py`."""

import shutil
import tempfile
from pathlib import Path

from bench import figures

_POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
rules:
- {level: None, nonResourceURLs: ["/readyz*"]}
- {level: RequestResponse, resources: [{group: apps}]}
- {level: Metadata}
"""


def gets(runs: int) -> list[float]:
    """GET/s of one ConfigMap of 1 KiB, 16 clients, audited at level Metadata."""
    folder = Path(tempfile.mkdtemp(prefix="trikube-bench-"))
    try:
        policy = folder / "policy.yaml"
        policy.write_text(_POLICY)
        flags = (f"--audit-policy-file={policy}", f"--audit-log-path={folder / 'audit.log'}")
        with figures.running(*flags) as server:
            return figures.gets(server, runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
