"""The columns of networking.k8s.io and discovery.k8s.io. Used by `kubeapi/resources/{networking,discovery}.py`."""

from generic.types import JSONObject
from kubeapi.resources.columns.common import AGE, NAME, NONE, UNSET, at, cell, selector_text, shortened, spec
from kubeapi.resources.columns.core import load_balancer_text

_LISTED = 3


def _hosts(ingress: JSONObject) -> str:
    rules = spec(ingress).get("rules") or ()
    named = [rule["host"] for rule in rules if rule.get("host")]
    if not named:
        return "*"
    # The server counts rules, not hosts, once three hosts are shown.
    cut = len(named) >= _LISTED and len(rules) > rules.index(next(r for r in rules if r.get("host") == named[2])) + 1
    text = ",".join(named[:_LISTED])
    return f"{text} + {len(rules) - _LISTED} more..." if cut else text


INGRESS = (
    NAME,
    cell("Class", at("spec", "ingressClassName", default=NONE)),
    cell("Hosts", _hosts),
    cell("Address", load_balancer_text),
    cell("Ports", lambda ingress: "80, 443" if spec(ingress).get("tls") else "80"),
    AGE,
)


def _parameters(obj: JSONObject) -> str:
    given = spec(obj).get("parameters")
    if not given:
        return NONE
    group = f".{given['apiGroup']}" if given.get("apiGroup") is not None else ""
    return f"{given.get('kind', '')}{group}/{given.get('name', '')}"


INGRESS_CLASS = (NAME, cell("Controller", at("spec", "controller")), cell("Parameters", _parameters), AGE)
NETWORK_POLICY = (NAME, cell("Pod-Selector", lambda obj: selector_text(spec(obj).get("podSelector") or {})), AGE)
SERVICE_CIDR = (NAME, cell("CIDRs", lambda obj: ",".join(spec(obj).get("cidrs") or ())), AGE)


def _parent(obj: JSONObject) -> str:
    parent = spec(obj).get("parentRef")
    if not parent:
        return NONE
    group = f".{parent['group']}" if parent.get("group") else ""
    namespace = f"/{parent['namespace']}" if parent.get("namespace") else ""
    return f"{parent.get('resource', '')}{group}".lower() + f"{namespace}/{parent.get('name', '')}"


IP_ADDRESS = (NAME, cell("ParentRef", _parent))


def _slice_ports(obj: JSONObject) -> str:
    ports = obj.get("ports") or ()
    shown = [str(port.get("port") or port.get("name") or "*") for port in ports]
    return shortened(shown) or UNSET


def _slice_endpoints(obj: JSONObject) -> str:
    found = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return shortened(found) or UNSET


ENDPOINT_SLICE = (
    NAME,
    cell("AddressType", at("addressType")),
    cell("Ports", _slice_ports),
    cell("Endpoints", _slice_endpoints),
    AGE,
)
