"""A pod template as a structural schema: what generators put into the definitions of operators, in our own process.

Made from Kubernetes' own OpenAPI, references replaced by what they mean. Used by `shapes.py`.
"""

import functools

from generic.types import JSONObject
from kubeapi.schemas import Schemas
from tests.support.builtin import copy

_PREFIX = "#/$defs/"
_CORE = "io.k8s.api.core.v1."
_MEANT: dict[str, JSONObject] = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
        "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?[0-9]+))?$",
    },
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "x-kubernetes-int-or-string": True,
        "anyOf": [{"type": "integer"}, {"type": "string"}],
    },
    "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {
        "type": "object",
        "properties": {
            name: {"type": "object", "additionalProperties": {"type": "string"}} for name in ("annotations", "labels")
        },
    },
}
_KEPT = (
    "type",
    "format",
    "enum",
    "description",
    "required",
    "x-kubernetes-list-type",
    "x-kubernetes-list-map-keys",
    "x-kubernetes-map-type",
)
# Only for humans in OpenAPI, but a key of a list must be there in a definition.
_DEFAULTS = {"protocol": "TCP", "name": ""}


@functools.cache
def _definitions() -> dict[str, JSONObject]:
    return dict(Schemas.load().openapi_definitions())


def pod_template() -> JSONObject:
    """A copy, the caller's to change: some 8,000 lines of YAML."""
    return copy(_inlined({"$ref": f"{_PREFIX}{_CORE}PodTemplateSpec"}))


def _inlined(schema: JSONObject) -> JSONObject:
    if "allOf" in schema and len(schema["allOf"]) == 1:
        schema = {**schema["allOf"][0], **{key: value for key, value in schema.items() if key != "allOf"}}
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_PREFIX)
        made = dict(_MEANT[name]) if name in _MEANT else _inlined(_definitions()[name])
        if "description" in schema:
            made["description"] = schema["description"]
        return made
    made = {key: schema[key] for key in _KEPT if key in schema}
    if isinstance(made.get("type"), list):
        made["type"] = next(name for name in made["type"] if name != "null")
    if "properties" in schema:
        made["properties"] = {name: _inlined(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        made["items"] = _inlined(schema["items"])
        for key in made.get("x-kubernetes-list-map-keys") or ():
            if key not in (made["items"].get("required") or ()):
                made["items"]["properties"][key]["default"] = _DEFAULTS[key]
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = _inlined(schema["additionalProperties"])
    return made
