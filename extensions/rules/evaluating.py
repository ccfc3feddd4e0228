"""Evaluates the rules of a schema on an object that is written, within the budget one object has.

Called by the strategy of custom resources, through `Evaluation.run`. Mirrors the walk of
`apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go`, ratcheting included: a rule that looks at nothing but
what did not change warns instead of refusing.
"""

from dataclasses import dataclass, field
from typing import Any

from extensions.rules.compiling import OLD_SELF, SELF, Compiled
from extensions.rules.correlating import ABSENT, Correlation, Ratchet
from extensions.rules.tree import RuleNode
from generic.meta import fields
from generic.meta.fields import FieldError
from generic.schema.cel.environment import PER_CALL_LIMIT, CelProgram
from generic.schema.cel.errors import NO_OVERLOAD, BudgetExceeded, EvaluationError
from generic.schema.cel.meter import Meter
from generic.schema.cel.values import NONE, Optional
from generic.types import JSONObject

OBJECT_LIMIT = 10_000_000
"""Units all rules of one object may cost together."""

_OUT_OF_BUDGET = "validation failed due to running out of cost budget, no further validation rules will be run"
_MESSAGE_OUT_OF_BUDGET = (
    "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run"
)
_CUT_OFF = "operation cancelled: actual cost limit exceeded"
_LONGEST_MESSAGE = 5 * 1024
_NO_PATH = "<nil>"


class TooLong(Exception):
    """The quick attempt was given up: the whole must run where it holds up nobody."""


