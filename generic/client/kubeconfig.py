"""Reads a kubeconfig: where a server is, whom to trust and who we are.

Called by aggregated API servers and tools that reach a control plane as a client. Mirrors
`client-go/tools/clientcmd`: the same file, the same meaning of relative paths, data before file.
Credential plugins (`exec`, `auth-provider`) are not supported and are refused by name.
"""

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class KubeconfigError(Exception):
    """The file cannot be used; the message is one line and says why."""


@dataclass(frozen=True)
class ClientConfig:
    """One context of a kubeconfig, resolved: all files read, all certificates PEM bytes."""

    server: str
    ca: bytes | None = None
    """Whom to trust; None means the system's roots."""
    client_cert: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None
    """Read it again before use: such tokens are rotated."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    namespace: str = "default"
    tls_server_name: str | None = None
    insecure_skip_tls_verify: bool = False
    proxy_url: str | None = None

    def bearer_token(self) -> str | None:
        """The token to present now. Raises KubeconfigError if its file cannot be read or is empty."""
        if self.token_file is None:
            return self.token
        token = _read(self.token_file).decode(errors="replace").strip()
        if not token:
            raise KubeconfigError(f"read empty token from file {self.token_file}")
        return token

    def ssl_context(self) -> ssl.SSLContext:
        """A client's TLS settings for this server, client certificate included. Raises KubeconfigError."""
        try:
            context = ssl.create_default_context(cadata=self.ca.decode() if self.ca is not None else None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.insecure_skip_tls_verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if self.client_cert is not None and self.client_key is not None:
                _load_client_cert(context, self.client_cert, self.client_key)
        except (ssl.SSLError, ValueError) as error:
            raise KubeconfigError(f"bad certificate data for {self.server}: {error}") from error
        return context


def load(path: Path, *, context: str = "") -> ClientConfig:
    """One context of a kubeconfig file, the current one unless named. Raises KubeconfigError."""
    try:
        document = yaml.load(_read(path), Loader=_Loader)  # noqa: S506, a safe loader, the one in C
    except yaml.YAMLError as error:
        raise KubeconfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, dict):
        raise KubeconfigError(f"{path} is not a kubeconfig")
    name = context or str(document.get("current-context") or "")
    if not name:
        raise KubeconfigError(f"{path} has no current-context")
    chosen = _entry(document, path, "contexts", name=name)
    cluster = _entry(document, path, "clusters", name=str(chosen.get("cluster", "")))
    user: Mapping[str, Any] = {}
    if chosen.get("user"):
        user = _entry(document, path, "users", name=str(chosen["user"]))
    return _resolve(path, chosen, cluster, user)


def _resolve(
    path: Path, context: Mapping[str, Any], cluster: Mapping[str, Any], user: Mapping[str, Any]
) -> ClientConfig:
    for plugin in ("exec", "auth-provider"):
        if user.get(plugin):
            raise KubeconfigError(f"{path}: the user's {plugin} credential plugin is not supported")
    server = cluster.get("server")
    if not server:
        raise KubeconfigError(f"{path}: the cluster has no server")
    cert = _data(path, user, "client-certificate")
    key = _data(path, user, "client-key")
    if (cert is None) != (key is None):
        raise KubeconfigError(f"{path}: client-certificate and client-key must be given together")
    token, token_file = user.get("token"), user.get("tokenFile")
    return ClientConfig(
        server=str(server).rstrip("/"),
        ca=_data(path, cluster, "certificate-authority"),
        client_cert=cert,
        client_key=key,
        token=str(token) if token else None,
        # The literal token wins, as in clientcmd.
        token_file=path.parent / str(token_file) if token_file and not token else None,
        username=user.get("username") or None,
        password=user.get("password") or None,
        namespace=str(context.get("namespace") or "default"),
        tls_server_name=cluster.get("tls-server-name") or None,
        insecure_skip_tls_verify=bool(cluster.get("insecure-skip-tls-verify")),
        proxy_url=cluster.get("proxy-url") or None,
    )


def _entry(document: Mapping[str, Any], path: Path, section: str, *, name: str) -> Mapping[str, Any]:
    kind = section[:-1]
    for entry in document.get(section) or []:
        if isinstance(entry, dict) and entry.get("name") == name:
            value = entry.get(kind) or {}
            if isinstance(value, dict):
                return value
    raise KubeconfigError(f'{path}: {kind} "{name}" does not exist')


def _data(path: Path, source: Mapping[str, Any], key: str) -> bytes | None:
    embedded, file = source.get(f"{key}-data"), source.get(key)
    if embedded:
        try:
            return base64.b64decode(str(embedded), validate=True)
        except binascii.Error as error:
            raise KubeconfigError(f"{path}: {key}-data is not base64") from error
    if file:
        return _read(path.parent / str(file))
    return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise KubeconfigError(f"cannot read {path}: {error.strerror}") from error


def _load_client_cert(context: ssl.SSLContext, cert: bytes, key: bytes) -> None:
    # The ssl module reads certificates from files only. mkstemp's are 0600, and it is gone at once.
    handle, name = tempfile.mkstemp(suffix=".pem")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(cert.rstrip() + b"\n" + key)
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()
