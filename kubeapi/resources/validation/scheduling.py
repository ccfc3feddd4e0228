"""Validation of where a pod may run: affinity, tolerations, spreading, node selectors.

Mirrors that part of `pkg/apis/core/validation/validation.go`. Called by `pods.py`, and by the kinds that select
nodes themselves.
"""

from collections.abc import Iterable

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.common import each

TAINT_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_WEIGHT = "must be in the range 1-100"


def affinity(given: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    nodes = given.get("nodeAffinity") or {}
    if nodes.get(_REQUIRED) is not None:
        found += node_selector(nodes[_REQUIRED], f"{path}.nodeAffinity.{_REQUIRED}")
    for at, term in enumerate(each(nodes.get(_PREFERRED))):
        here = f"{path}.nodeAffinity.{_PREFERRED}[{at}]"
        found += _weight(term, here)
        found += _node_term(term.get("preference") or {}, f"{here}.preference", checks_values=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        pods = given.get(kind) or {}
        for at, term in enumerate(each(pods.get(_REQUIRED))):
            found += _pod_term(term, f"{path}.{kind}.{_REQUIRED}[{at}]")
        for at, term in enumerate(each(pods.get(_PREFERRED))):
            here = f"{path}.{kind}.{_PREFERRED}[{at}]"
            found += _weight(term, here)
            found += _pod_term(term.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm")
    return found


def node_selector(selector: JSONObject, path: str) -> list[FieldError]:
    """Terms of which one has to be met."""
    terms = selector.get("nodeSelectorTerms")
    if not terms:
        return [fields.required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")]
    found: list[FieldError] = []
    for at, term in enumerate(terms):
        found += _node_term(term, f"{path}.nodeSelectorTerms[{at}]", checks_values=True)
    return found


def _weight(term: JSONObject, path: str) -> list[FieldError]:
    weight = term.get("weight") or 0
    return [] if 1 <= weight <= 100 else [fields.invalid(f"{path}.weight", weight, _WEIGHT)]


def _node_term(term: JSONObject, path: str, *, checks_values: bool) -> list[FieldError]:
    found: list[FieldError] = []
    for at, expression in enumerate(each(term.get("matchExpressions"))):
        found += _node_expression(expression, f"{path}.matchExpressions[{at}]", checks_values=checks_values)
    for at, expression in enumerate(each(term.get("matchFields"))):
        found += _node_field(expression, f"{path}.matchFields[{at}]")
    return found


def _node_expression(expression: JSONObject, path: str, *, checks_values: bool) -> list[FieldError]:
    operator, values = expression.get("operator") or "", expression.get("values") or []
    found: list[FieldError] = []
    if operator in ("In", "NotIn"):
        if not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            found.append(fields.required(f"{path}.values", why))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found.append(fields.forbidden(f"{path}.values", why))
    elif operator in ("Gt", "Lt"):
        if len(values) != 1:
            why = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            found.append(fields.required(f"{path}.values", why))
    else:
        found.append(fields.invalid(f"{path}.operator", operator, "not a valid selector operator"))
    found += validation.label_name(expression.get("key") or "", f"{path}.key")
    for at, value in enumerate(values if checks_values else ()):
        found += [fields.invalid(f"{path}.values[{at}]", value, message) for message in names.label_value(value)]
    return found


def _node_field(expression: JSONObject, path: str) -> list[FieldError]:
    operator, key, values = (
        expression.get("operator") or "",
        expression.get("key") or "",
        expression.get("values") or [],
    )
    found: list[FieldError] = []
    if operator not in ("In", "NotIn"):
        found.append(fields.invalid(f"{path}.operator", operator, "not a valid selector operator"))
    elif len(values) != 1:
        why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        found.append(fields.required(f"{path}.values", why))
    if key != "metadata.name":
        return [*found, fields.invalid(f"{path}.key", key, "not a valid field selector key")]
    for at, value in enumerate(values):
        found += common.subdomain(value, f"{path}.values[{at}]")
    return found


def _pod_term(term: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for key in ("labelSelector", "namespaceSelector"):
        found += validation.label_selector(term.get(key), f"{path}.{key}")
    for name in each(term.get("namespaces")):
        found += [fields.invalid(f"{path}.namespace", name, message) for message in names.dns1123_label(str(name))]
    for key in ("matchLabelKeys", "mismatchLabelKeys"):
        found += _label_keys(term, key, path)
    shared = set(term.get("mismatchLabelKeys") or ())
    for at, name in enumerate(term.get("matchLabelKeys") or ()):
        if name in shared:
            why = "exists in both matchLabelKeys and mismatchLabelKeys"
            found.append(fields.invalid(f"{path}.matchLabelKeys[{at}]", name, why))
    topology = term.get("topologyKey") or ""
    if not topology:
        found.append(fields.required(f"{path}.topologyKey", "can not be empty"))
    return found + validation.label_name(topology, f"{path}.topologyKey")


def _label_keys(term: JSONObject, key: str, path: str) -> list[FieldError]:
    if not term.get(key):
        return []
    if term.get("labelSelector") is None:
        return [fields.forbidden(f"{path}.{key}", "must not be specified when labelSelector is not set")]
    found: list[FieldError] = []
    for at, name in enumerate(term[key]):
        found += validation.label_name(name, f"{path}.{key}[{at}]")
    return found


def tolerations(given: Iterable[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for at, toleration in enumerate(given):
        here, key, operator = f"{path}[{at}]", toleration.get("key") or "", toleration.get("operator") or ""
        if key:
            found += validation.label_name(key, f"{here}.key")
        elif operator != "Exists":
            why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            found.append(fields.invalid(f"{here}.operator", operator, why))
        effect = toleration.get("effect") or ""
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            found.append(fields.invalid(f"{here}.effect", effect, why))
        found += _toleration_value(toleration, operator, here)
        if effect:
            found += common.among(effect, f"{here}.effect", TAINT_EFFECTS)
    return found


def _toleration_value(toleration: JSONObject, operator: str, path: str) -> list[FieldError]:
    value = toleration.get("value") or ""
    if operator in ("", "Equal"):
        problems = names.label_value(value)
        return [fields.invalid(f"{path}.operator", value, ";".join(problems))] if problems else []
    if operator == "Exists":
        why = "value must be empty when `operator` is 'Exists'"
        return [fields.invalid(f"{path}.operator", value, why)] if value else []
    return common.among(operator, f"{path}.operator", ("Equal", "Exists"))


def spread_constraints(given: list[JSONObject], path: str) -> list[FieldError]:
    found: list[FieldError] = []
    for at, constraint in enumerate(given):
        here, key, action = (
            f"{path}[{at}]",
            constraint.get("topologyKey") or "",
            constraint.get("whenUnsatisfiable") or "",
        )
        found += common.positive(constraint.get("maxSkew") or 0, f"{here}.maxSkew")
        if not key:
            found.append(fields.required(f"{here}.topologyKey", "can not be empty"))
        found += common.among(action, f"{here}.whenUnsatisfiable", ("DoNotSchedule", "ScheduleAnyway"))
        if any(_pair(other) == (key, action) for other in given[at + 1 :]):
            shown = f"{{{key}, {action}}}"
            found.append(fields.duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", shown))
        found += _min_domains(constraint.get("minDomains"), action, f"{here}.minDomains")
        for policy in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(policy) is not None:
                found += common.among(constraint[policy], f"{here}.{policy}", ("Honor", "Ignore"))
        found += _label_keys(constraint, "matchLabelKeys", here)
        found += validation.label_selector(constraint.get("labelSelector"), f"{here}.labelSelector")
    return found


def _pair(constraint: JSONObject) -> tuple[str, str]:
    return constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""


def _min_domains(value: int | None, action: str, path: str) -> list[FieldError]:
    if value is None:
        return []
    found = common.positive(value, path)
    if action != "DoNotSchedule":
        why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}"
        found.append(fields.invalid(path, value, why))
    return found
