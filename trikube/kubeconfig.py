"""Writes the kubeconfig with which the administrator, and the tour, reach the control plane.

Called by the control plane at start. Everything is embedded, so the file may be copied elsewhere. Mirrors
`cmd/kubeadm/app/util/kubeconfig`; reading one is `generic.client.kubeconfig`.
"""

import base64
from pathlib import Path
from typing import Any

import yaml

from trikube.pki import files


def write(
    path: Path,
    *,
    server: str,
    ca: bytes,
    client_cert: bytes,
    client_key: bytes,
    user: str = "kubernetes-admin",
    cluster: str = "trikube",
) -> None:
    """Write a kubeconfig, mode 0600, atomically; `ca`, `client_cert` and `client_key` are PEM.

    A file that says so already is left alone. Raises PKIError.
    """
    context = f"{user}@{cluster}"
    document: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"certificate-authority-data": _base64(ca), "server": server}}],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": user}}],
        "current-context": context,
        "preferences": {},
        "users": [
            {
                "name": user,
                "user": {"client-certificate-data": _base64(client_cert), "client-key-data": _base64(client_key)},
            }
        ],
    }
    data = yaml.safe_dump(document, sort_keys=False).encode()
    if files.read(path) != data:
        files.write(path, data)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
