"""Defaults of the remaining groups: networking, discovery, storage, RBAC, admission, flow control, certificates.

Mirrors `pkg/apis/<group>/v1/defaults.go`.
"""

from generic.types import JSONObject
from kubeapi.resources.defaults.common import fill, fill_empty, section, zeros

_RBAC = "rbac.authorization.k8s.io"
_WEBHOOK_SECONDS = 10


def network_policy(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    for direction in ("ingress", "egress"):
        for rule in spec.get(direction) or ():
            for port in rule.get("ports") or ():
                fill(port, protocol="TCP")
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    fill(spec, podSelector={})


def ingress(obj: JSONObject) -> None:
    section(obj, "spec")
    section(section(obj, "status"), "loadBalancer")


def ingress_class(obj: JSONObject) -> None:
    parameters = (obj.get("spec") or {}).get("parameters")
    if parameters is not None:
        fill(parameters, scope="Cluster")


def endpoint_slice(obj: JSONObject) -> None:
    for port in obj.get("ports") or ():
        fill(port, name="", protocol="TCP")
    fill(obj, endpoints=[], ports=[])


def role_binding(obj: JSONObject) -> None:
    """The names of groups that are nearly always the same; the role's only where it can be told."""
    reference = section(obj, "roleRef")
    fill_empty(reference, apiGroup=_RBAC)
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in ("User", "Group"):
            fill_empty(subject, apiGroup=_RBAC)


def storage_class(obj: JSONObject) -> None:
    fill(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def csi_driver(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    fill(spec, attachRequired=True, podInfoOnMount=False, storageCapacity=False, requiresRepublish=False)
    fill(spec, preventPodSchedulingIfMissing=False)
    fill(spec, fsGroupPolicy="ReadWriteOnceWithFSType", seLinuxMount=False)
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


def volume_attachment(obj: JSONObject) -> None:
    status = obj.get("status")
    if isinstance(status, dict):
        fill(status, attached=False)


def priority_class(obj: JSONObject) -> None:
    fill(obj, preemptionPolicy="PreemptLowerPriority")


def validating_webhooks(obj: JSONObject) -> None:
    for webhook in obj.get("webhooks") or ():
        _webhook(webhook)


def mutating_webhooks(obj: JSONObject) -> None:
    for webhook in obj.get("webhooks") or ():
        _webhook(webhook)
        fill(webhook, reinvocationPolicy="Never")


def _webhook(webhook: JSONObject) -> None:
    fill(
        webhook,
        failurePolicy="Fail",
        matchPolicy="Equivalent",
        namespaceSelector={},
        objectSelector={},
        timeoutSeconds=_WEBHOOK_SECONDS,
    )
    for rule in webhook.get("rules") or ():
        fill(rule, scope="*")
    service = (webhook.get("clientConfig") or {}).get("service")
    if service is not None:
        fill(service, port=443)


def admission_policy(obj: JSONObject) -> None:
    """Of validating and mutating policies alike."""
    spec = section(obj, "spec")
    fill(spec, failurePolicy="Fail")
    if spec.get("matchConstraints") is not None:
        _match_resources(spec["matchConstraints"])


def admission_policy_binding(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    if spec.get("matchResources") is not None:
        _match_resources(spec["matchResources"])


def _match_resources(match: JSONObject) -> None:
    fill(match, matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
    for key in ("resourceRules", "excludeResourceRules"):
        for rule in match.get(key) or ():
            fill(rule, scope="*")


def flow_schema(obj: JSONObject) -> None:
    fill_empty(section(obj, "spec"), matchingPrecedence=1000)


def priority_level(obj: JSONObject) -> None:
    spec = section(obj, "spec")
    limited, exempt = spec.get("limited"), spec.get("exempt")
    if spec.get("type") == "Exempt":
        fill(section(spec, "exempt"), nominalConcurrencyShares=0, lendablePercent=0)
    elif exempt is not None:
        fill(exempt, nominalConcurrencyShares=0, lendablePercent=0)
    if limited is not None:
        fill(limited, nominalConcurrencyShares=30, lendablePercent=0)
        queuing = (limited.get("limitResponse") or {}).get("queuing")
        if queuing is not None:
            fill_empty(queuing, handSize=8, queues=64, queueLengthLimit=50)


def certificate_request(obj: JSONObject) -> None:
    section(obj, "spec")


def lease(obj: JSONObject) -> None:
    section(obj, "spec")


def service_cidr(obj: JSONObject) -> None:
    section(obj, "spec")


def event(obj: JSONObject) -> None:
    """An events.k8s.io event: what the core form carries and this one only remembers."""
    zeros(obj, "series", "count")


def resource_claim(obj: JSONObject) -> None:
    _devices(section(obj, "spec"))


def resource_claim_template(obj: JSONObject) -> None:
    template = obj.get("spec")
    if template is not None:
        section(template, "metadata")
        _devices(section(template, "spec"))


def _devices(spec: JSONObject) -> None:
    devices = section(spec, "devices")
    for request in devices.get("requests") or ():
        choices = [request["exactly"]] if request.get("exactly") is not None else request.get("firstAvailable") or []
        for choice in choices:
            fill_empty(choice, allocationMode="ExactCount")
            if choice["allocationMode"] == "ExactCount":
                fill_empty(choice, count=1)
            for toleration in choice.get("tolerations") or ():
                fill_empty(toleration, operator="Equal")
