"""Validation of FlowSchemas and PriorityLevelConfigurations. Mirrors `pkg/apis/flowcontrol/validation`."""

from collections.abc import Sequence
from typing import Any

from generic.flowcontrol import bootstrap
from generic.flowcontrol.config import EXEMPT, MOST_HASH_BITS, required_entropy_bits
from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.common import each

_MOST_PRECEDENCE = 10000
_MOST_QUEUES = 10_000_000
_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
_SUBJECTS = {"User": "user", "Group": "group", "ServiceAccount": "serviceAccount"}
"""The field of each kind of subject."""
_MANDATORY_SCHEMAS = {obj["metadata"]["name"]: obj["spec"] for obj in bootstrap.MANDATORY_SCHEMAS}
_MANDATORY_LEVELS = {obj["metadata"]["name"]: obj["spec"] for obj in bootstrap.MANDATORY_LEVELS}

Found = list[FieldError]


def flow_schema(obj: JSONObject) -> Found:
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    precedence = spec.get("matchingPrecedence") or 0
    found: Found = []
    if precedence <= 0:
        found.append(fields.invalid("spec.matchingPrecedence", precedence, "must be a positive value"))
    if precedence > _MOST_PRECEDENCE:
        why = f"must not be greater than {_MOST_PRECEDENCE}"
        found.append(fields.invalid("spec.matchingPrecedence", precedence, why))
    if precedence == 1 and name != EXEMPT:
        why = "only the schema named 'exempt' may have matchingPrecedence 1"
        found.append(fields.invalid("spec.matchingPrecedence", precedence, why))
    method = spec.get("distinguisherMethod")
    if method is not None and method.get("type") not in ("ByNamespace", "ByUser"):
        path = "spec.distinguisherMethod.type"
        found.append(fields.not_supported(path, method.get("type"), ("ByNamespace", "ByUser")))
    level = (spec.get("priorityLevelConfiguration") or {}).get("name")
    path = "spec.priorityLevelConfiguration.name"
    if level:
        found += common.subdomain(level, path)
    else:
        found.append(fields.required(path, "must reference a priority level"))
    for at, rule in enumerate(each(spec.get("rules"))):
        found += _rule(rule, f"spec.rules[{at}]")
    fixed = _MANDATORY_SCHEMAS.get(name)
    if fixed is not None and not bootstrap.same_spec(spec, fixed):
        found.append(fields.invalid("spec", spec, f"spec of '{name}' must equal the fixed value"))
    return found


def _rule(rule: JSONObject, path: str) -> Found:
    found: Found = []
    if not rule.get("subjects"):
        found.append(fields.required(f"{path}.subjects", "subjects must contain at least one value"))
    for at, subject in enumerate(each(rule.get("subjects"))):
        found += _subject(subject, f"{path}.subjects[{at}]")
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        why = "at least one of resourceRules and nonResourceRules has to be non-empty"
        found.append(fields.required(path, why))
    for at, resource_rule in enumerate(each(rule.get("resourceRules"))):
        found += _resource_rule(resource_rule, f"{path}.resourceRules[{at}]")
    for at, path_rule in enumerate(each(rule.get("nonResourceRules"))):
        found += _path_rule(path_rule, f"{path}.nonResourceRules[{at}]")
    return found


def _subject(subject: JSONObject, path: str) -> Found:
    kind = subject.get("kind")
    if kind not in _SUBJECTS:
        return [fields.not_supported(f"{path}.kind", kind, sorted(_SUBJECTS))]
    own = _SUBJECTS[kind]
    value = subject.get(own)
    if value is None:
        found = [fields.required(f"{path}.{own}", f"{own} is required when subject kind is '{kind}'")]
    elif kind == "ServiceAccount":
        found = _service_account(value, f"{path}.{own}")
    else:
        found = [] if value.get("name") else [fields.required(f"{path}.{own}.name")]
    for other_kind, other in _SUBJECTS.items():
        if other != own and subject.get(other) is not None:
            why = f"{other} is forbidden when subject kind is not '{other_kind}'"
            found.append(fields.forbidden(f"{path}.{other}", why))
    return found


def _service_account(account: JSONObject, path: str) -> Found:
    name, namespace = account.get("name"), account.get("namespace")
    found: Found = []
    if not name:
        found.append(fields.required(f"{path}.name"))
    elif name != "*":
        found += common.subdomain(name, f"{path}.name")
    if namespace:
        found += common.label(namespace, f"{path}.namespace")
    else:
        found.append(fields.required(f"{path}.namespace", "must specify namespace for service account"))
    return found


def _resource_rule(rule: JSONObject, path: str) -> Found:
    found = _verbs(rule.get("verbs"), path)
    found += _alone(rule, "apiGroups", path, "resource rules must supply at least one api group", "api groups")
    found += _alone(rule, "resources", path, "resource rules must supply at least one resource", "resources")
    namespaces = rule.get("namespaces") or []
    if not namespaces and not rule.get("clusterScope"):
        why = "resource rules that are not cluster scoped must supply at least one namespace"
        found.append(fields.required(f"{path}.namespaces", why))
    elif "*" in namespaces:
        found += _alone(rule, "namespaces", path, "", "namespaces")
    else:
        why = "each member of this list must be '*' or a DNS-1123 label; "
        for at, namespace in enumerate(namespaces):
            for problem in names.dns1123_label(namespace):
                found.append(fields.invalid(f"{path}.namespaces[{at}]", namespace, why + problem))
    return found


