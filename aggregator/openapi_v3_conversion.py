"""From an OpenAPI v2 document, Swagger, to the v3 document of one group-version in it.

Called by `controllers/openapi.py` for aggregated servers that have no v3. They are not trusted, so anything may be of
any type: what cannot be read raises ValueError. Mirrors `kube-openapi/pkg/openapiconv/convert.go` and the downgrade of
`kube-aggregator/pkg/controllers/openapiv3/aggregator`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from generic.meta.untrusted import json_list, json_object, texts
from generic.types import JSONObject

_COMPONENTS = "#/components/schemas/"
_DEFINITIONS = "#/definitions/"
_METHODS = frozenset(("get", "put", "post", "delete", "options", "head", "patch"))
_OF_OPERATIONS = ("operationId", "description", "summary", "tags", "deprecated")
_OF_PARAMETERS = ("name", "in", "description", "required")
_ANYTHING = ["*/*"]


def v3_of(swagger: JSONObject, path: str) -> JSONObject:
    """The document of `apis/<group>/<version>`: its paths, and the components they speak of. Raises ValueError."""
    root = f"/{path}"
    found = {
        key: _path(json_object(item), swagger)
        for key, item in json_object(swagger.get("paths") or {}).items()
        if key == root or key.startswith(f"{root}/")
    }
    if not found:
        raise ValueError(f"the document has no paths below {root}")
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "unversioned"},
        "paths": found,
        "components": {"schemas": _reached(found, json_object(swagger.get("definitions") or {}))},
    }


def _reached(paths: JSONObject, definitions: JSONObject) -> JSONObject:
    """The components that are referred to, and those they refer to."""
    made: JSONObject = {}
    waiting = list(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in made and name in definitions:
            made[name] = _schema(definitions[name])
            waiting += _references(made[name])
    return dict(sorted(made.items()))


def _references(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        target = found.get("$ref")
        if isinstance(target, str):
            yield target.removeprefix(_COMPONENTS)
        for value in found.values():
            yield from _references(value)
    elif isinstance(found, list):
        for value in found:
            yield from _references(value)


def _path(item: JSONObject, swagger: JSONObject) -> JSONObject:
    made: JSONObject = {key: _operation(json_object(one), swagger) for key, one in item.items() if key in _METHODS}
    parameters = [_parameter(one) for one in _parameters(item) if one.get("in") != "body"]
    return {**made, "parameters": parameters} if parameters else made


def _operation(operation: JSONObject, swagger: JSONObject) -> JSONObject:
    made = {key: value for key, value in operation.items() if key in _OF_OPERATIONS or key.startswith("x-")}
    consumes = texts(operation.get("consumes") or swagger.get("consumes") or _ANYTHING)
    produces = texts(operation.get("produces") or swagger.get("produces") or _ANYTHING)
    parameters = []
    for parameter in _parameters(operation):
        if parameter.get("in") == "body":
            required = {"required": True} if parameter.get("required") is True else {}
            made["requestBody"] = {"content": _content(parameter.get("schema"), consumes), **required}
        else:
            parameters.append(_parameter(parameter))
    if parameters:
        made["parameters"] = parameters
    made["responses"] = {
        code: _response(json_object(one), produces)
        for code, one in json_object(operation.get("responses") or {}).items()
    }
    return made


def _response(response: JSONObject, produces: Iterable[str]) -> JSONObject:
    made: JSONObject = {"description": response.get("description") or ""}
    return {**made, "content": _content(response["schema"], produces)} if "schema" in response else made


def _content(schema: Any, media_types: Iterable[str]) -> JSONObject:
    converted = _schema(schema or {})
    return {media_type: {"schema": converted} for media_type in media_types}


def _parameter(parameter: JSONObject) -> JSONObject:
    made = {key: parameter[key] for key in _OF_PARAMETERS if key in parameter}
    return {**made, "schema": _schema({key: one for key, one in parameter.items() if key not in _OF_PARAMETERS})}


def _schema(found: Any) -> JSONObject:
    schema = json_object(found)
    made: JSONObject = {}
    for key, value in schema.items():
        if key in ("properties", "patternProperties"):
            made[key] = {name: _schema(one) for name, one in json_object(value).items()}
        elif key == "items" or (key == "additionalProperties" and isinstance(value, dict)):
            made[key] = _schema(value)
        elif key == "allOf":
            made[key] = [_schema(one) for one in json_list(value)]
        elif key != "$ref":
            made[key] = value
    if "$ref" not in schema:
        return made
    reference = _reference(schema["$ref"])
    # In v3 a reference may have no siblings, so it is wrapped to be described.
    return {**made, "allOf": [reference]} if made else reference


def _reference(target: Any) -> JSONObject:
    if not isinstance(target, str) or not target.startswith(_DEFINITIONS):
        raise ValueError(f"reference to {target!r}")
    return {"$ref": f"{_COMPONENTS}{target.removeprefix(_DEFINITIONS)}"}


def _parameters(found: JSONObject) -> list[JSONObject]:
    return [json_object(one) for one in json_list(found.get("parameters") or [])]
