"""ServiceCIDR `kubernetes`: the ranges this server gives cluster IPs from, for others to read.

Run by a post-start hook of `kubeapi/server.py`. One of other ranges, from a server that was told differently, is left
as it is and said not to be ready. Mirrors `pkg/controlplane/controller/defaultservicecidr`.
"""

import logging

from generic.client.rest import Client
from generic.meta import errors
from generic.meta import time as meta_time
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

SERVICE_CIDRS = GroupVersionResource("networking.k8s.io", "v1", "servicecidrs")
KIND = SERVICE_CIDRS.group_version.with_kind("ServiceCIDR")
NAME = "kubernetes"

_LOG = logging.getLogger(__name__)


async def ensure_service_cidr(client: Client, cidrs: list[str]) -> None:
    """Make it if it is missing, and see that its status is right. Raises StatusError."""
    found = await _get_or_create(client, cidrs)
    held = found["spec"].get("cidrs") or []
    if held == cidrs:
        wanted = {"status": "True", "reason": "", "message": "Kubernetes default Service CIDR is ready"}
    else:
        _LOG.warning("ServiceCIDR %s says %s, but addresses are given from %s", NAME, held, cidrs)
        why = f"Default ServiceCIDR configured flags value --service-cluster-ip-range={','.join(cidrs)} does not match"
        wanted = {"status": "False", "reason": "KubernetesDefaultServiceCIDRInconsistent", "message": why}
    condition = next((c for c in (found.get("status") or {}).get("conditions") or () if c["type"] == "Ready"), None)
    if condition is not None and {key: condition.get(key, "") for key in wanted} == wanted:
        return
    made = {"type": "Ready", **wanted, "lastTransitionTime": meta_time.now()}
    found["status"] = {**(found.get("status") or {}), "conditions": [made]}
    await client.update_status(SERVICE_CIDRS, found)


async def _get_or_create(client: Client, cidrs: list[str]) -> JSONObject:
    try:
        return await client.get(SERVICE_CIDRS, NAME)
    except errors.StatusError as error:
        if error.reason != "NotFound":
            raise
    obj: JSONObject = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "ServiceCIDR",
        "metadata": {"name": NAME},
        "spec": {"cidrs": cidrs},
    }
    try:
        return await client.create(SERVICE_CIDRS, obj)
    except errors.StatusError as error:
        if error.reason != "AlreadyExists":
            raise
        return await client.get(SERVICE_CIDRS, NAME)
