"""What Services use of a quota. Mirrors `pkg/quota/v1/evaluator/core/services.go`."""

from collections.abc import Iterable

from generic.admission.interface import Attributes
from generic.meta.gvk import GroupResource
from generic.types import JSONObject
from kubeapi.quota import amounts
from kubeapi.quota.amounts import Amounts
from kubeapi.quota.scopes import Requirement

_COUNTED = ("count/services", "services")
_NODE_PORTS = "services.nodeports"
_BALANCERS = "services.loadbalancers"


class Services:
    """Counted as they are, with their node ports and load balancers."""

    resource = GroupResource("", "services")

    def handles(self, attributes: Attributes) -> bool:
        """Updates too: the type may change."""
        return attributes.operation in ("CREATE", "UPDATE") and not attributes.subresource

    def matching(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in (*_COUNTED, _NODE_PORTS, _BALANCERS)]

    def matches_scope(self, scope: Requirement, obj: JSONObject) -> bool:
        return False

    def missing(self, required: Iterable[str], obj: JSONObject) -> str:
        return ""

    def usage(self, obj: JSONObject) -> Amounts:
        spec = obj.get("spec") or {}
        ports, type = spec.get("ports") or (), spec.get("type")
        node_ports = len(ports) if type in ("NodePort", "LoadBalancer") else 0
        if type == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
            # None is allocated: those count that were asked for by number.
            node_ports = sum(1 for port in ports if port.get("nodePort"))
        return {
            **dict.fromkeys(_COUNTED, amounts.ONE),
            _NODE_PORTS: amounts.count(node_ports),
            _BALANCERS: amounts.count(int(type == "LoadBalancer")),
        }
