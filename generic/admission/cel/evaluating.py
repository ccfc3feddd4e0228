"""Runs the expressions of a policy on one write, within its budget.

Called by `judging.py`, `patching.py` and the match conditions of webhooks. Mirrors `activation.Evaluate` and the lazy
variables of `apiserver/pkg/admission/plugin/cel/{activation,composition}.go`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from generic.admission import matching
from generic.admission.cel import variables
from generic.admission.cel.authorizing import Decisions
from generic.admission.cel.expressions import Expression
from generic.admission.interface import Attributes
from generic.admission.matching import Match
from generic.schema.cel import conversion
from generic.schema.cel.environment import PER_CALL_LIMIT
from generic.schema.cel.errors import BudgetExceeded, EvaluationError
from generic.schema.cel.meter import Meter
from generic.types import JSONObject

BUDGET = 10_000_000
"""Units the validations of one policy may cost for one write, or each of its mutations."""
CONDITIONS_BUDGET = BUDGET // 4
"""The same for match conditions."""

_CUT_OFF = "operation cancelled: actual cost limit exceeded"
_NAMESPACE = conversion.converter(variables.NAMESPACE_TYPE)


class OutOfBudget(Exception):
    """Nothing more is run of this policy."""

    def __init__(self) -> None:
        super().__init__("validation failed due to running out of cost budget, no further validation rules will be run")


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one expression: its value, or why there is none."""

    value: Any = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a policy looks at. `object` and `old_object` are those of the write in the version it matched."""

    attributes: Attributes
    match: Match
    decisions: Decisions
    object: JSONObject | None = None
    old_object: JSONObject | None = None
    params: JSONObject | None = None
    namespace: JSONObject | None = None
    composed: Mapping[str, Expression] = field(default_factory=dict)
    """The policy's own variables."""

    def values(self) -> dict[str, Any]:
        """Of all variables but the policy's own."""
        namespace = variables.namespace(self.namespace)
        return {
            variables.OBJECT: self.object,
            variables.OLD_OBJECT: self.old_object,
            variables.PARAMS: self.params,
            variables.REQUEST: variables.request(self.attributes, self.match),
            variables.NAMESPACE_OBJECT: namespace if _NAMESPACE is None else _NAMESPACE(namespace),
            variables.AUTHORIZER: self.decisions.authorizer,
            variables.REQUEST_RESOURCE: self.decisions.of_resource(
                self.attributes, matching.namespace_of(self.attributes)
            ),
        }


class Activation:
    """One run of some expressions, which share their budget and the values of variables."""

    def __init__(self, inputs: Inputs, budget: int = BUDGET) -> None:
        self._values = inputs.values()
        self._values[variables.VARIABLES] = _Lazy(inputs.composed, self)
        self.left = budget

    def evaluate(self, expression: Expression) -> Outcome:
        """Raises OutOfBudget, and Undecided for what the authorizer has not been asked yet."""
        if expression.program is None:
            return Outcome(error=f"compilation error: {expression.error}")
        try:
            return Outcome(self.run(expression))
        except EvaluationError as error:
            return Outcome(error=f"expression '{expression.source}' resulted in error: {error}")

    def run(self, expression: Expression) -> Any:
        """The value. Raises what `evaluate` does, and EvaluationError."""
        assert expression.program is not None, "broken expressions are not run"
        meter = Meter(PER_CALL_LIMIT)
        try:
            return expression.program.evaluate(self._values, meter=meter)
        except BudgetExceeded:
            raise EvaluationError(_CUT_OFF) from None
        finally:
            self.left -= min(meter.spent, PER_CALL_LIMIT)
            if self.left < 0:
                raise OutOfBudget


class _Lazy(dict[str, Any]):
    """The policy's variables: each is evaluated when somebody first asks for it."""

    def __init__(self, expressions: Mapping[str, Expression], activation: Activation) -> None:
        super().__init__()
        self._expressions = expressions
        self._activation = activation

    def __contains__(self, name: object) -> bool:
        return name in self._expressions

    def __missing__(self, name: str) -> Any:
        expression = self._expressions[name]
        if expression.program is None:
            raise EvaluationError(f'composited variable "{name}" fails to compile: {expression.error}')
        try:
            self[name] = self._activation.run(expression)
        except EvaluationError as error:
            raise EvaluationError(f'composited variable "{name}" fails to evaluate: {error}') from None
        return self[name]


@dataclass(frozen=True, slots=True)
class Conditions:
    """What match conditions came to: they hold, or one does not, or there are errors and none that does not."""

    hold: bool = True
    failed: str = ""
    """The name of the one that does not hold."""

    errors: tuple[str, ...] = ()

    @property
    def error(self) -> str:
        """All errors, as Kubernetes joins them."""
        found = list(dict.fromkeys(self.errors))
        return found[0] if len(found) == 1 else f"[{', '.join(found)}]"


def conditions(expressions: Sequence[Expression], inputs: Inputs) -> Conditions:
    """Whether all conditions hold. The namespace's object is nothing they can see. Raises Undecided."""
    if not expressions:
        return Conditions()
    activation = Activation(replace(inputs, namespace=None), CONDITIONS_BUDGET)
    errors: list[str] = []
    try:
        for expression, outcome in _outcomes(activation, expressions):
            if outcome.error:
                errors.append(outcome.error)
            elif outcome.value is False:
                return Conditions(hold=False, failed=expression.name)
    except OutOfBudget as spent:
        errors = [str(spent)]
    return Conditions(hold=not errors, errors=tuple(errors))


def _outcomes(activation: Activation, expressions: Sequence[Expression]) -> Iterator[tuple[Expression, Outcome]]:
    # All are run before any counts: running out of budget is an error even where one does not hold.
    return iter([(expression, activation.evaluate(expression)) for expression in expressions])
