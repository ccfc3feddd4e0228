"""Policies and their bindings, read and compiled once for all writes.

Called by `source.py`, and by the validation of policies for `match_conditions`. Mirrors compilePolicy of
`apiserver/pkg/admission/plugin/policy/{validating,mutating}`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from generic.admission.cel import expressions
from generic.admission.cel.expressions import Expression, ExpressionCompiler
from generic.admission.matching import Constraints
from generic.types import JSONObject

PatchType = Literal["ApplyConfiguration", "JSONPatch"]


@dataclass(frozen=True, slots=True)
class Policy:
    """What both kinds of policies have. `fails`: errors refuse the write; otherwise they are let be."""

    name: str
    constraints: Constraints
    param_kind: JSONObject | None
    conditions: tuple[Expression, ...]
    composed: Mapping[str, Expression]
    fails: bool


@dataclass(frozen=True, slots=True)
class Validation:
    """One thing that has to be true, and what is said if it is not."""

    expression: Expression
    message_expression: Expression | None
    message: str
    reason: str


@dataclass(frozen=True, slots=True)
class ValidatingPolicy(Policy):
    """A ValidatingAdmissionPolicy. `annotations`: by their keys."""

    validations: tuple[Validation, ...]
    annotations: tuple[tuple[str, Expression], ...]

    @classmethod
    def of(cls, policy: JSONObject) -> Self:
        spec = policy["spec"]
        compiler = ExpressionCompiler(params=spec.get("paramKind") is not None)
        made = _common(policy, compiler)
        return cls(
            made.name,
            made.constraints,
            made.param_kind,
            made.conditions,
            made.composed,
            made.fails,
            validations=tuple(_validation(entry, compiler) for entry in spec.get("validations") or ()),
            annotations=tuple(
                (entry["key"], compiler.compile((entry["valueExpression"]).strip(), expressions.ANNOTATION))
                for entry in spec.get("auditAnnotations") or ()
            ),
        )


def _validation(entry: JSONObject, compiler: ExpressionCompiler) -> Validation:
    said = (entry.get("messageExpression") or "").strip()
    return Validation(
        expression=compiler.compile(entry["expression"], expressions.CONDITION),
        message_expression=compiler.compile(said, expressions.MESSAGE, authorizer=False) if said else None,
        message=(entry.get("message") or "").strip(),
        reason=entry.get("reason") or "Invalid",
    )


@dataclass(frozen=True, slots=True)
class Mutation:
    """One patch, made by an expression."""

    type: PatchType
    expression: Expression


@dataclass(frozen=True, slots=True)
class MutatingPolicy(Policy):
    """A MutatingAdmissionPolicy. `again_if_needed`: it may run once more if later ones changed the object."""

    mutations: tuple[Mutation, ...]
    again_if_needed: bool

    @classmethod
    def of(cls, policy: JSONObject) -> Self:
        spec = policy["spec"]
        compiler = ExpressionCompiler(params=spec.get("paramKind") is not None)
        made = _common(policy, compiler)
        return cls(
            made.name,
            made.constraints,
            made.param_kind,
            made.conditions,
            made.composed,
            made.fails,
            mutations=tuple(_mutation(entry, compiler) for entry in spec.get("mutations") or ()),
            again_if_needed=spec.get("reinvocationPolicy") == "IfNeeded",
        )


def _mutation(entry: JSONObject, compiler: ExpressionCompiler) -> Mutation:
    if entry["patchType"] == "JSONPatch":
        source = entry["jsonPatch"]["expression"].strip()
        return Mutation("JSONPatch", compiler.mutation(source, expressions.JSON_PATCH))
    source = entry["applyConfiguration"]["expression"].strip()
    return Mutation("ApplyConfiguration", compiler.mutation(source, expressions.APPLY_CONFIGURATION))


def _common(policy: JSONObject, compiler: ExpressionCompiler) -> Policy:
    spec = policy["spec"]
    composed = {
        entry["name"]: compiler.variable(entry["name"], entry["expression"]) for entry in spec.get("variables") or ()
    }
    return Policy(
        name=policy["metadata"]["name"],
        constraints=Constraints.of(spec.get("matchConstraints") or {}, rules="resourceRules"),
        param_kind=spec.get("paramKind"),
        conditions=match_conditions(spec.get("matchConditions") or (), compiler),
        composed=composed,
        fails=spec.get("failurePolicy") != "Ignore",
    )


def match_conditions(conditions: Sequence[JSONObject], compiler: ExpressionCompiler) -> tuple[Expression, ...]:
    """Of a policy or a webhook."""
    return tuple(
        compiler.compile(entry["expression"], expressions.CONDITION, name=entry["name"]) for entry in conditions
    )


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a policy is in force, with which parameters, and what its refusals lead to."""

    name: str
    policy: str
    constraints: Constraints | None
    param_ref: JSONObject | None
    actions: tuple[str, ...] = ()

    @classmethod
    def of(cls, binding: JSONObject) -> Self:
        spec = binding["spec"]
        resources = spec.get("matchResources")
        return cls(
            name=binding["metadata"]["name"],
            policy=spec["policyName"],
            constraints=None
            if resources is None
            else Constraints.of(resources, rules="resourceRules", everything=True),
            param_ref=spec.get("paramRef"),
            actions=tuple(spec.get("validationActions") or ()),
        )
