"""Validation of admission policies and their bindings: expressions have to compile when they are written.

Called by their strategies. Mirrors `pkg/apis/admissionregistration/validation/validation.go`.
"""

import re
from collections.abc import Iterable

from generic.admission.cel import expressions
from generic.admission.cel.expressions import Expression, ExpressionCompiler
from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common
from kubeapi.resources.validation.admissionregistration import FAILURES, expression, match_conditions, match_resources
from kubeapi.resources.validation.common import each

_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_ACTIONS = ("Audit", "Deny", "Warn")
_MUTATED = ("*", "CONNECT", "CREATE", "UPDATE")
_REINVOCATIONS = ("IfNeeded", "Never")
_PATCHES = ("ApplyConfiguration", "JSONPatch")
_MOST_ANNOTATIONS, _LONGEST_ANNOTATION = 20, 5 * 1024
_UNSPECIFIED = "expression is not specified"
_is_identifier = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*").fullmatch
_RESERVED = frozenset({
    *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import"),
    *("let", "loop", "package", "namespace", "return", "var", "void", "while"),
})


def validating_policy(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    compiler = ExpressionCompiler(params=spec.get("paramKind") is not None)
    found = _policy(spec, compiler)
    validations, annotations = spec.get("validations") or [], spec.get("auditAnnotations") or []
    if not validations and not annotations:
        why = "validations or auditAnnotations must contain at least one item"
        found += [fields.required(f"spec.{key}", why) for key in ("validations", "auditAnnotations")]
    for at, entry in enumerate(validations):
        found += _validation(entry, f"spec.validations[{at}]", compiler)
    if len(annotations) > _MOST_ANNOTATIONS:
        why = f"must not have more than {_MOST_ANNOTATIONS} auditAnnotations"
        found.append(fields.invalid("spec.auditAnnotations", annotations, why))
    return found + _annotations(annotations, obj["metadata"].get("name") or "", compiler)


def mutating_policy(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    compiler = ExpressionCompiler(params=spec.get("paramKind") is not None)
    found = _policy(spec, compiler, mutates=True)
    mutations = spec.get("mutations") or []
    if not mutations:
        found.append(fields.required("spec.mutations", "mutations must contain at least one item"))
    for at, mutation in enumerate(mutations):
        found += _mutation(mutation, f"spec.mutations[{at}]", compiler)
    again = spec.get("reinvocationPolicy") or ""
    path = "spec.reinvocationPolicy"
    return found + (common.among(again, path, _REINVOCATIONS) if again else [fields.required(path)])


def _mutation(mutation: JSONObject, path: str, compiler: ExpressionCompiler) -> list[FieldError]:
    type = mutation.get("patchType") or ""
    if not type:
        return [fields.required(f"{path}.patchType")]
    if type not in _PATCHES:
        return common.among(type, f"{path}.patchType", _PATCHES)
    if type == "JSONPatch":
        wanted, other, results = "jsonPatch", "applyConfiguration", expressions.JSON_PATCH
    else:
        wanted, other, results = "applyConfiguration", "jsonPatch", expressions.APPLY_CONFIGURATION
    found: list[FieldError] = []
    if mutation.get(wanted) is None:
        found.append(fields.required(f"{path}.{wanted}", f"must be specified when patchType is {type}"))
    else:
        source = (mutation[wanted].get("expression") or "").strip()
        here = f"{path}.{wanted}.expression"
        found += _broken(compiler.mutation(source, results), here) if source else [fields.required(here)]
    if mutation.get(other) is not None:
        why = f"must not be specified when patchType is {type}"
        found.append(fields.invalid(f"{path}.{other}", f"{{{other}}}", why))
    return found


def _broken(made: Expression, path: str) -> list[FieldError]:
    return [fields.invalid(path, made.source, made.error)] if made.error else []


def _policy(spec: JSONObject, compiler: ExpressionCompiler, *, mutates: bool = False) -> list[FieldError]:
    found: list[FieldError] = []
    policy = spec.get("failurePolicy")
    if policy is None:
        found.append(fields.required("spec.failurePolicy"))
    else:
        found += common.among(policy, "spec.failurePolicy", FAILURES)
    if spec.get("paramKind") is not None:
        found += _param_kind(spec["paramKind"], "spec.paramKind")
    constraints = spec.get("matchConstraints")
    if constraints is None:
        found.append(fields.required("spec.matchConstraints"))
    else:
        found += match_resources(constraints, "spec.matchConstraints")
        if not constraints.get("resourceRules"):
            found.append(fields.required("spec.matchConstraints.resourceRules"))
        if mutates:
            path = "spec.matchConstraints.resourceRules.operations"
            for rule in each(constraints.get("resourceRules")):
                for operation in rule.get("operations") or ():
                    found += common.among(operation, path, _MUTATED)
    params = spec.get("paramKind") is not None
    found += match_conditions(list(each(spec.get("matchConditions"))), "spec.matchConditions", params=params)
    for at, variable in enumerate(each(spec.get("variables"))):
        found += _variable(variable, f"spec.variables[{at}]", compiler)
    return found


def _param_kind(kind: JSONObject, path: str) -> list[FieldError]:
    version, name, found = kind.get("apiVersion") or "", kind.get("kind") or "", list[FieldError]()
    group, _, number = version.rpartition("/")
    if not version:
        found.append(fields.required(f"{path}.apiVersion"))
    else:
        wrong = {group: names.dns1123_subdomain(group) if group else [], number: names.dns1035_label(number)}
        for part, problems in wrong.items():
            if problems:
                found.append(fields.invalid(f"{path}.apiVersion", part, ",".join(problems)))
    if not name:
        return [*found, fields.required(f"{path}.kind")]
    problems = names.dns1035_label(name.lower())
    if problems:
        why = f"may have mixed case, but should otherwise match: {','.join(problems)}"
        found.append(fields.invalid(f"{path}.kind", name, why))
    return found


def _variable(variable: JSONObject, path: str, compiler: ExpressionCompiler) -> list[FieldError]:
    name, found = (variable.get("name") or "").strip(), list[FieldError]()
    if not name:
        found.append(fields.required(f"{path}.name", "name is not specified"))
    elif not _is_identifier(variable["name"]) or variable["name"] in _RESERVED:
        found.append(fields.invalid(f"{path}.name", variable["name"], "must be a valid CEL identifier"))
    source = variable.get("expression") or ""
    if not source.strip():
        return [*found, fields.required(f"{path}.expression", _UNSPECIFIED)]
    return found + _broken(compiler.variable(variable.get("name") or "", source), f"{path}.expression")


def _validation(entry: JSONObject, path: str, compiler: ExpressionCompiler) -> list[FieldError]:
    message, said = entry.get("message") or "", entry.get("messageExpression") or ""
    found = expression(entry.get("expression") or "", f"{path}.expression", compiler, why=_UNSPECIFIED)
    if said and not said.strip():
        found.append(fields.invalid(f"{path}.messageExpression", said, "must be non-empty if specified"))
    elif said:
        made = compiler.compile(said, expressions.MESSAGE, authorizer=False)
        found += _broken(made, f"{path}.messageExpression")
    if message and not message.strip():
        found.append(fields.invalid(f"{path}.message", message, "must be non-empty if specified"))
    elif "\n" in message.strip() or "\r" in message.strip():
        found.append(fields.invalid(f"{path}.message", message, "must not contain line breaks"))
    if entry.get("reason") is not None:
        found += common.among(entry["reason"], f"{path}.reason", _REASONS)
    return found


def _annotations(annotations: Iterable[JSONObject], name: str, compiler: ExpressionCompiler) -> list[FieldError]:
    found: list[FieldError] = []
    seen: set[str] = set()
    for at, annotation in enumerate(annotations):
        here, key = f"spec.auditAnnotations[{at}]", annotation.get("key") or ""
        if name:
            full = f"{name}/{key}"
            found += [fields.invalid(f"{here}.key", full, why) for why in names.qualified_name(full)]
        else:
            found.append(fields.invalid(f"{here}.key", key, "requires metadata.name be non-empty"))
        found += _value_expression(annotation.get("valueExpression") or "", f"{here}.valueExpression", compiler)
        if key in seen:
            found.append(fields.duplicate(f"{here}.key", key))
        seen.add(key)
    return found


def _value_expression(written: str, path: str, compiler: ExpressionCompiler) -> list[FieldError]:
    source = written.strip()
    if not source:
        return [fields.required(path, "valueExpression is not specified")]
    if len(source.encode()) > _LONGEST_ANNOTATION:
        return [fields.required(path, f"must not exceed {_LONGEST_ANNOTATION} bytes in length")]
    made = compiler.compile(source, expressions.ANNOTATION)
    return [fields.invalid(path, written, made.error)] if made.error else []


def policy_binding(obj: JSONObject) -> list[FieldError]:
    spec = obj.get("spec") or {}
    name = spec.get("policyName") or ""
    found = common.subdomain(name, "spec.policyName") if name else [fields.required("spec.policyName")]
    if spec.get("paramRef") is not None:
        found += _param_ref(spec["paramRef"], "spec.paramRef")
    return found + match_resources(spec.get("matchResources"), "spec.matchResources")


def validating_binding(obj: JSONObject) -> list[FieldError]:
    actions, path = (obj.get("spec") or {}).get("validationActions") or [], "spec.validationActions"
    found = policy_binding(obj)
    for at, action in enumerate(actions):
        found += common.among(action, f"{path}[{at}]", _ACTIONS)
        if action in actions[:at]:
            found.append(fields.duplicate(f"{path}[{at}]", action))
    if {"Deny", "Warn"} <= set(actions):
        why = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API "
            "response and headers serves no purpose)"
        )
        found.append(fields.invalid(path, actions, why))
    return found if actions else [*found, fields.required(path)]


def _param_ref(reference: JSONObject, path: str) -> list[FieldError]:
    name, selector, found = reference.get("name") or "", reference.get("selector"), list[FieldError]()
    both = "name and selector are mutually exclusive"
    if name:
        found += [fields.invalid(f"{path}.name", name, why) for why in names.path_segment_name(name)]
        found += [fields.forbidden(f"{path}.name", both)] if selector is not None else []
    if selector is not None:
        found += validation.label_selector(selector, f"{path}.selector")
        found += [fields.forbidden(f"{path}.selector", both)] if name else []
    if not name and selector is None:
        found.append(fields.required(path, "one of name or selector must be specified"))
    action, here = reference.get("parameterNotFoundAction"), f"{path}.parameterNotFoundAction"
    return found + common.required_among(action, here, ("Deny", "Allow"))
