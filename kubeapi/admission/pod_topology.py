"""PodTopologyLabels: a pod that is put on a node learns in which zone and region that is.

One of the admission plugins (`order.py`). Mirrors `plugin/pkg/admission/podtopologylabels/admission.go`.
"""

from generic.admission.interface import Attributes
from generic.meta.gvk import GroupResource
from kubeapi.admission.reading import Reader

_PODS = GroupResource("", "pods")
_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class PodTopologyLabels:
    """Copies labels of the node onto a new pod that names one, or onto the binding, whose labels the pod gets."""

    name = "PodTopologyLabels"

    def __init__(self, nodes: Reader) -> None:
        self._nodes = nodes

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.operation == "CREATE"
            and attributes.resource.group_resource == _PODS
            and attributes.subresource in ("", "binding")
        )

    async def admit(self, attributes: Attributes) -> None:
        obj = attributes.object
        if obj is None:
            return
        if attributes.subresource:
            target = obj.get("target") or {}
            name = target.get("name") if target.get("kind") == "Node" else ""
        else:
            name = obj["spec"].get("nodeName")
        found = await self._nodes.get("", name, resource_version="0") if name else None
        labels = {label: found.labels[label] for label in _LABELS if label in found.labels} if found else {}
        if labels:
            obj["metadata"]["labels"] = {**(obj["metadata"].get("labels") or {}), **labels}
