"""TaintNodesByCondition: no pod is put on a new node before its conditions say that it is ready.

One of the admission plugins of `kubeapi/server.py`. Mirrors `plugin/pkg/admission/nodetaint/admission.go`.
"""

from generic.admission.interface import Attributes
from generic.meta.gvk import GroupResource

_NODES = GroupResource("", "nodes")
_NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition:
    """Gives every new node the taint that a controller takes off again."""

    name = "TaintNodesByCondition"

    def handles(self, attributes: Attributes) -> bool:
        return (
            attributes.resource.group_resource == _NODES
            and not attributes.subresource
            and attributes.operation == "CREATE"
        )

    async def admit(self, attributes: Attributes) -> None:
        if attributes.object is None:
            return
        spec = attributes.object.setdefault("spec", {})
        taints = spec.get("taints") or []
        if not any({key: taint.get(key) for key in _NOT_READY} == _NOT_READY for taint in taints):
            spec["taints"] = [*taints, dict(_NOT_READY)]
