"""LimitRanger: what pods and claims of a namespace may ask for, and what they get if they ask for nothing.

One of the admission plugins of `kubeapi/server.py`. Mirrors `plugin/pkg/admission/limitranger/admission.go`.
"""

from collections.abc import Sequence
from typing import Protocol

from generic.admission.interface import Attributes
from generic.meta import errors, quantity
from generic.meta.gvk import GroupResource
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from kubeapi.admission import limits

ANNOTATION = "kubernetes.io/limit-ranger"
_PODS = GroupResource("", "pods")
_CLAIMS = GroupResource("", "persistentvolumeclaims")
_CONTAINERS = (("containers", "container"), ("initContainers", "init container"))


class LimitReader(Protocol):
    """The part of a Cacher of limit ranges that is needed here."""

    async def start(self) -> None: ...

    def peek_all(self, namespace: str = "") -> Sequence[StoredObject]: ...


class LimitRanger:
    """Fills in defaults, then refuses what is too little or too much."""

    name = "LimitRanger"

    def __init__(self, ranges: LimitReader) -> None:
        self._ranges = ranges

    def handles(self, attributes: Attributes) -> bool:
        """New pods, pods that are resized, and claims."""
        resource, operation = attributes.resource.group_resource, attributes.operation
        if resource == _CLAIMS:
            return operation in ("CREATE", "UPDATE") and not attributes.subresource
        if resource != _PODS:
            return False
        changes = (operation, attributes.subresource)
        return changes in (("CREATE", ""), ("UPDATE", "resize"))

    async def admit(self, attributes: Attributes) -> None:
        pod = attributes.object
        if pod is None or attributes.resource.group_resource != _PODS or attributes.operation != "CREATE":
            return
        ranges = await self._of(attributes.namespace)
        _refuse_too_many(attributes, pod, ranges)
        for found in ranges:
            _fill_in(pod, found)

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403, saying everything that is wrong."""
        if attributes.object is None:
            return
        ranges = await self._of(attributes.namespace)
        check = limits.of_claim
        if attributes.resource.group_resource == _PODS:
            check = limits.of_pod
            _refuse_too_many(attributes, attributes.object, ranges)
        for found in ranges:
            problems = list(dict.fromkeys(check(attributes.object["spec"], found["spec"].get("limits") or ())))
            if problems:
                why = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
                raise errors.forbidden(attributes.resource.group_resource, attributes.name, why)

    async def _of(self, namespace: str) -> list[JSONObject]:
        await self._ranges.start()
        return [stored.decoded() for stored in self._ranges.peek_all(namespace)]


def _refuse_too_many(attributes: Attributes, pod: JSONObject, ranges: Sequence[JSONObject]) -> None:
    items = [item for found in ranges for item in found["spec"].get("limits") or ()]
    if limits.are_too_many(pod["spec"], items):
        why = "its containers and the limits of the namespace are too many to be compared"
        raise errors.forbidden(_PODS, attributes.name, why)


def _fill_in(pod: JSONObject, found: JSONObject) -> None:
    """What containers do not ask for, they ask for the default of; an annotation tells which."""
    requests: dict[str, str] = {}
    most: dict[str, str] = {}
    for item in found["spec"].get("limits") or ():
        if item.get("type") == "Container":
            requests |= {name: quantity.canonical(str(v)) for name, v in (item.get("defaultRequest") or {}).items()}
            most |= {name: quantity.canonical(str(v)) for name, v in (item.get("default") or {}).items()}
    told = []
    for key, what in _CONTAINERS:
        for container in pod["spec"].get(key) or ():
            for kind, defaults in (("request", requests), ("limit", most)):
                added = _merge(container, f"{kind}s", defaults)
                if added:
                    told.append(f"{', '.join(sorted(added))} {kind} for {what} {container['name']}")
    if told:
        annotations = pod["metadata"].get("annotations") or {}
        pod["metadata"]["annotations"] = {**annotations, ANNOTATION: f"LimitRanger plugin set: {'; '.join(told)}"}


def _merge(container: JSONObject, key: str, defaults: dict[str, str]) -> list[str]:
    resources = container.get("resources") or {}
    held = resources.get(key) or {}
    added = [name for name in defaults if name not in held]
    if added:
        container["resources"] = {**resources, key: {**held, **{name: defaults[name] for name in added}}}
    return added
