"""StorageProtection: storage that is in use goes only when it no longer is.

Started and stopped by hooks of `kubeapi/server.py`, one for each kind. Admission gives every claim, volume and class a
finalizer (`kubeapi/admission/storage.py`); here it is taken off what is to be deleted and has no user left. Without
this, and without a kube-controller-manager, nothing of them could ever be deleted. Mirrors
`pkg/controller/volume/{pvcprotection,pvprotection,vacprotection}`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from generic.client.controller import Controller
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupResource, GroupVersionResource
from generic.registry.backings import Backings
from generic.storage.cacher import Cacher
from generic.storage.watch_stream import WatchEvent
from generic.types import JSONObject
from kubeapi.admission.storage import FINALIZERS

_PODS = GroupResource("", "pods")
_CLAIMS = GroupVersionResource("", "v1", "persistentvolumeclaims")
_VOLUMES = GroupVersionResource("", "v1", "persistentvolumes")
_CLASSES = GroupVersionResource("storage.k8s.io", "v1", "volumeattributesclasses")

_SOON = 0.05

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Protected:
    """A kind whose objects are kept: by what they say themselves, or by one of `users` that `uses` it."""

    gvr: GroupVersionResource
    users: tuple[GroupResource, ...] = ()
    is_busy: Callable[[JSONObject], bool] = lambda obj: False
    uses: Callable[[JSONObject, JSONObject], bool] = lambda user, obj: False

    @property
    def finalizer(self) -> str:
        return FINALIZERS[self.gvr.group_resource]


class StorageProtection:
    """Follows one kind and its users through the watch caches of this process."""

    def __init__(self, client: Client, backings: Backings, kind: Protected) -> None:
        self._client = client
        self._backings = backings
        self._kind = kind
        self._queue: Controller[_Key] = Controller(f"protection of {kind.gvr.resource}", self._reconcile)
        self._kept: set[_Key] = set()
        # To be deleted, but in use.
        self._ends: list[Callable[[], None]] = []

    async def start(self) -> None:
        own = self._cacher(self._kind.gvr.group_resource)
        if own is None:
            # An older Kubernetes, which has none of them.
            return
        users = [found for found in map(self._cacher, self._kind.users) if found is not None]
        # No cache is loaded for this: it is by whoever first reads or writes what it holds, and then it tells of all.
        self._ends = [own.subscribe(self._hear), *(cacher.subscribe(self._hear_user) for cacher in users)]
        self._queue.start()

    async def stop(self) -> None:
        await self._queue.stop()
        for end in self._ends:
            end()
        self._ends.clear()

    def _cacher(self, resource: GroupResource) -> Cacher | None:
        backing = self._backings.held(resource)
        return None if backing is None else backing.cacher

    def _hear(self, event: WatchEvent) -> None:
        found = event.object
        if found is None:
            return
        key = found.namespace, found.name
        if event.type == "DELETED":
            self._kept.discard(key)
        elif b'"deletionTimestamp"' in found.raw or self._kind.finalizer.encode() not in found.raw:
            self._queue.enqueue(key)

    def _hear_user(self, event: WatchEvent) -> None:
        """Whatever happened to it, it may have let go of something."""
        if event.type == "ADDED" or event.object is None:
            return
        for key in self._kept:
            if key[0] in ("", event.object.namespace):
                self._queue.enqueue(key)

    async def _reconcile(self, key: _Key) -> None:
        own = self._cacher(self._kind.gvr.group_resource)
        stored = own.peek(*key) if own is not None else None
        if stored is None:
            self._kept.discard(key)
            return
        obj = stored.decoded()
        metadata, finalizer = obj["metadata"], self._kind.finalizer
        finalizers = metadata.get("finalizers") or []
        if not metadata.get("deletionTimestamp"):
            if finalizer not in finalizers:
                await self._write(key, obj, [*finalizers, finalizer])
        elif finalizer in finalizers:
            # Before it is looked at: a user that goes meanwhile has it looked at again.
            self._kept.add(key)
            if await self._is_used(obj):
                return
            self._kept.discard(key)
            await self._write(key, obj, [held for held in finalizers if held != finalizer])

    async def _is_used(self, obj: JSONObject) -> bool:
        if self._kind.is_busy(obj):
            return True
        name, namespace = obj["metadata"]["name"].encode(), obj["metadata"].get("namespace") or ""
        for cacher in filter(None, map(self._cacher, self._kind.users)):
            await cacher.start()
            for stored in cacher.peek_all(namespace):
                if name in stored.raw and self._kind.uses(stored.decoded(), obj):
                    return True
        return False

    async def _write(self, key: _Key, obj: JSONObject, finalizers: list[str]) -> None:
        try:
            await self._client.update(
                self._kind.gvr, {**obj, "metadata": {**obj["metadata"], "finalizers": finalizers}}
            )
        except errors.StatusError as error:
            if error.reason == "Conflict":
                self._queue.enqueue_after(key, _SOON)
            elif error.reason != "NotFound":
                raise


def _pod_uses(pod: JSONObject, claim: JSONObject) -> bool:
    """Once it is on a node: a kubelet starts no pod whose claim is going."""
    if not pod["spec"].get("nodeName"):
        return False
    name = claim["metadata"]["name"]
    for volume in pod["spec"].get("volumes") or ():
        if (volume.get("persistentVolumeClaim") or {}).get("claimName") == name:
            return True
        if volume.get("ephemeral") is not None and f"{pod['metadata']['name']}-{volume['name']}" == name:
            return not _is_shut_down(pod) and _is_owned_by(claim, pod)
    return False


def _is_shut_down(pod: JSONObject) -> bool:
    """What is left of it may wait for its claims to go."""
    return bool(pod["metadata"].get("deletionTimestamp")) and pod["metadata"].get("deletionGracePeriodSeconds") == 0


def _is_owned_by(claim: JSONObject, pod: JSONObject) -> bool:
    owners: Iterable[JSONObject] = claim["metadata"].get("ownerReferences") or ()
    return any(owner.get("controller") and owner.get("uid") == pod["metadata"].get("uid") for owner in owners)


def _has_class(user: JSONObject, found: JSONObject) -> bool:
    """Of a claim or a volume: it has the class, is to have it, or is being given it."""
    spec, status = user.get("spec") or {}, user.get("status") or {}
    changing = status.get("modifyVolumeStatus") or {}
    return found["metadata"]["name"] in (
        spec.get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        changing.get("targetVolumeAttributesClassName"),
    )


CLAIMS = Protected(_CLAIMS, users=(_PODS,), uses=_pod_uses)
VOLUMES = Protected(_VOLUMES, is_busy=lambda volume: (volume.get("status") or {}).get("phase") == "Bound")
CLASSES = Protected(_CLASSES, users=(_CLAIMS.group_resource, _VOLUMES.group_resource), uses=_has_class)
