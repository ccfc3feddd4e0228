"""The namespaces every cluster has. Run by a post-start hook of `kubeapi/server.py`.

Mirrors `pkg/controlplane/controller/systemnamespaces/system_namespaces_controller.go`; `default` is made there by the
controller of the `kubernetes` service.
"""

import asyncio

from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

NAMESPACES = GroupVersionResource("", "v1", "namespaces")
SYSTEM_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


async def ensure_namespaces(client: Client) -> None:
    """Make those that are missing: one list, and a write only where something is. Raises StatusError."""
    found = {item["metadata"]["name"] for item in (await client.list(NAMESPACES))["items"]}
    await asyncio.gather(*(ensure_namespace(client, name) for name in SYSTEM_NAMESPACES if name not in found))


async def ensure_namespace(client: Client, name: str) -> None:
    """Make one namespace; that it is there already is as good. Raises StatusError."""
    obj: JSONObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    try:
        await client.create(NAMESPACES, obj)
    except errors.StatusError as error:
        if error.reason != "AlreadyExists":
            raise
