"""PodResizeValidator: a pod that runs does not grow beyond its node.

One of the admission plugins (`order.py`). Mirrors `plugin/pkg/admission/podresize/admission.go`.
"""

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupResource
from generic.types import JSONObject
from kubeapi.admission.reading import Reader
from kubeapi.quota import amounts, totals

_PODS = GroupResource("", "pods")
_SYSTEM = "kubernetes.io/os"


class PodResizeValidator:
    """Refuses by 403, with a cause that clients can tell apart."""

    name = "PodResizeValidator"

    def __init__(self, nodes: Reader) -> None:
        self._nodes = nodes

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.subresource == "resize"
            and attributes.operation == "UPDATE"
            and attributes.resource.group_resource == _PODS
        )

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError."""
        new, old = attributes.object or {}, attributes.old_object or {}
        name = (new.get("spec") or {}).get("nodeName")
        if not name or new["metadata"].get("generation") == old["metadata"].get("generation"):
            return
        stored = await self._nodes.get("", name)
        if stored is None:
            raise errors.forbidden(_PODS, attributes.name, f'node "{name}" not found')
        system = stored.labels.get(_SYSTEM, "linux")
        if system != "linux":
            why = f'pod resize is only supported on linux nodes, node "{name}" is "{system}"'
            raise _forbidden(attributes, why, "UnsupportedPlatform")
        lacking = _lacking(new, stored.decoded())
        if lacking:
            why = f"node didn't have enough allocatable resources: {'; '.join(lacking)}"
            raise _forbidden(attributes, why, "NodeCapacity")


def _lacking(pod: JSONObject, node: JSONObject) -> list[str]:
    """What the spec asks for and the node has not, in thousandths of processors and in bytes."""
    allocatable = amounts.of((node.get("status") or {}).get("allocatable"))
    wanted = totals.requests({"spec": pod["spec"]})
    found = []
    for name in ("cpu", "memory"):
        asked, there = wanted.get(name, amounts.ZERO), allocatable.get(name, amounts.ZERO)
        if asked > there:
            shown = [str(each.milli_value if name == "cpu" else each.value) for each in (asked, there)]
            found.append(f"{name}, requested: {shown[0]}, allocatable: {shown[1]}")
    return found


def _forbidden(attributes: Attributes, why: str, cause: str) -> StatusError:
    return errors.forbidden(_PODS, attributes.name, why, causes=[{"reason": cause}])
