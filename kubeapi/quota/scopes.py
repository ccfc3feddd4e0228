"""The scopes of a quota: which objects it is about at all. Mirrors `apiserver/pkg/quota/v1/generic/evaluator.go`."""

from collections.abc import Collection
from dataclasses import dataclass

from generic.types import JSONObject


@dataclass(frozen=True, slots=True)
class Requirement:
    """One scope, such as `Terminating`, or `PriorityClass` In `high`."""

    scope: str
    operator: str = "Exists"
    values: tuple[str, ...] = ()

    def accepts(self, held: Collection[str]) -> bool:
        """Whether an object does that has these values; several are accepted if one is."""
        if self.operator == "Exists":
            return bool(held)
        if self.operator == "DoesNotExist":
            return not held
        if self.operator == "In":
            return any(value in self.values for value in held)
        return not held or any(value not in self.values for value in held)


def of(quota: JSONObject) -> list[Requirement]:
    """All that have to be met."""
    spec = quota.get("spec") or {}
    found = [Requirement(scope) for scope in spec.get("scopes") or ()]
    for expression in (spec.get("scopeSelector") or {}).get("matchExpressions") or ():
        values = tuple(expression.get("values") or ())
        found.append(Requirement(expression["scopeName"], expression.get("operator") or "", values))
    return found
