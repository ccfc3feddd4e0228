"""The patch media types, and the function each makes of a patch document.

Called by `write.patch_`. Mirrors `apiserver/pkg/endpoints/handlers/patch.go`.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

from generic.endpoints import body, body_guard
from generic.meta import errors
from generic.meta.gvk import GroupVersionKind
from generic.patching import json_patch, merge_patch, strategic
from generic.registry.resource import Resource
from generic.types import JSONObject, Scope

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

Change = Callable[[JSONObject], JSONObject]
"""From the stored object to the patched one; leaves its argument alone. Raises StatusError."""


def accepted_types(resource: Resource) -> list[str]:
    """The patch types a resource takes: strategic merge needs a schema that says how lists merge."""
    return [JSON, MERGE, *([STRATEGIC] if resource.patch_schema is not None else []), APPLY]


def media_type_of(scope: Scope, resource: Resource) -> str:
    """The type of the patch in the body. Raises 415 on one the resource does not take."""
    media_type = body.media_type(scope)
    if media_type not in accepted_types(resource):
        raise errors.unsupported_media_type(accepted_types(resource))
    return media_type


def parse_configuration(content: bytes, gvk: GroupVersionKind) -> JSONObject:
    """The configuration a server-side apply sends. Raises 400 on one that is malformed or of another kind."""
    try:
        document: Any = _parse_configuration(content)
        orjson.dumps(document)
    except (ValueError, TypeError) as error:
        raise errors.bad_request(f"error decoding YAML: {error}") from None
    if not isinstance(document, dict):
        raise errors.bad_request(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: "
            "json: cannot unmarshal into Go value of type map[string]interface {}"
        )
    api_version, kind = document.get("apiVersion") or "", document.get("kind") or ""
    if (api_version, kind) != (gvk.api_version, gvk.kind):
        group, _, version = str(api_version).rpartition("/")
        raise errors.bad_request(f"invalid object type: {group}/{version}, Kind={kind}")
    if document.get("metadata") is None:
        document["metadata"] = {}
    elif not isinstance(document["metadata"], dict):
        raise errors.bad_request("metadata must be an object")
    return document


def _parse_configuration(content: bytes) -> Any:
    if content[:1] == b"{":
        # JSON by its looks; YAML may begin so too.
        with suppress(ValueError):
            return body.parse(content, "json")
    return body.parse(content, "yaml")


def parse(media_type: str, content: bytes, resource: Resource) -> Change:
    """The change a patch document asks for. Raises 400 on a malformed document."""
    try:
        document: Any = orjson.loads(content)
    except ValueError as error:
        raise errors.bad_request(f"error decoding patch: {error}") from None
    if media_type == JSON:
        return _json_patch(document, resource)
    if not isinstance(document, dict):
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}"
        )
    if media_type == MERGE:
        return lambda obj: _object(merge_patch.apply(obj, document))
    schema = resource.patch_schema
    if schema is None:
        raise errors.unsupported_media_type(accepted_types(resource))

    def apply_strategic(obj: JSONObject) -> JSONObject:
        try:
            return strategic.apply(obj, document, schema)
        except ValueError as error:
            raise errors.bad_request(str(error)) from None

    return apply_strategic


def _json_patch(document: Any, resource: Resource) -> Change:
    if not isinstance(document, list):
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch"
        )
    if len(document) > json_patch.MAX_OPERATIONS:
        raise errors.request_entity_too_large(
            f"The allowed maximum operations in a JSON patch is {json_patch.MAX_OPERATIONS}, got {len(document)}"
        )

    def apply(obj: JSONObject) -> JSONObject:
        try:
            patched = _object(json_patch.apply(obj, document))
        except ValueError as error:
            message = f"the server rejected our request due to an error in our request: {error}"
            raise errors.StatusError(422, "Invalid", message, details={}) from None
        # Alone of the patches it can go deeper than its document does.
        too_deep = body_guard.depth_problem(patched)
        if too_deep:
            raise errors.bad_request(f"error applying patch: {too_deep}")
        return patched

    return apply


def _object(value: Any) -> JSONObject:
    if not isinstance(value, dict):
        raise errors.bad_request("the patch does not leave an object")
    return value
