"""From OpenAPI v3 documents to one of v2, Swagger: what is written differently there, and how names are kept apart.

Called by `v2.py`. Documents of aggregated servers are among them, so anything may be of any type: what cannot
be read raises ValueError. Mirrors `kube-openapi/pkg/{aggregator,schemaconv,openapiconv}`.
"""

from collections.abc import Mapping
from typing import Any

from generic.meta.untrusted import json_list, json_object
from generic.types import JSONObject

_COMPONENTS = "#/components/schemas/"
_DEFINITIONS = "#/definitions/"
_SHARED = "io.k8s.apimachinery.pkg.apis.meta.v1."
_METHODS = frozenset(("get", "put", "post", "delete", "options", "head", "patch"))
_ONLY_IN_V3 = frozenset(("nullable", "oneOf", "anyOf", "not", "writeOnly", "deprecated"))
_OF_OPERATIONS = ("operationId", "description", "summary", "tags", "deprecated")


class Swagger:
    """A v2 document in the making."""

    def __init__(self) -> None:
        self._paths: JSONObject = {}
        self._definitions: dict[str, JSONObject] = {}
        self._origins: dict[str, Any] = {}

    def add(self, owner: str, document: JSONObject) -> None:
        """Take what a v3 document says of the paths at and below `/<owner>`, unless an earlier one said it.

        A component that differs from an earlier one of its name gets another. Raises ValueError, with nothing taken.
        """
        components = json_object(json_object(document.get("components") or {}).get("schemas") or {})
        names = {name: self._name_for(name, component) for name, component in components.items()}
        new = {made: components[name] for name, made in names.items() if made not in self._definitions}
        definitions = {made: _Converter(names).schema(component) for made, component in new.items()}
        root = f"/{owner}"
        paths = {
            path: _Converter(names).path(json_object(item))
            for path, item in json_object(document.get("paths") or {}).items()
            if (path == root or path.startswith(f"{root}/")) and path not in self._paths
        }
        self._paths.update(paths)
        self._definitions.update(definitions)
        self._origins.update(new)

    def document(self) -> JSONObject:
        return {
            "swagger": "2.0",
            "info": {"title": "Kubernetes", "version": "unversioned"},
            "paths": self._paths,
            "definitions": self._definitions,
            "securityDefinitions": {
                "BearerToken": {
                    "type": "apiKey",
                    "name": "authorization",
                    "in": "header",
                    "description": "Bearer Token authentication",
                }
            },
            "security": [{"BearerToken": []}],
        }

    def _name_for(self, name: str, component: Any) -> str:
        made, number = name, 1
        while made in self._origins and not _same(name, self._origins[made], component):
            number += 1
            made = f"{name}_v{number}"
        return made


def _same(name: str, one: Any, other: Any) -> bool:
    """Whether two components of a name are one. Of what all groups share, each server may speak in its own words."""
    return bool(one == other) or (name.startswith(_SHARED) and _wordless(one) == _wordless(other))


def _wordless(found: Any) -> Any:
    if isinstance(found, list):
        return [_wordless(one) for one in found]
    if not isinstance(found, dict):
        return found
    made = {
        key: _wordless(value)
        for key, value in found.items()
        if key != "x-kubernetes-group-version-kind" and not (key == "description" and isinstance(value, str))
    }
    # What is only described needs no wrapping.
    parts = made.get("allOf")
    return parts[0] if len(made) == 1 and isinstance(parts, list) and len(parts) == 1 else made


def _loosen(made: JSONObject) -> None:
    """What may hold fields nobody described is left wholly undescribed: kubectl of old refuses what is not described.

    Mirrors `apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go`, but for null: whether a field may be null
    is said of the fields of aggregated servers more often than it is meant.
    """
    if made.get("x-kubernetes-preserve-unknown-fields") is True:
        of_kind = made.get("x-kubernetes-group-version-kind")
        if of_kind:
            # Not even the members that every kind has: kubectl would miss the others.
            made.clear()
            made.update({"type": "object", "x-kubernetes-group-version-kind": of_kind})
            return
        made.pop("items", None)
        made.pop("properties", None)
        if made.get("type") == "object":
            del made["type"]
    if made.get("type") == "array" and "items" not in made:
        del made["type"]


class _Converter:
    """`names`: what the components of the document are called in the whole."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def schema(self, found: Any) -> JSONObject:
        schema = json_object(found)
        if "$ref" in schema:
            return {"$ref": self._reference(schema["$ref"])}
        made: JSONObject = {}
        for key, value in schema.items():
            if key in ("properties", "patternProperties"):
                made[key] = {name: self.schema(one) for name, one in json_object(value).items()}
            elif key == "items" or (key == "additionalProperties" and isinstance(value, dict)):
                made[key] = self.schema(value)
            elif key == "allOf":
                made.update(self._all_of(value))
            elif key not in _ONLY_IN_V3:
                made[key] = value
        choices = schema.get("oneOf")
        if "type" not in made and isinstance(choices, list) and {"type": "string"} in choices:
            # What may be text or a number, such as a quantity, is text to v2.
            made["type"] = "string"
        _loosen(made)
        return made

    def _all_of(self, value: Any) -> JSONObject:
        parts = [self.schema(one) for one in json_list(value)]
        # In v3 a reference may have no siblings, so it is wrapped to be described.
        return parts[0] if len(parts) == 1 else {"allOf": parts}

    def path(self, item: JSONObject) -> JSONObject:
        made: JSONObject = {key: self._operation(json_object(one)) for key, one in item.items() if key in _METHODS}
        if "parameters" in item:
            made["parameters"] = [self._parameter(json_object(one)) for one in json_list(item["parameters"])]
        return made

    def _operation(self, operation: JSONObject) -> JSONObject:
        made = {key: value for key, value in operation.items() if key in _OF_OPERATIONS or key.startswith("x-")}
        parameters = [self._parameter(json_object(one)) for one in json_list(operation.get("parameters") or [])]
        consumes = ["*/*"]
        if "requestBody" in operation:
            body = json_object(operation["requestBody"])
            content = json_object(body.get("content") or {})
            consumes = list(content) or consumes
            required = {"required": True} if body.get("required") is True else {}
            parameters.append({"name": "body", "in": "body", **required, "schema": self._content(content)})
        produces: dict[str, None] = {}
        responses: JSONObject = {}
        for code, found in json_object(operation.get("responses") or {}).items():
            response = json_object(found)
            content = json_object(response.get("content") or {})
            produces.update(dict.fromkeys(content))
            schema = {"schema": self._content(content)} if content else {}
            responses[code] = {"description": response.get("description") or "", **schema}
        made.update(consumes=consumes, produces=list(produces), schemes=["https"], responses=responses)
        return {**made, "parameters": parameters} if parameters else made

    def _parameter(self, parameter: JSONObject) -> JSONObject:
        plain = {key: value for key, value in parameter.items() if key != "schema"}
        return {**plain, **self.schema(parameter.get("schema") or {})}

    def _content(self, content: JSONObject) -> JSONObject:
        """The schema of a body: the same in all its media types."""
        for media_type in content.values():
            return self.schema(json_object(media_type).get("schema") or {})
        return {}

    def _reference(self, target: Any) -> str:
        if not isinstance(target, str) or not target.startswith(_COMPONENTS):
            raise ValueError(f"reference to {target!r}")
        name = target.removeprefix(_COMPONENTS)
        return f"{_DEFINITIONS}{self._names.get(name, name)}"
