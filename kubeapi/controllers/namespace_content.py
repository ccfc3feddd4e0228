"""Takes a terminating namespace to its end: deletes what is in it, says what is left, then takes the finalizer off.

One call of `finish` is one attempt; the controller calls it again until it is through. What there is to delete is
asked of discovery, so custom resources and those of aggregated servers go as well. Mirrors
`pkg/controller/namespace/deletion/namespaced_resources_deleter.go`.
"""

import asyncio
import math
from collections.abc import Iterable, Iterator

from generic.client.rest import Client, path_of
from generic.meta import errors
from generic.meta import time as meta_time
from generic.meta.gvk import GroupVersion, GroupVersionResource
from generic.types import JSONObject
from kubeapi.bootstrap.namespaces import NAMESPACES
from kubeapi.controllers import namespace_conditions
from kubeapi.controllers.namespace_conditions import Findings

FINALIZER = "kubernetes"
_PODS = GroupVersionResource("", "v1", "pods")
_FINALIZER_ESTIMATE = 15
_AT_ONCE = 16
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class ResourcesRemaining(Exception):
    """Content is on its way out; look again in `seconds` or so."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"some content remains in the namespace, estimate {seconds} seconds before it is removed")
        self.seconds = seconds


class DeletionFailed(Exception):
    """Some content could not be deleted, or some resources not be discovered."""


class NamespaceContent:
    """Works through the API alone, as system:apiserver."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def finish(self, name: str) -> None:
        """One attempt; returns when there is nothing left to do.

        Raises ResourcesRemaining, DeletionFailed, StatusError.
        """
        try:
            namespace = await self._client.get(NAMESPACES, name)
            if not namespace["metadata"].get("deletionTimestamp"):
                return
            if (namespace.get("status") or {}).get("phase") != "Terminating":
                namespace["status"] = {**(namespace.get("status") or {}), "phase": "Terminating"}
                namespace = await self._client.update_status(NAMESPACES, namespace)
            if not (namespace.get("spec") or {}).get("finalizers"):
                return
            await self._empty(namespace)
            await self._finalize(name)
        except errors.StatusError as error:
            # A namespace that is gone is what this is about.
            if error.reason != "NotFound":
                raise

    async def _empty(self, namespace: JSONObject) -> None:
        name, findings = namespace["metadata"]["name"], Findings()
        resources = await self._discover(findings)
        estimate = 0
        if _PODS in resources:
            # Pods first: what they use should be there as long as they are.
            estimate = await self._delete(_PODS, namespace, findings)
        if not findings.remaining:
            limit = asyncio.Semaphore(_AT_ONCE)

            async def one(gvr: GroupVersionResource) -> int:
                async with limit:
                    return await self._delete(gvr, namespace, findings)

            rest = await asyncio.gather(*(one(gvr) for gvr in resources if gvr != _PODS))
            estimate = max([estimate, *rest])
        await self._tell(name, findings)
        if findings.errors:
            raise DeletionFailed(", ".join(findings.errors))
        if estimate:
            raise ResourcesRemaining(estimate)

    async def _discover(self, findings: Findings) -> list[GroupVersionResource]:
        """Every namespaced resource that can be deleted, each in its group's preferred version."""
        documents = await asyncio.gather(*(self._discovery(path) for path in ("/api", "/apis")))
        return [gvr for document in documents for gvr in _deletable(document, findings)]

    async def _discovery(self, path: str) -> JSONObject:
        return (await self._client.request("GET", path, headers={"accept": _AGGREGATED})).json()

    async def _delete(self, gvr: GroupVersionResource, namespace: JSONObject, findings: Findings) -> int:
        """Delete one resource's objects. Returns in how many seconds the rest may be gone; 0 if that is unknown."""
        name = namespace["metadata"]["name"]
        try:
            items = await self._list(gvr, name)
            if not items:
                return 0
            patience = await self._grace(namespace) if gvr == _PODS else 0
            await self._delete_all(gvr, name, items)
            items = await self._list(gvr, name)
        except errors.StatusError as error:
            if error.reason not in ("NotFound", "MethodNotAllowed"):
                findings.deletion_errors.append(str(error))
            return 0
        if not items:
            return 0
        finalizers = [finalizer for item in items for finalizer in item["metadata"].get("finalizers") or ()]
        findings.remaining[gvr.group_resource] += len(items)
        findings.finalizers.update(finalizers)
        if patience or finalizers:
            return patience or _FINALIZER_ESTIMATE
        what = f"{gvr.group}/{gvr.version}, Resource={gvr.resource}"
        findings.deletion_errors.append(f"unexpected items still remain in namespace: {name} for gvr: {what}")
        return 0

    async def _list(self, gvr: GroupVersionResource, namespace: str) -> list[JSONObject]:
        reply = await self._client.request("GET", path_of(gvr, namespace), headers={"accept": _METADATA})
        items: list[JSONObject] = reply.json().get("items") or []
        return items

    async def _delete_all(self, gvr: GroupVersionResource, namespace: str, items: Iterable[JSONObject]) -> None:
        try:
            await self._client.delete_collection(gvr, namespace, propagation="Background")
        except errors.StatusError as error:
            if error.reason not in ("NotFound", "MethodNotAllowed"):
                raise
            for item in items:
                await self._delete_one(gvr, item["metadata"]["name"], namespace)

    async def _delete_one(self, gvr: GroupVersionResource, name: str, namespace: str) -> None:
        try:
            await self._client.delete(gvr, name, namespace, propagation="Background")
        except errors.StatusError as error:
            if error.reason not in ("NotFound", "MethodNotAllowed"):
                raise

    async def _grace(self, namespace: JSONObject) -> int:
        """How long the pods may take to end, from when the namespace was deleted; 0 once that is over."""
        metadata = namespace["metadata"]
        pods = (await self._client.list(_PODS, metadata["name"]))["items"]
        running = (pod for pod in pods if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed"))
        longest = max((pod["spec"].get("terminationGracePeriodSeconds") or 0 for pod in running), default=0)
        since = meta_time.utcnow() - meta_time.parse(metadata["deletionTimestamp"])
        return 0 if since.total_seconds() >= longest else math.ceil(longest)

    async def _tell(self, name: str, findings: Findings) -> None:
        """Put the findings into the namespace's conditions, whoever else writes its status meanwhile."""
        while True:
            namespace = await self._client.get(NAMESPACES, name)
            status = namespace.get("status") or {}
            conditions = namespace_conditions.updated(status.get("conditions") or (), findings)
            if conditions is None:
                return
            namespace["status"] = {**status, "conditions": conditions}
            try:
                await self._client.update_status(NAMESPACES, namespace)
            except errors.StatusError as error:
                if error.reason != "Conflict":
                    raise
            else:
                return

    async def _finalize(self, name: str) -> None:
        while True:
            namespace = await self._client.get(NAMESPACES, name)
            left = [found for found in namespace["spec"].get("finalizers") or () if found != FINALIZER]
            namespace["spec"] = {**namespace["spec"], "finalizers": left}
            try:
                await self._client.update(NAMESPACES, namespace, subresource="finalize")
            except errors.StatusError as error:
                if error.reason != "Conflict":
                    raise
            else:
                return


def _deletable(document: JSONObject, findings: Findings) -> Iterator[GroupVersionResource]:
    for group in document.get("items") or ():
        group_name = (group.get("metadata") or {}).get("name") or ""
        seen: set[str] = set()
        for version in group.get("versions") or ():
            group_version = GroupVersion(group_name, version["version"])
            if version.get("freshness") == "Stale":
                findings.discovery_errors.append(f"{group_version}: stale GroupVersion discovery: {group_version}")
                continue
            for resource in version.get("resources") or ():
                plural = resource["resource"]
                if plural not in seen and resource.get("scope") == "Namespaced":
                    seen.add(plural)
                    if "delete" in (resource.get("verbs") or ()) and "list" in (resource.get("verbs") or ()):
                        yield group_version.with_resource(plural)
