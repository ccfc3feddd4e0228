"""The two PriorityClasses every cluster has. Run by a post-start hook of `kubeapi/server.py`.

Mirrors `pkg/registry/scheduling/rest/storage_scheduling.go` and `pkg/apis/scheduling/v1/helpers.go`.
"""

import asyncio

from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

PRIORITY_CLASSES = GroupVersionResource("scheduling.k8s.io", "v1", "priorityclasses")
_SYSTEM_CRITICAL = 2_000_000_000


def _priority_class(name: str, value: int, description: str) -> JSONObject:
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
        "description": description,
    }


SYSTEM_PRIORITY_CLASSES = (
    _priority_class(
        "system-node-critical",
        _SYSTEM_CRITICAL + 1000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
    _priority_class(
        "system-cluster-critical",
        _SYSTEM_CRITICAL,
        "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
    ),
)


async def ensure_priority_classes(client: Client) -> None:
    """Make those that are missing. Raises StatusError."""
    found = {item["metadata"]["name"] for item in (await client.list(PRIORITY_CLASSES))["items"]}
    missing = [obj for obj in SYSTEM_PRIORITY_CLASSES if obj["metadata"]["name"] not in found]
    await asyncio.gather(*(_ensure(client, obj) for obj in missing))


async def _ensure(client: Client, obj: JSONObject) -> None:
    try:
        await client.create(PRIORITY_CLASSES, obj)
    except errors.StatusError as error:
        if error.reason != "AlreadyExists":
            raise
