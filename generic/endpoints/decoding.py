"""From a request's body to an object the Store may take: type check, strict fields, pruning, defaults.

Called by create, update and patch. Mirrors `apiserver/pkg/endpoints/handlers/{create,update,patch}.go`
and the decoding half of `apiextensions-apiserver`'s handler.
"""

from collections.abc import Sequence
from typing import Any

from generic.endpoints.body import Format, parse
from generic.meta import errors
from generic.meta.gvk import GroupVersion, GroupVersionKind
from generic.protobuf import envelope
from generic.protobuf.objects import ObjectDecoder
from generic.registry.options import FieldValidation
from generic.registry.resource import Resource
from generic.request.context import RequestContext
from generic.schema.duplicates import duplicate_fields, repeated_yaml_keys
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject


def decode(
    request: RequestContext, body: bytes, form: Format, *, resource: Resource, validation: FieldValidation
) -> JSONObject:
    """A defaulted object of the resource's kind. Raises 400 on what cannot be one; may add warnings."""
    obj = decode_as(body, form, kind=resource.gvk, protobuf=resource.protobuf)
    repeated = _repeated(body, form) if validation != "Ignore" else []
    return finish(request, obj, resource=resource, validation=validation, repeated=repeated)


def _repeated(body: bytes, form: Format) -> list[str]:
    """What is wrong with the keys of a body, in the words of Kubernetes' two parsers."""
    if form == "json":
        return [f'duplicate field "{path}"' for path in duplicate_fields(body)]
    lines = repeated_yaml_keys(body) if form == "yaml" else []
    return ["yaml: unmarshal errors:\n" + "\n".join(f"  {line}" for line in lines)] if lines else []


def decode_as(
    body: bytes, form: Format, *, kind: GroupVersionKind, protobuf: ObjectDecoder | None = None
) -> JSONObject:
    """The object with apiVersion and kind filled in and checked. Raises 400."""
    if protobuf is not None and form == "protobuf":
        return _decode_protobuf(body, kind, protobuf)
    try:
        value: Any = parse(body, form)
    except ValueError as error:
        why = f"couldn't get version/kind; json parse error: {error}"
        raise _unrecognized(kind, why, body) from None
    if not isinstance(value, dict):
        name = {str: "string", list: "array", bool: "bool", type(None): "null"}.get(type(value), "number")
        why = f"couldn't get version/kind; json parse error: json: cannot unmarshal {name} into Go value of type struct"
        raise _unrecognized(kind, why, body)
    api_version, given_kind = value.get("apiVersion") or kind.api_version, value.get("kind") or kind.kind
    if not isinstance(api_version, str) or not isinstance(given_kind, str):
        raise _unrecognized(kind, "couldn't get version/kind; apiVersion and kind must be strings", body)
    _check_type(api_version, given_kind, kind, body)
    metadata = value.get("metadata")
    if metadata is None:
        value["metadata"] = {}
    elif not isinstance(metadata, dict):
        why = "json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta"
        raise _cannot_be_handled(kind, why)
    return {**value, "apiVersion": api_version, "kind": given_kind}


def _decode_protobuf(body: bytes, kind: GroupVersionKind, protobuf: ObjectDecoder) -> JSONObject:
    try:
        message = envelope.unwrap(body)
    except ValueError as error:
        raise _unrecognized(kind, str(error), body) from None
    _check_type(message.api_version or kind.api_version, message.kind or kind.kind, kind, body)
    try:
        obj = protobuf.decode(kind, message.content)
    except ValueError as error:
        raise _cannot_be_handled(kind, str(error)) from None
    obj.setdefault("metadata", {})
    return obj


def finish(
    request: RequestContext,
    obj: JSONObject,
    *,
    resource: Resource,
    validation: FieldValidation,
    repeated: Sequence[str] = (),
) -> JSONObject:
    """Check types, report and drop unknown fields, fill defaults in. Raises 400."""
    schema = resource.schema
    # Of custom resources only the metadata has a Go type; the rest is for validation to judge.
    mismatch = schema.decode_errors({"metadata": obj["metadata"]} if resource.lenient_types else obj)
    if mismatch:
        raise _cannot_be_handled(resource.gvk, mismatch)
    if validation != "Ignore":
        problems = [*repeated]
        problems += [f'unknown field "{path}"' for path in schema.unknown_fields(obj)]
        if problems and validation == "Strict":
            raise _cannot_be_handled(resource.gvk, f"strict decoding error: {', '.join(problems)}")
        for problem in problems:
            request.warn(problem)
    schema.prune(obj)
    schema.default(obj)
    resource.strategy.default(obj)
    return obj


def check_schema(obj: JSONObject, kind: GroupVersionKind, schema: ObjectSchema | None) -> None:
    """For kinds that are asked, not stored (reviews, scale): 400 on a type mismatch, unknown fields dropped."""
    if schema is None:
        return
    mismatch = schema.decode_errors(obj)
    if mismatch:
        raise _cannot_be_handled(kind, mismatch)
    schema.prune(obj)
    schema.default(obj)


def _check_type(api_version: str, given_kind: str, kind: GroupVersionKind, body: bytes) -> None:
    try:
        given = GroupVersion.parse(api_version)
    except ValueError as error:
        raise _unrecognized(kind, f"couldn't get version/kind; {error}", body) from None
    if given_kind != kind.kind:
        why = f'no kind "{kind.kind}" is registered for the data\'s kind "{given_kind}"'
        message = f'{given_kind} in version "{given.version}" cannot be handled as a {kind.kind}: {why}'
        raise errors.bad_request(message)
    if given != kind.group_version:
        raise errors.bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version ({kind.api_version})"
        )


def _cannot_be_handled(kind: GroupVersionKind, why: str) -> errors.StatusError:
    return errors.bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}')


def _unrecognized(kind: GroupVersionKind, why: str, body: bytes) -> errors.StatusError:
    start = body[:30]
    shown = start.decode("utf-8", "replace") if start.startswith(b"{") else start.hex()
    summary = (shown + (" ..." if len(body) > len(start) else "")) or "<empty>"
    return errors.bad_request(f"the object provided is unrecognized (must be of type {kind.kind}): {why} ({summary})")
