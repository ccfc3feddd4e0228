"""A kubelet of two nodes without containers: it says that pods run, that those of Jobs succeed, and lets go of them.

`python tools/real/hollow_kubelet.py KUBECONFIG`. For `controllers.sh` beside it, and for trying things by hand.
"""

import asyncio
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

from generic.client import kubeconfig
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

NODES = ("hollow-1", "hollow-2")
NODE, POD = GroupVersionResource("", "v1", "nodes"), GroupVersionResource("", "v1", "pods")
LEASE = GroupVersionResource("coordination.k8s.io", "v1", "leases")
LEASES = "kube-node-lease"

_LOG = logging.getLogger(__name__)


def _now(precision: str = "seconds") -> str:
    return datetime.now(UTC).isoformat(timespec=precision).replace("+00:00", "Z")


def _conditions(status: str, *names: str) -> list[dict[str, str]]:
    return [{"type": name, "status": status, "reason": "Hollow", "lastTransitionTime": _now()} for name in names]


async def _ensure(client: Client, gvr: GroupVersionResource, obj: JSONObject) -> None:
    try:
        await client.create(gvr, obj)
    except errors.StatusError as error:
        if error.reason != "AlreadyExists":
            raise


async def _join(client: Client) -> None:
    for name in NODES:
        metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
        await _ensure(client, NODE, {"apiVersion": "v1", "kind": "Node", "metadata": metadata})
        lease = {"metadata": {"name": name, "namespace": LEASES}, "spec": {"holderIdentity": name}}
        await _ensure(client, LEASE, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", **lease})


async def _report(client: Client) -> None:
    """A kubelet's heartbeat: status and lease."""
    amounts = {"cpu": "8", "memory": "16Gi", "pods": "110"}
    for name in NODES:
        status = {"capacity": amounts, "allocatable": amounts, "conditions": _conditions("True", "Ready")}
        await client.patch(NODE, name, {"status": status}, subresource="status")
        renewed = {"leaseDurationSeconds": 40, "renewTime": _now("microseconds")}
        await client.patch(LEASE, name, {"spec": renewed}, namespace=LEASES)


def _status(pod: JSONObject, address: str) -> JSONObject:
    succeeds = any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", ()))
    ended = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": _now(), "finishedAt": _now()}}
    state = ended if succeeds else {"running": {"startedAt": _now()}}
    told = {"imageID": "", "ready": not succeeds, "restartCount": 0, "state": state}
    return {
        "phase": "Succeeded" if succeeds else "Running",
        "podIP": address,
        "podIPs": [{"ip": address}],
        "startTime": _now(),
        "conditions": _conditions("False" if succeeds else "True", "Ready", "ContainersReady"),
        "containerStatuses": [
            {"name": one["name"], "image": one["image"], **told} for one in pod["spec"]["containers"]
        ],
    }


async def _run_pods(client: Client, started: dict[str, str]) -> None:
    for pod in (await client.list(POD))["items"]:
        metadata = pod["metadata"]
        name, namespace, uid = metadata["name"], metadata["namespace"], metadata["uid"]
        if pod["spec"].get("nodeName") not in NODES:
            continue
        if metadata.get("deletionTimestamp"):
            await client.delete(POD, name, namespace, uid=uid, grace_period_seconds=0)
        elif uid not in started:
            started[uid] = f"10.244.{len(started) // 250}.{len(started) % 250 + 1}"
            await client.patch(
                POD, name, {"status": _status(pod, started[uid])}, namespace=namespace, subresource="status"
            )


async def main(path: Path) -> None:
    client = Client.connect(kubeconfig.load(path))
    await _join(client)
    started: dict[str, str] = {}
    while True:
        try:
            await _report(client)
            await _run_pods(client, started)
        except errors.StatusError as error:
            # Deleted or changed meanwhile: the next round sees it.
            _LOG.warning("%s", error)
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
