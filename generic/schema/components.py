"""From schemas to the components of an OpenAPI v3 document: what a root reaches, in OpenAPI's dialect.

Called by `ObjectSchema.openapi`. Mirrors what `kube-openapi/pkg/builder3` writes: types are single, references with
something beside them stand in allOf.
"""

from collections.abc import Mapping
from typing import Any

from generic.types import JSONObject

PREFIX = "#/components/schemas/"
_INT_OR_STRING = {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}
_QUANTITY = {"oneOf": [{"type": "string"}, {"type": "number"}]}
_BY_NAME: Mapping[str, JSONObject] = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": _INT_OR_STRING,
    "io.k8s.apimachinery.pkg.api.resource.Quantity": _QUANTITY,
}


def reached(definitions: Mapping[str, JSONObject], name: str) -> dict[str, JSONObject]:
    """The components of a definition and of everything it refers to. Raises KeyError."""
    made: dict[str, JSONObject] = {}
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in made:
            component, references = convert(definitions[current], current)
            made[current] = component
            waiting += [reference for reference in references if reference in definitions]
    return made


def convert(schema: JSONObject, name: str = "") -> tuple[JSONObject, list[str]]:
    """One schema in OpenAPI's dialect, and the names it refers to."""
    if name in _BY_NAME:
        kept = {key: value for key, value in schema.items() if key not in ("oneOf", "type")}
        return {**kept, **_BY_NAME[name]}, []
    references: list[str] = []
    return _converted(schema, references), references


def _converted(schema: JSONObject, references: list[str]) -> JSONObject:
    made: JSONObject = {}
    target: str | None = None
    for key, value in schema.items():
        if key == "$ref":
            target = str(value).rpartition("/")[2]
        elif key == "type" and isinstance(value, list):
            kinds = [kind for kind in value if kind != "null"]
            if len(kinds) == 1:
                made["type"] = kinds[0]
        elif key in ("properties", "patternProperties") and isinstance(value, dict):
            of_kind = "x-kubernetes-group-version-kind" in schema
            made[key] = {name: _member(name, member, references, of_kind=of_kind) for name, member in value.items()}
        elif key in ("items", "additionalProperties", "not") and isinstance(value, dict):
            made[key] = _converted(value, references)
        elif key in ("allOf", "anyOf", "oneOf") and isinstance(value, list):
            _parts(made, key, value, references)
        elif key == "const":
            made["enum"] = [value]
        elif key in ("exclusiveMinimum", "exclusiveMaximum") and not isinstance(value, bool):
            made[key.removeprefix("exclusive").lower()] = value
            made[key] = True
        elif key not in ("title", "$defs", "$schema") and not (key == "default" and value is None):
            made[key] = value
    if target is not None:
        references.append(target)
        reference = {"$ref": f"{PREFIX}{target}"}
        return {**made, "allOf": [reference]} if made else reference
    return made


def _member(name: str, schema: Any, references: list[str], *, of_kind: bool) -> Any:
    if not isinstance(schema, dict):
        return schema
    made = _converted(schema, references)
    if of_kind and name in ("apiVersion", "kind"):
        # Added by whoever packaged the definitions; Kubernetes publishes none.
        made.pop("enum", None)
    return made


def _parts(made: JSONObject, key: str, parts: list[Any], references: list[str]) -> None:
    kept = [part for part in parts if not (isinstance(part, dict) and part.get("type") == "null")]
    if len(kept) < len(parts):
        made["nullable"] = True
    if len(kept) == 1 and len(parts) > 1:
        inner = _converted(kept[0], references)
        made.update({"allOf": [inner]} if "$ref" in inner else inner)
    else:
        made[key] = [_converted(part, references) if isinstance(part, dict) else part for part in kept]
