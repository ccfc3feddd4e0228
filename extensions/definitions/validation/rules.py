"""What is wrong with the CEL rules of a schema: first their form, then whether they compile and what they may cost.

Called by `schemas.py`; the second part only for schemas that are right otherwise. Mirrors the part of
ValidateCustomResourceDefinitionOpenAPISchema on x-kubernetes-validations and `celcontext.go` of
`apiextensions/validation`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from extensions.rules import field_path
from extensions.rules.compiling import RULES, Compiled, RuleCompiler
from generic.meta import fields
from generic.meta.fields import FieldError
from generic.schema.cel.types import MAX_REQUEST
from generic.types import JSONObject

RULE_LIMIT = 10_000_000
"""Units one rule may cost at most, all the times it may run for one object."""
DEFINITION_LIMIT = 100_000_000
"""The same for all rules of a schema together."""

_LONGEST_MESSAGE = 2048
_MOST_EXPENSIVE = 4
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_TOTAL = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"


def form_problems(schema: JSONObject, path: str) -> Iterator[FieldError]:
    """What can be said of the rules of one part without compiling them."""
    for at, rule in enumerate(schema.get(RULES) or ()):
        here = f"{path}.{RULES}[{at}]"
        yield from _rule_and_message(rule, here)
        expression = rule.get("messageExpression") or ""
        if expression and not expression.strip():
            why = "messageExpression must be non-empty if specified"
            yield fields.required(f"{here}.messageExpression", why)
        reason = rule.get("reason")
        if reason is not None and reason not in _REASONS:
            yield fields.not_supported(f"{here}.reason", reason, _REASONS)
        yield from _field_path(rule.get("fieldPath") or "", schema, f"{here}.fieldPath")


def _rule_and_message(rule: JSONObject, here: str) -> Iterator[FieldError]:
    given = rule.get("message") or ""
    text, message = (rule.get("rule") or "").strip(), given.strip()
    if not text:
        yield fields.required(f"{here}.rule", "rule is not specified")
    elif given and not message:
        yield fields.invalid(f"{here}.message", given, "message must be non-empty if specified")
    elif len(message) > _LONGEST_MESSAGE:
        why = f"message must have a maximum length of {_LONGEST_MESSAGE} characters"
        yield fields.invalid(f"{here}.message", f"{message[:10]}...", why)
    elif _breaks(message):
        yield fields.invalid(f"{here}.message", given, "message must not contain line breaks")
    elif _breaks(text) and not message:
        yield fields.required(f"{here}.message", "message must be specified if rule contains line breaks")


def _field_path(given: str, schema: JSONObject, path: str) -> Iterator[FieldError]:
    if not given:
        return
    if not given.strip():
        yield fields.invalid(path, given, "fieldPath must be non-empty if specified")
    if _breaks(given):
        yield fields.invalid(path, given, "fieldPath must not contain line breaks")
    try:
        field_path.normalize(given, schema)
    except field_path.PathError as error:
        yield fields.invalid(path, given, f"fieldPath must be a valid path: {error}")


def _breaks(text: str) -> bool:
    return "\n" in text or "\r" in text


@dataclass(frozen=True, slots=True)
class _Place:
    """A part of the schema. `times`: how often it can be there in one object, None if no bound says;
    `uncorrelated`: the part above whose insides cannot be compared with old ones."""

    path: str
    times: float | None = 1
    uncorrelated: str = ""
    is_root: bool = False


class Costs:
    """What all expressions of a schema cost together, and which of them cost most."""

    def __init__(self) -> None:
        self._known: list[tuple[float, str]] = []

    def add(self, path: str, cost: float) -> None:
        self._known.append((cost, path))

    def problems(self, path: str) -> Iterator[FieldError]:
        total = sum(cost for cost, _ in self._known)
        if total <= DEFINITION_LIMIT:
            return
        why = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"
        most = sorted(self._known, key=lambda known: known[0], reverse=True)[:_MOST_EXPENSIVE]
        for cost, where in most:
            if cost * 100 >= DEFINITION_LIMIT:
                yield fields.forbidden(where, why)
        yield fields.forbidden(path, _too_expensive(_TOTAL, total, DEFINITION_LIMIT))


def problems(schema: JSONObject, path: str) -> Iterator[FieldError]:
    """What is wrong with the rules of a whole schema, `path` being that of its root."""
    costs = Costs()
    yield from _part(schema, _Place(path, is_root=True), costs)
    yield from costs.problems(path)


def _part(schema: JSONObject, place: _Place, costs: Costs) -> Iterator[FieldError]:
    if schema.get(RULES):
        yield from _rules(schema, place, costs)
    for child, below in _children(schema, place):
        yield from _part(child, below, costs)


def _children(schema: JSONObject, place: _Place) -> Iterator[tuple[JSONObject, _Place]]:
    below = replace(place, is_root=False)
    if schema.get("x-kubernetes-map-type") == "atomic":
        below = replace(below, uncorrelated=place.uncorrelated or place.path)
    for name, member in (schema.get("properties") or {}).items():
        yield member, replace(below, path=f"{place.path}.properties[{name}]")
    more, items = schema.get("additionalProperties"), schema.get("items")
    if isinstance(more, dict):
        times = _times(place.times, schema.get("maxProperties"))
        yield more, replace(below, path=f"{place.path}.additionalProperties", times=times)
    if isinstance(items, dict):
        here = f"{place.path}.items"
        comparable = schema.get("x-kubernetes-list-type") == "map"
        yield (
            items,
            replace(
                below,
                path=here,
                times=_times(place.times, schema.get("maxItems")),
                uncorrelated=below.uncorrelated or ("" if comparable else here),
            ),
        )


def _times(outer: float | None, bound: Any) -> float | None:
    return outer * max(0, bound) if outer is not None and isinstance(bound, int) else None


def _rules(schema: JSONObject, place: _Place, costs: Costs) -> Iterator[FieldError]:
    compiler = RuleCompiler(schema, resource_root=place.is_root or bool(schema.get("x-kubernetes-embedded-resource")))
    if compiler.declared is None:
        why = "internal error: failed to retrieve type information for x-kubernetes-validations"
        yield FieldError("InternalError", f"{place.path}.{RULES}", "", why)
        return
    times = place.times if place.times is not None else MAX_REQUEST // (compiler.declared.min_size + 1)
    for at, rule in enumerate(schema[RULES]):
        yield from _rule(compiler.compile(rule), place, f"{place.path}.{RULES}[{at}]", times=times, costs=costs)


def _rule(made: Compiled, place: _Place, here: str, *, times: float, costs: Costs) -> Iterator[FieldError]:
    if made.error:
        yield fields.invalid(f"{here}.rule", _shown(made.rule), made.error)
    if made.message_error:
        yield fields.invalid(f"{here}.messageExpression", _shown(made.rule), made.message_error)
    if made.message is not None:
        yield from _price(f"{here}.messageExpression", "messageExpression", made.message.cost.high, costs)
    if made.program is None:
        return
    yield from _price(f"{here}.rule", "rule", _product(made.program.cost.high, times), costs)
    if made.uses_old_self:
        if place.uncorrelated:
            why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {place.uncorrelated}"
            yield fields.invalid(f"{here}.rule", made.rule["rule"], why)
    elif made.rule.get("optionalOldSelf") is not None:
        why = "may not be set if oldSelf is not used in rule"
        yield fields.invalid(f"{here}.optionalOldSelf", made.rule["optionalOldSelf"], why)


def _price(path: str, name: str, cost: float, costs: Costs) -> Iterator[FieldError]:
    costs.add(path, cost)
    if cost > RULE_LIMIT:
        yield fields.forbidden(path, _too_expensive(f"estimated {name} cost", cost, RULE_LIMIT))


def _product(cost: float, times: float) -> float:
    return cost * times if cost and times else 0


def _too_expensive(name: str, cost: float, limit: int) -> str:
    factor = cost / limit
    if factor > 100 or math.isinf(factor):
        shown = "more than 100x"
    else:
        shown = f"{factor:.6f}x" if factor < 1.5 else f"{factor:.1f}x"
    return (
        f"{name} exceeds budget by factor of {shown} (try simplifying the rule, or adding maxItems, maxProperties, and "
        "maxLength where arrays, maps, and strings are declared)"
    )


def _shown(rule: JSONObject) -> JSONObject:
    """A rule as Go shows its internal type."""
    return {
        "Rule": rule.get("rule") or "",
        "Message": rule.get("message") or "",
        "MessageExpression": rule.get("messageExpression") or "",
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath") or "",
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
