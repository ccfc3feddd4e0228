"""What makes an aggregator find and trust a server: `... registration --address IP | kubectl apply -f -`.

Called by `builder.py` for the subcommand, and by tests. The address is written out, as for a server outside of the
cluster; `trikube boot build config` makes manifests for one inside. With `--user`, what the server needs to be allowed
at the main server too. Mirrors the manifests of `sample-apiserver/artifacts/example`.
"""

import argparse
import base64
import ipaddress
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from generic.admission.policy.following import PLURALS
from generic.meta.gvk import GroupVersion, version_sort_key
from generic.types import JSONObject
from trikube.aa import certificates
from trikube.aa.options import FOLDER, OptionsError

_HIGHEST_PRIORITY = 100
_RBAC = "rbac.authorization.k8s.io"


def objects(
    name: str, group_versions: Iterable[GroupVersion], *, address: str, port: int, ca: bytes
) -> list[JSONObject]:
    """The objects to apply, in order: everything is called `name`. `ca` is PEM. Raises OptionsError."""
    family = _family(address, port)
    meta = {"name": name, "namespace": name}
    labels = {"kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "trikube-aa"}
    ports = [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}]
    found: list[JSONObject] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": {"ports": ports}},
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**meta, "labels": labels},
            "addressType": family,
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        },
    ]
    in_order = sorted(set(group_versions), key=lambda each: (each.group, version_sort_key(each.version)))
    return [*found, *(_api_service(each, name, ca, priority) for priority, each in _with_priorities(in_order))]


def _family(address: str, port: int) -> str:
    try:
        family = f"IPv{ipaddress.ip_address(address).version}"
    except ValueError:
        raise OptionsError(f"--address {address} is not an IP address") from None
    if not 1 <= port <= 65535:
        raise OptionsError(f"--port {port} must be between 1 and 65535")
    return family


def rights(name: str, user: str) -> list[JSONObject]:
    """What lets a server ask, as this user: whose a token is and who may do what, whom to trust, what there is.

    That is namespaces, and the webhooks and policies that want to see its writes.
    """
    subjects = [{"apiGroup": _RBAC, "kind": "User", "name": user}]
    verbs = ["get", "list", "watch"]
    namespaces = {"apiGroups": [""], "resources": ["namespaces"], "verbs": verbs}
    plurals = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations", *PLURALS]
    admission = {"apiGroups": ["admissionregistration.k8s.io"], "resources": plurals, "verbs": verbs}
    reader = {"name": f"{name}-auth-reader", "namespace": "kube-system"}
    return [
        {**_rbac("ClusterRole", {"name": name}), "rules": [namespaces, admission]},
        _binding("ClusterRoleBinding", {"name": name}, subjects, role=("ClusterRole", name)),
        _binding(
            "ClusterRoleBinding",
            {"name": f"{name}:system:auth-delegator"},
            subjects,
            role=("ClusterRole", "system:auth-delegator"),
        ),
        _binding("RoleBinding", reader, subjects, role=("Role", "extension-apiserver-authentication-reader")),
    ]


def _rbac(kind: str, metadata: JSONObject) -> JSONObject:
    return {"apiVersion": f"{_RBAC}/v1", "kind": kind, "metadata": metadata}


def _binding(kind: str, metadata: JSONObject, subjects: list[JSONObject], *, role: tuple[str, str]) -> JSONObject:
    reference = {"apiGroup": _RBAC, "kind": role[0], "name": role[1]}
    return {**_rbac(kind, metadata), "roleRef": reference, "subjects": subjects}


def main(name: str, group_versions: Iterable[GroupVersion], arguments: Sequence[str]) -> int:
    """The subcommand; the exit code."""
    parser = argparse.ArgumentParser(
        prog=f"{name} registration", description=f"Print what registers {name}, for kubectl apply."
    )
    parser.add_argument("--address", required=True, metavar="IP", help="where the aggregator reaches the server")
    parser.add_argument("--port", type=int, default=9443, help="the server's --secure-port (9443)")
    parser.add_argument("--data-dir", type=Path, default=FOLDER / name, help="the server's --data-dir")
    parser.add_argument("--ca-file", type=Path, help="authority of its certificate; default: the one it made itself")
    parser.add_argument("--user", metavar="NAME", help="and the rights it needs as this user of the main server")
    given = parser.parse_args(arguments)
    try:
        _family(given.address, given.port)  # first: nothing is written for what cannot be registered
        ca_file = given.ca_file or certificates.ensure(given.data_dir / "certs", certificates.own_names(name)).ca_cert
        made = objects(name, group_versions, address=given.address, port=given.port, ca=ca_file.read_bytes())
        made += rights(name, given.user) if given.user else []
    except OptionsError as error:
        sys.stderr.write(f"{name}: error: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{name}: error: cannot read {error.filename}: {error.strerror}\n")
        return 1
    sys.stdout.write(yaml.safe_dump_all(made, sort_keys=False))
    return 0


def _with_priorities(in_order: Sequence[GroupVersion]) -> Iterable[tuple[int, GroupVersion]]:
    return ((max(_HIGHEST_PRIORITY - 5 * index, 1), each) for index, each in enumerate(in_order))


def _api_service(group_version: GroupVersion, name: str, ca: bytes, priority: int) -> JSONObject:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{group_version.version}.{group_version.group}"},
        "spec": {
            "group": group_version.group,
            "version": group_version.version,
            "groupPriorityMinimum": 1000,
            "versionPriority": priority,
            "service": {"name": name, "namespace": name, "port": 443},
            "caBundle": base64.b64encode(ca).decode(),
        },
    }
