"""The patch media types, and the function each makes of a patch document.

Called by `write.patch_`. Mirrors `apiserver/pkg/endpoints/handlers/patch.go`.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson

from generic.endpoints import body, body_guard
from generic.meta import errors, fields, go_text
from generic.meta.gvk import GroupKind, GroupVersionKind
from generic.patching import json_patch, merge_patch, strategic
from generic.registry.resource import Resource
from generic.schema import duplicates, go_words, yaml_loading
from generic.types import JSONObject, Scope

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

_OPERATION = ("op", "path", "from", "value")

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


def repeated(media_type: str, content: bytes) -> list[str]:
    """What a strict decoder says of a patch that parses: fields that stand in it twice, and unknown ones."""
    if media_type != JSON:
        return [f'duplicate field "{path}"' for path in duplicates.duplicate_fields(content)]
    found = [f'json patch duplicate field "{path}"' for path in duplicates.duplicate_fields(content)]
    operations = [entry for entry in enumerate(orjson.loads(content)) if isinstance(entry[1], dict)]
    unknown = (f"[{at}].{key}" for at, operation in operations for key in operation if key not in _OPERATION)
    return [*found, *(f'json patch unknown field "{path}"' for path in unknown)]


def repeated_in_configuration(content: bytes) -> list[str]:
    """Keys that stand twice in what is applied, by their lines: it is YAML whatever it looks like."""
    if content[:1] == b"{" and not duplicates.duplicate_fields(content):
        with suppress(ValueError):
            orjson.loads(content)
            return []
    return yaml_loading.repeated_keys(content)


def refusal(media_type: str, content: bytes, patched: bytes, why: str) -> errors.StatusError:
    """422: what the patch leaves is no object of its kind."""
    shown = patched.decode()
    if media_type == STRATEGIC:
        # Nothing is written down and read again here, but maps are made structs.
        shown, why = go_text.plain(orjson.loads(content)), go_words.restore_error(why)
    return errors.invalid(GroupKind("", ""), "", [fields.invalid("patch", shown, why)])


def _json_patch(document: Any, resource: Resource) -> Change:
    if not isinstance(document, list):
        raise errors.bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        )
    if len(document) > json_patch.MAX_OPERATIONS:
        raise errors.request_entity_too_large(
            f"The allowed maximum operations in a JSON patch is {json_patch.MAX_OPERATIONS}, got {len(document)}"
        )

    for operation in document:
        if operation is not None and not isinstance(operation, dict):
            why = f"json: cannot unmarshal {go_words.name_of(operation)} into Go value of type handlers.jsonPatchOp"
            raise errors.bad_request(f"error decoding patch: {why}")

    def apply(obj: JSONObject) -> JSONObject:
        try:
            patched = _object(json_patch.apply(obj, document))
        except ValueError:
            # Which operation failed and why is known, but clients are not told.
            message = "the server rejected our request due to an error in our request"
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
