"""A control plane as its users meet it: `trikube up`, and kubectl with its words checked. For tests in `tests/e2e`."""

from pathlib import Path

import orjson

from generic.types import JSONObject
from tests.support.program import UpProcess

CORE = "/api/v1/namespaces/default"
APPS = "/apis/apps/v1/namespaces/default"
BATCH = "/apis/batch/v1/namespaces/default"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


class Cluster:
    """`start` it, `stop` it whatever happens."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.process = UpProcess(folder / "data", *flags)
        self.kubectl = self.process.kubectl

    def start(self) -> None:
        self.process.start()

    def stop(self) -> None:
        self.process.kill()

    def ok(self, *arguments: str, stdin: str = "") -> str:
        """What kubectl prints when it succeeds."""
        done = self.kubectl.run(*arguments, stdin=stdin)
        assert done.code == 0, f"kubectl {' '.join(arguments)}: {done.err}{done.out}"
        return done.out

    def refused(self, *arguments: str, stdin: str = "") -> str:
        """What it complains of when it fails."""
        done = self.kubectl.run(*arguments, stdin=stdin)
        assert done.code != 0, f"kubectl {' '.join(arguments)} succeeded: {done.out}"
        return done.err

    def read(self, path: str) -> JSONObject:
        """An object as the API gives it."""
        found: JSONObject = orjson.loads(self.ok("get", "--raw", path))
        return found

    def is_gone(self, path: str) -> bool:
        return "NotFound" in self.kubectl.run("get", "--raw", path).err

    def apply(self, manifest: str | JSONObject) -> str:
        text = manifest if isinstance(manifest, str) else orjson.dumps(manifest).decode()
        return self.ok("apply", "-f", "-", stdin=text)
