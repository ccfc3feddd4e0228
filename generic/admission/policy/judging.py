"""Runs one ValidatingAdmissionPolicy on one write: a decision for each validation, and the values of its annotations.

Called by `validating.py`. Mirrors `apiserver/pkg/admission/plugin/policy/validating/validator.go`.
"""

from dataclasses import dataclass
from typing import Any

from generic.admission.cel import evaluating
from generic.admission.cel.evaluating import Activation, Inputs, Outcome, OutOfBudget
from generic.admission.policy.compiled import ValidatingPolicy, Validation
from generic.schema.cel.values import type_name

_LONGEST_MESSAGE = 5 * 1024


@dataclass(frozen=True, slots=True)
class Decision:
    """Of one validation. No `message`: it holds, or its failure is let be, and then is `ignored`."""

    message: str = ""
    reason: str = ""
    ignored: str = ""


@dataclass(frozen=True, slots=True)
class Annotation:
    """For the audit log; with an `error` the write is refused."""

    key: str
    value: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Decisions stand where their validations do."""

    decisions: tuple[Decision, ...] = ()
    annotations: tuple[Annotation, ...] = ()


def judge(policy: ValidatingPolicy, inputs: Inputs) -> Judgement:
    """Raises Undecided for what the authorizer has not been asked yet."""
    met = evaluating.conditions(policy.conditions, inputs)
    if met.errors and not met.failed and policy.fails:
        return Judgement((Decision(met.error),))
    if not met.hold:
        return Judgement()
    try:
        decisions = _decisions(policy, inputs)
        return Judgement(decisions, _annotations(policy, inputs))
    except OutOfBudget as spent:
        return Judgement((_failed(policy, str(spent)),))


def _failed(policy: ValidatingPolicy, message: str) -> Decision:
    return Decision(message) if policy.fails else Decision(ignored=message)


def _decisions(policy: ValidatingPolicy, inputs: Inputs) -> tuple[Decision, ...]:
    activation = Activation(inputs)
    outcomes = [activation.evaluate(validation.expression) for validation in policy.validations]
    saying = Activation(inputs, activation.left)
    spent, messages = "", list[Outcome | None]()
    try:
        for validation in policy.validations:
            said = validation.message_expression
            messages.append(None if said is None else saying.evaluate(said))
    except OutOfBudget as error:
        spent = f"failed messageExpression: {error}"
    return tuple(
        _decision(policy, validation, outcome, spent or _message(validation, messages[at]), spent=bool(spent))
        for at, (validation, outcome) in enumerate(zip(policy.validations, outcomes, strict=True))
    )


def _decision(
    policy: ValidatingPolicy, validation: Validation, outcome: Outcome, message: str, *, spent: bool
) -> Decision:
    if outcome.error:
        return _failed(policy, outcome.error)
    if spent:
        return _failed(policy, message)
    return Decision() if outcome.value is True else Decision(message, validation.reason)


def _message(validation: Validation, said: Outcome | None) -> str:
    text = said.value.strip() if said is not None and isinstance(said.value, str) else ""
    if text and len(text.encode()) <= _LONGEST_MESSAGE and "\n" not in text:
        return text
    return validation.message or f"failed expression: {validation.expression.source.strip()}"


def _annotations(policy: ValidatingPolicy, inputs: Inputs) -> tuple[Annotation, ...]:
    if not policy.annotations:
        return ()
    activation, made = Activation(inputs), list[Annotation]()
    for key, expression in policy.annotations:
        outcome = activation.evaluate(expression)
        if outcome.error:
            made += [Annotation(key, error=outcome.error)] if policy.fails else []
        elif isinstance(outcome.value, str):
            value = outcome.value.strip()
            made += [Annotation(key, value)] if value else []
        elif outcome.value is not None:
            made.append(Annotation(key, error=_unsupported(expression.source, outcome.value)))
    return tuple(made)


def _unsupported(source: str, value: Any) -> str:
    return (
        f"valueExpression '{source}' resulted in unsupported return type: {type_name(value)}. "
        "Return type must be either string or null."
    )