def _path_rule(rule: JSONObject, path: str) -> Found:
    found = _verbs(rule.get("verbs"), path)
    key, urls = "nonResourceURLs", rule.get("nonResourceURLs") or []
    if not urls or "*" in urls:
        return found + _alone(rule, key, path, f"{key} must contain at least one value", "non-resource URLs")
    for at, url in enumerate(urls):
        problem = _path_problem(url)
        if problem:
            found.append(fields.invalid(f"{path}.{key}[{at}]", url, problem))
    return found


def _verbs(verbs: Sequence[str] | None, path: str) -> Found:
    if verbs and "*" not in verbs and not set(verbs) <= set(_VERBS):
        return [fields.not_supported(f"{path}.verbs", list(verbs), _VERBS)]
    return _alone({"verbs": verbs}, "verbs", path, "verbs must contain at least one value", "verbs")


def _alone(rule: JSONObject, key: str, path: str, needed: str, others: str) -> Found:
    """There has to be something, and a wildcard has to stand alone."""
    values = rule.get(key) or []
    if not values:
        return [fields.required(f"{path}.{key}", needed)]
    if "*" in values and len(values) > 1:
        return [fields.invalid(f"{path}.{key}", values, f"if '*' is present, must not specify other {others}")]
    return []


def _path_problem(path: str) -> str:
    if not path:
        return "must not be empty"
    if not path.startswith("/"):
        return "must start with slash"
    if " " in path:
        return "must not contain white-space"
    if "//" in path:
        return "must not contain double slash"
    wildcards = path.count("*")
    return "wildcard can only do suffix matching" if wildcards > 1 or (wildcards and path[-2:] != "/*") else ""


def priority_level(obj: JSONObject) -> Found:
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    kind, limited, exempt = spec.get("type"), spec.get("limited"), spec.get("exempt")
    found: Found = []
    if (name == EXEMPT) != (kind == "Exempt"):
        found.append(fields.invalid("spec.type", kind or "", "must be 'Exempt' if and only if `name` is 'exempt'"))
    if kind == "Exempt":
        if limited is not None:
            found.append(fields.forbidden("spec.limited", "must be nil if the type is not Limited"))
        found += _shares(exempt or {}, "spec.exempt")
    elif kind == "Limited":
        if exempt is not None:
            found.append(fields.forbidden("spec.exempt", "must be nil if the type is Limited"))
        if limited is None:
            found.append(fields.required("spec.limited", "must not be empty when type is Limited"))
        else:
            found += _limited(limited, "spec.limited")
    else:
        found += common.supported(kind, "spec.type", ("Exempt", "Limited"), required=True)
    return found + _mandatory_level(name, spec)


def _mandatory_level(name: str, spec: JSONObject) -> Found:
    fixed = _MANDATORY_LEVELS.get(name)
    if fixed is None:
        return []
    if name != EXEMPT:
        why = f"spec of '{name}' must equal the fixed value"
        return [] if bootstrap.same_spec(spec, fixed) else [fields.invalid("spec", spec, why)]
    why = f"spec of '{name}' except the 'spec.exempt' field must equal the fixed value"
    is_same = bootstrap.same_spec({**spec, "exempt": None}, {**fixed, "exempt": None})
    return [] if is_same else [fields.invalid("spec", spec, why)]


def _shares(section: JSONObject, path: str) -> Found:
    found: Found = []
    shares, lendable = section.get("nominalConcurrencyShares"), section.get("lendablePercent")
    if shares is not None and shares < 0:
        found.append(fields.invalid(f"{path}.nominalConcurrencyShares", shares, "must be a non-negative integer"))
    return found + common.between(lendable, f"{path}.lendablePercent", 0, 100)


def _limited(limited: JSONObject, path: str) -> Found:
    found = _shares(limited, path)
    found += _response(limited.get("limitResponse") or {}, f"{path}.limitResponse")
    borrowing = limited.get("borrowingLimitPercent")
    if borrowing is not None and borrowing < 0:
        why = "if specified, must be a non-negative integer"
        found.append(fields.invalid(f"{path}.borrowingLimitPercent", borrowing, why))
    return found


def _response(response: JSONObject, path: str) -> Found:
    kind, queuing = response.get("type"), response.get("queuing")
    if kind == "Reject" and queuing is not None:
        why = "must be nil if limited.limitResponse.type is not Limited"
        return [fields.forbidden(f"{path}.queuing", why)]
    if kind == "Queue":
        if queuing is None:
            why = "must not be empty if limited.limitResponse.type is Limited"
            return [fields.required(f"{path}.queuing", why)]
        return _queuing(queuing, f"{path}.queuing")
    return common.supported(kind, f"{path}.type", ("Queue", "Reject"), required=True)


def _queuing(queuing: JSONObject, path: str) -> Found:
    found: Found = []
    length, queues, hand = (_integer(queuing.get(key)) for key in ("queueLengthLimit", "queues", "handSize"))
    if length <= 0:
        found.append(fields.invalid(f"{path}.queueLengthLimit", length, "must be positive"))
    if queues <= 0:
        found.append(fields.invalid(f"{path}.queues", queues, "must be positive"))
    elif queues > _MOST_QUEUES:
        found.append(fields.invalid(f"{path}.queues", queues, f"must not be greater than {_MOST_QUEUES}"))
    why = ""
    if hand <= 0:
        why = "must be positive"
    elif hand > queues:
        why = f"should not be greater than queues ({queues})"
    elif required_entropy_bits(queues, hand) > MOST_HASH_BITS:
        why = (
            f"required entropy bits of deckSize {queues} and handSize {hand} "
            f"should not be greater than {MOST_HASH_BITS}"
        )
    return [*found, fields.invalid(f"{path}.handSize", hand, why)] if why else found


def _integer(value: Any) -> int:
    return value or 0
