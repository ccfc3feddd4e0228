"""Priority: how important a pod is, from the name of its class; and which classes there may be.

One of the admission plugins of `kubeapi/server.py`. Mirrors `plugin/pkg/admission/priority/admission.go`.
"""

from collections.abc import Sequence
from typing import Protocol

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.storage.objects import StoredObject
from generic.types import JSONObject

_PODS = GroupResource("", "pods")
_CLASSES = GroupResource("scheduling.k8s.io", "priorityclasses")
_PREEMPTS = "PreemptLowerPriority"


class ClassReader(Protocol):
    """The part of a Cacher of priority classes that is needed here."""

    async def start(self) -> None: ...

    async def get(self, namespace: str, name: str, *, resource_version: str = "") -> StoredObject | None: ...

    def peek_all(self, namespace: str = "") -> Sequence[StoredObject]: ...


class Priority:
    """Fills `spec.priority` and `spec.preemptionPolicy` in; they are not for clients to set."""

    name = "Priority"

    def __init__(self, classes: ClassReader) -> None:
        self._classes = classes

    def handles(self, attributes: Attributes) -> bool:
        return (
            not attributes.subresource
            and attributes.operation in ("CREATE", "UPDATE")
            and attributes.resource.group_resource in (_PODS, _CLASSES)
        )

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError 403 for a class that does not exist, and for a priority that is not its class's."""
        if attributes.object is None or attributes.resource.group_resource != _PODS:
            return
        if attributes.operation == "UPDATE":
            _keep(attributes.object["spec"], (attributes.old_object or {}).get("spec") or {})
        else:
            await self._fill(attributes, attributes.object["spec"])

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403 for a second class that is to be the default."""
        obj = attributes.object
        if obj is None or attributes.resource.group_resource != _CLASSES or not obj.get("globalDefault"):
            return
        held = await self._default_class()
        if held is not None and held["metadata"]["name"] != attributes.name:
            name = held["metadata"]["name"]
            why = f"PriorityClass {name} is already marked as default. Only one default can exist"
            raise errors.forbidden(_CLASSES, attributes.name, why)

    async def _fill(self, attributes: Attributes, spec: JSONObject) -> None:
        name = spec.get("priorityClassName") or ""
        if name:
            stored = await self._classes.get("", name)
            if stored is None:
                raise errors.forbidden(_PODS, attributes.name, f"no PriorityClass with name {name} was found")
            found: JSONObject = stored.decoded()
        else:
            found = await self._default_class() or {}
            if found:
                spec["priorityClassName"] = found["metadata"]["name"]
        priority, policy = found.get("value") or 0, found.get("preemptionPolicy") or _PREEMPTS
        _refuse_other(attributes, spec, "priority", "integer value of priority", priority)
        _refuse_other(attributes, spec, "preemptionPolicy", "string value of PreemptionPolicy", policy)
        spec["priority"], spec["preemptionPolicy"] = priority, policy

    async def _default_class(self) -> JSONObject | None:
        """Should there be two, the lower one."""
        await self._classes.start()
        decoded = [stored.decoded() for stored in self._classes.peek_all() if b'"globalDefault":true' in stored.raw]
        defaults = [found for found in decoded if found.get("globalDefault")]
        return min(defaults, key=lambda found: int(found.get("value") or 0), default=None)


def _keep(spec: JSONObject, before: JSONObject) -> None:
    """Who leaves them out of a PUT does not mean to change them."""
    for key in ("priority", "preemptionPolicy"):
        if spec.get(key) is None and before.get(key) is not None:
            spec[key] = before[key]


def _refuse_other(attributes: Attributes, spec: JSONObject, key: str, what: str, computed: object) -> None:
    given = spec.get(key)
    if given is not None and given != computed:
        why = (
            f"the {what} ({given}) must not be provided in pod spec; priority admission controller computed "
            f"{computed} from the given PriorityClass name"
        )
        raise errors.forbidden(_PODS, attributes.name, why)
