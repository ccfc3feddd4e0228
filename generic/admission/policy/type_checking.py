"""Whether the expressions of a ValidatingAdmissionPolicy fit the types of the objects it looks at.

Called by the controller that writes `status.typeChecking`. Only warnings come of it: at run time objects have no types.
Mirrors `apiserver/pkg/admission/plugin/policy/validating/typechecking.go`, and the resolving of references in
`apiserver/pkg/cel/openapi/resolver`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generic.admission.cel import expressions
from generic.admission.cel.expressions import ExpressionCompiler
from generic.meta.gvk import GroupVersionKind, GroupVersionResource
from generic.schema.cel import schema_types
from generic.schema.cel.types import DYN, DeclType
from generic.types import JSONObject

MOST_TYPES = 10
_KINDS = "x-kubernetes-group-version-kind"
_TEXT: JSONObject = {"type": "string"}
_OBJECT_META: JSONObject = {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}}
_OPAQUE: JSONObject = {"x-kubernetes-preserve-unknown-fields": True}


def resources(policy: JSONObject) -> Iterator[GroupVersionResource]:
    """Those the policy's rules name outright, in order: a rule with a wildcard for group or version names none."""
    for rule in (policy["spec"].get("matchConstraints") or {}).get("resourceRules") or ():
        groups, versions = sorted(rule.get("apiGroups") or ()), sorted(rule.get("apiVersions") or ())
        if any("*" in name for name in (*groups, *versions)):
            continue
        plurals = sorted(name for name in rule.get("resources") or () if "*" not in name and "/" not in name)
        yield from (
            GroupVersionResource(group, version, name) for group in groups for version in versions for name in plurals
        )


def type_of(document: JSONObject, gvk: GroupVersionKind) -> DeclType | None:
    """The type of a kind, from the OpenAPI v3 document of its group and version; None if that has no such kind."""
    schemas: Mapping[str, JSONObject] = (document.get("components") or {}).get("schemas") or {}
    wanted = {"group": gvk.group, "version": gvk.version, "kind": gvk.kind}
    for name, schema in schemas.items():
        if wanted in (schema.get(_KINDS) or ()):
            resolved = _resolved(schema, schemas, frozenset({name}))
            properties = {"apiVersion": _TEXT, "kind": _TEXT, "metadata": _OBJECT_META}
            return schema_types.of_schema({**resolved, "properties": properties | (resolved.get("properties") or {})})
    return None


def _resolved(schema: Any, schemas: Mapping[str, JSONObject], above: frozenset[str]) -> JSONObject:
    """The schema with what it refers to in its place; what refers to itself could be anything."""
    if not isinstance(schema, dict):
        return _OPAQUE
    alternatives: list[JSONObject] = schema.get("allOf") or []
    reference = schema.get("$ref") or (alternatives[0].get("$ref") if len(alternatives) == 1 else None)
    if reference:
        name = reference.rpartition("/")[2]
        if name in above or name not in schemas:
            return _OPAQUE
        return _resolved(schemas[name], schemas, above | {name})
    made = dict(schema)
    if "oneOf" in made and "type" not in made:
        # A Quantity or an IntOrString.
        return {"x-kubernetes-int-or-string": True}
    if "properties" in made:
        made["properties"] = {key: _resolved(inside, schemas, above) for key, inside in made["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _resolved(made[key], schemas, above)
    return made


@dataclass(frozen=True, slots=True)
class Checked:
    """A kind the policy looks at, and the type of its objects."""

    gvk: GroupVersionKind
    type: DeclType


def warnings(policy: JSONObject, types: Sequence[Checked], params: DeclType | None) -> list[JSONObject]:
    """The ExpressionWarnings of a policy's validations."""
    found: list[JSONObject] = []
    compilers = [(checked.gvk, _compiler(policy, checked.type, params)) for checked in types]
    for at, validation in enumerate(policy["spec"].get("validations") or ()):
        for field in ("expression", "messageExpression"):
            source = validation.get(field) or ""
            if not source:
                continue
            errors = [(gvk, compiler.compile(source, expressions.ANYTHING).error) for gvk, compiler in compilers]
            told = [f"{gvk.group}/{gvk.version}, Kind={gvk.kind}: {error}\n" for gvk, error in errors if error]
            if told:
                found.append({"fieldRef": f"spec.validations[{at}].{field}", "warning": "\n".join(told)})
    return found


def _compiler(policy: JSONObject, object_type: DeclType, params: DeclType | None) -> ExpressionCompiler:
    spec = policy["spec"]
    compiler = ExpressionCompiler(
        params=spec.get("paramKind") is not None, object_type=object_type, params_type=params or DYN, prefix=False
    )
    for variable in spec.get("variables") or ():
        compiler.variable(variable["name"], variable["expression"])
    return compiler