class _OutOfBudget(Exception):
    """No further rule runs; the error is told already."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """A value that has rules, and what it was before (None: nothing comparable), both as expressions take them."""

    node: RuleNode
    path: str
    value: Any
    before: Any
    ratchet: Ratchet


@dataclass(slots=True)
class Evaluation:
    """One run over one object. `quick`: units after which to give up with TooLong; None to run to the end."""

    quick: int | None = None
    errors: list[FieldError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _spent: int = 0

    def run(self, root: RuleNode, obj: JSONObject, old: JSONObject | None) -> None:
        """Collects errors and warnings. Raises TooLong."""
        ratchet = Ratchet(Correlation(obj, old) if old is not None else None, None, at_root=True)
        try:
            self._node(root, "", obj, old if old is not None else ABSENT, ratchet)
        except _OutOfBudget:
            return

    def _node(self, node: RuleNode, path: str, value: Any, old: Any, ratchet: Ratchet) -> None:
        if value is None:
            return
        if node.rules:
            before = None if old is ABSENT or old is None else node.bind(old)
            self._rules(_Spot(node, path, node.bind(value), before, ratchet))
        for part in node.all_of:
            self._node(part, path, value, old, Ratchet(None, ratchet.nearest))
        if isinstance(value, list):
            self._list(node, path, value, old, ratchet)
        elif isinstance(value, dict):
            self._object(node, path, value, old, ratchet)

    def _object(self, node: RuleNode, path: str, value: JSONObject, old: Any, ratchet: Ratchet) -> None:
        held = old if isinstance(old, dict) and node.correlates_members else {}
        if node.values is not None:
            for key, inside in value.items():
                inner = ratchet.member(key, correlates=node.correlates_members)
                self._node(node.values, f"{path}[{key}]", inside, held.get(key, ABSENT), inner)
        for name, member in node.members.items():
            if name in value:
                inner = ratchet.member(name, correlates=node.correlates_members)
                here = f"{path}.{name}" if path else name
                self._node(member, here, value[name], held.get(name, ABSENT), inner)

    def _list(self, node: RuleNode, path: str, value: list[Any], old: Any, ratchet: Ratchet) -> None:
        if node.items is None:
            return
        by_key = _by_key(old, node.map_keys) if node.map_keys and isinstance(old, list) else {}
        for at, item in enumerate(value):
            before = by_key.get(_key(item, node.map_keys), ABSENT) if by_key else ABSENT
            self._node(node.items, f"{path}[{at}]", item, before, ratchet.item(item, before))

    def _rules(self, spot: _Spot) -> None:
        node = spot.node
        for rule in node.rules:
            if rule.program is None:
                self._refuse(spot, f"rule compile error: {rule.error}")
            elif spot.before is not None or not rule.uses_old_self or rule.optional_old_self:
                self._rule(spot, rule, rule.program)

    def _rule(self, spot: _Spot, rule: Compiled, program: CelProgram) -> None:
        before, text = spot.before, _text(rule.rule)
        if rule.optional_old_self:
            before = NONE if before is None else Optional((before,))
        try:
            verdict = self._evaluate(program, spot.value, before)
        except BudgetExceeded:
            if self._spent > OBJECT_LIMIT:
                self._refuse(spot, _OUT_OF_BUDGET)
            else:
                why = f"'{_CUT_OFF}': no further validation rules will be run due to call cost exceeds limit for rule"
                self._refuse(spot, f"{why}: {text}")
            raise _OutOfBudget from None
        except EvaluationError as error:
            if str(error).startswith(NO_OVERLOAD):
                why = "call arguments did not match a supported operator, function or macro signature for rule"
                self._refuse(spot, f"'{error}': {why}: {text}")
            else:
                self._refuse(spot, f"{error} evaluating rule: {text}")
            return
        if verdict is True:
            return
        here = _below(spot.path, rule.path) or _NO_PATH
        problem = _problem(here, spot.node.json_type, self._message(spot, rule, before), rule.rule.get("reason"))
        if not rule.uses_old_self and spot.ratchet.unchanged:
            self.warnings.append(str(problem))
        else:
            self.errors.append(problem)

    def _evaluate(self, program: CelProgram, value: Any, before: Any) -> Any:
        limit = min(PER_CALL_LIMIT, OBJECT_LIMIT - self._spent)
        quick = self.quick is not None and self.quick - self._spent < limit
        meter = Meter(self.quick - self._spent if quick and self.quick is not None else limit)
        try:
            return program.evaluate({SELF: value, OLD_SELF: before}, meter=meter)
        except BudgetExceeded:
            if quick:
                raise TooLong from None
            raise
        finally:
            self._spent += int(meter.spent)

    def _message(self, spot: _Spot, rule: Compiled, before: Any) -> str:
        """What a failed rule says: what its messageExpression makes, or its message, or that it failed."""
        if rule.message is not None:
            try:
                made = self._evaluate(rule.message, spot.value, before)
            except BudgetExceeded:
                self._refuse(spot, _MESSAGE_OUT_OF_BUDGET)
                raise _OutOfBudget from None
            except EvaluationError:
                made = ""
            if isinstance(made, str) and made.strip() and len(made) <= _LONGEST_MESSAGE and not _breaks(made):
                return made.strip()
        said = (rule.rule.get("message") or "").strip()
        return said or f"failed rule: {_text(rule.rule)}"

    def _refuse(self, spot: _Spot, detail: str) -> None:
        self.errors.append(fields.invalid(spot.path or _NO_PATH, spot.node.json_type, detail))


def _text(rule: JSONObject) -> str:
    return (rule.get("message") or "").strip() or (rule.get("rule") or "").strip()


def _breaks(text: str) -> bool:
    return "\n" in text or "\r" in text


def _below(path: str, inside: str) -> str:
    if not inside:
        return path
    return f"{path}.{inside}" if path and not inside.startswith("[") else f"{path}{inside}"


def _problem(path: str, json_type: str, detail: str, reason: str | None) -> FieldError:
    match reason:
        case "FieldValueForbidden":
            return fields.forbidden(path, detail)
        case "FieldValueRequired":
            return fields.required(path, detail)
        case "FieldValueDuplicate":
            return fields.duplicate(path, json_type)
    return fields.invalid(path, json_type, detail)


def _key(item: Any, keys: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(_hashable(item.get(key)) if isinstance(item, dict) else None for key in keys)


def _hashable(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool) else repr(value)


def _by_key(items: list[Any], keys: tuple[str, ...]) -> dict[tuple[Any, ...], Any]:
    return {_key(item, keys): item for item in items}
