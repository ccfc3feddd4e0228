"""The columns of the groups that govern the API itself: RBAC, admission, flow control, certificates, leases, and
the small groups beside them. Used by the files of those groups in `kubeapi/resources/`.
"""

from collections.abc import Callable
from typing import Any

from generic.types import JSONObject
from kubeapi.resources.columns.common import (
    AGE,
    NAME,
    NONE,
    UNSET,
    at,
    cell,
    condition,
    count,
    dig,
    seconds_text,
    selector_text,
    spec,
    status,
)


def _role(binding: JSONObject) -> str:
    ref = binding.get("roleRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def _subjects(kind: str) -> Callable[[JSONObject], str]:
    def one(subject: JSONObject) -> str:
        name = str(subject.get("name") or "")
        if kind == "ServiceAccount" and subject.get("namespace"):
            return f"{subject['namespace']}/{name}"
        return name

    def get(binding: JSONObject) -> str:
        return ", ".join(one(subject) for subject in binding.get("subjects") or () if subject.get("kind") == kind)

    return get


BINDING = (
    NAME,
    cell("Role", _role),
    AGE,
    cell("Users", _subjects("User"), wide=True),
    cell("Groups", _subjects("Group"), wide=True),
    cell("ServiceAccounts", _subjects("ServiceAccount"), wide=True),
)

WEBHOOKS = (NAME, cell("Webhooks", count("webhooks"), type="integer"), AGE)


def _param_kind(policy: JSONObject) -> str:
    kind = spec(policy).get("paramKind")
    return f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET


def _param_ref(binding: JSONObject) -> str:
    ref = spec(binding).get("paramRef")
    if not ref:
        return UNSET
    if ref.get("name"):
        return f"{ref.get('namespace') or '*'}/{ref['name']}"
    return selector_text(ref["selector"]) if ref.get("selector") is not None else UNSET


VALIDATING_ADMISSION_POLICY = (
    NAME,
    cell("Validations", count("spec", "validations"), type="integer"),
    cell("ParamKind", _param_kind),
    AGE,
)
MUTATING_ADMISSION_POLICY = (
    NAME,
    cell("Mutations", count("spec", "mutations"), type="integer"),
    cell("ParamKind", _param_kind),
    AGE,
)
ADMISSION_POLICY_BINDING = (NAME, cell("PolicyName", at("spec", "policyName")), cell("ParamRef", _param_ref), AGE)


def _dangling(schema: JSONObject) -> Any:
    found = condition(status(schema).get("conditions"), "Dangling")
    return "?" if found is None else found.get("status", "")


FLOW_SCHEMA = (
    NAME,
    cell("PriorityLevel", at("spec", "priorityLevelConfiguration", "name")),
    cell("MatchingPrecedence", at("spec", "matchingPrecedence", default=0)),
    cell("DistinguisherMethod", at("spec", "distinguisherMethod", "type", default=NONE)),
    AGE,
    cell("MissingPL", _dangling),
)


def _queuing(key: str) -> Callable[[JSONObject], Any]:
    return at("spec", "limited", "limitResponse", "queuing", key, default=NONE)


PRIORITY_LEVEL_CONFIGURATION = (
    NAME,
    cell("Type", at("spec", "type")),
    cell("NominalConcurrencyShares", at("spec", "limited", "nominalConcurrencyShares", default=NONE)),
    cell("Queues", _queuing("queues")),
    cell("HandSize", _queuing("handSize")),
    cell("QueueLengthLimit", _queuing("queueLengthLimit")),
    AGE,
)


def _requested_duration(request: JSONObject) -> str:
    seconds = spec(request).get("expirationSeconds")
    return NONE if seconds is None else seconds_text(seconds)


def _certificate_state(request: JSONObject) -> str:
    types = {found.get("type") for found in status(request).get("conditions") or ()}
    state = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    failed = ",Failed" if "Failed" in types else ""
    return f"{state}{failed}{',Issued' if status(request).get('certificate') else ''}"


def _signer(obj: JSONObject) -> Any:
    return spec(obj).get("signerName") or NONE


CERTIFICATE_SIGNING_REQUEST = (
    NAME,
    AGE,
    cell("SignerName", _signer),
    cell("Requestor", at("spec", "username")),
    cell("RequestedDuration", _requested_duration),
    cell("Condition", _certificate_state),
)
CLUSTER_TRUST_BUNDLE = (NAME, cell("SignerName", _signer))
LEASE = (NAME, cell("Holder", at("spec", "holderIdentity")), AGE)
PRIORITY_CLASS = (
    NAME,
    cell("Value", at("value", default=0), type="integer"),
    cell("Global-Default", at("globalDefault", default=False), type="boolean"),
    AGE,
    cell("PreemptionPolicy", at("preemptionPolicy")),
)
RUNTIME_CLASS = (NAME, cell("Handler", at("handler")), AGE)


def _claim_state(claim: JSONObject) -> str:
    deleted = bool(claim["metadata"].get("deletionTimestamp"))
    states = ["deleted"] if deleted else []
    if not status(claim).get("allocation"):
        states += [] if deleted else ["pending"]
    else:
        states.append("allocated")
        states.append("reserved") if status(claim).get("reservedFor") else None
    return ",".join(states)


NAME_AND_AGE = (NAME, AGE)
RESOURCE_CLAIM = (NAME, cell("State", _claim_state), AGE)
RESOURCE_SLICE = (
    NAME,
    cell("Node", at("spec", "nodeName")),
    cell("Driver", at("spec", "driver")),
    cell("Pool", at("spec", "pool", "name")),
    AGE,
)


def _migrated_resource(migration: JSONObject) -> str:
    resource = dig(migration, "spec", "resource") or {}
    return f"{resource['resource']}.{resource['group']}" if resource.get("group") else resource.get("resource") or ""


STORAGE_VERSION_MIGRATION = (NAME, cell("Resource", _migrated_resource))
