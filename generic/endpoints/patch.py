"""The patch media types, and the function each makes of a patch document.

Called by `write.patch_`. Mirrors `apiserver/pkg/endpoints/handlers/patch.go`.
"""

from collections.abc import Callable
from typing import Any

import orjson

from generic.meta import errors
from generic.patching import json_patch, merge_patch, strategic
from generic.registry.resource import Resource
from generic.types import JSONObject

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"

Change = Callable[[JSONObject], JSONObject]
"""From the stored object to the patched one; leaves its argument alone. Raises StatusError."""


def accepted_types(resource: Resource) -> list[str]:
    """The patch types a resource takes: strategic merge needs a schema that says how lists merge."""
    return [JSON, MERGE, *([STRATEGIC] if resource.patch_schema is not None else [])]


def parse(media_type: str, content: bytes, resource: Resource) -> Change:
    """The change a patch document asks for. Raises 415 on an unknown type, 400 on a malformed document."""
    if media_type not in accepted_types(resource):
        raise errors.unsupported_media_type(accepted_types(resource))
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
            return _object(json_patch.apply(obj, document))
        except ValueError as error:
            message = f"the server rejected our request due to an error in our request: {error}"
            raise errors.StatusError(422, "Invalid", message, details={}) from None

    return apply


def _object(value: Any) -> JSONObject:
    if not isinstance(value, dict):
        raise errors.bad_request("the patch does not leave an object")
    return value
