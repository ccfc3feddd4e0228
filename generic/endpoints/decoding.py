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
from generic.protobuf.objects import ObjectCodec
from generic.registry.options import FieldValidation
from generic.registry.resource import Resource
from generic.request.context import RequestContext
from generic.schema import go_words, yaml_loading
from generic.schema.duplicates import duplicate_fields, in_order
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject

_YAML_ERRORS = "yaml: unmarshal errors:\n"
_NO_TYPE = "couldn't get version/kind; json parse error: json: cannot unmarshal "
_TYPE_META = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'


class DecodeError(errors.StatusError):
    """400: the body cannot be read as the kind it is to be. `why` is what the decoder said."""

    def __init__(self, kind: GroupVersionKind, why: str) -> None:
        message = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}'
        super().__init__(400, "BadRequest", message)
        self.why = why


def decode(
    request: RequestContext,
    body: bytes,
    form: Format,
    *,
    resource: Resource,
    validation: FieldValidation,
    repeated: Sequence[str] | None = None,
) -> JSONObject:
    """A defaulted object of the resource's kind. Raises 400 on what cannot be one; may add warnings.

    `repeated`: what a patch said twice, where the body is what it left.
    """
    obj = decode_as(body, form, kind=resource.gvk, protobuf=resource.protobuf)
    typed = b""
    if repeated is None:
        repeated = _repeated(body, form) if validation != "Ignore" else ()
        if repeated and form == "json" and not resource.lenient_types:
            # A typed decoder tells as it reads; that of custom resources knows of fields only after that.
            typed = body
    return finish(request, obj, resource=resource, validation=validation, repeated=repeated, body=typed)


def _repeated(body: bytes, form: Format) -> list[str]:
    """What is wrong with the keys of a body, in the words of Kubernetes' two parsers."""
    if form == "json":
        return [f'duplicate field "{path}"' for path in duplicate_fields(body)]
    lines = yaml_loading.repeated_keys(body) if form == "yaml" else []
    return [yaml_errors(lines)] if lines else []


def yaml_errors(lines: Sequence[str]) -> str:
    """The lines as one error."""
    return _YAML_ERRORS + "\n".join(f"  {line}" for line in lines)


def decode_as(body: bytes, form: Format, *, kind: GroupVersionKind, protobuf: ObjectCodec | None = None) -> JSONObject:
    """The object with apiVersion and kind filled in and checked. Raises 400."""
    if protobuf is not None and form == "protobuf":
        return _decode_protobuf(body, kind, protobuf)
    try:
        value: Any = parse(body, form)
    except ValueError as error:
        # YAML becomes JSON first: what is wrong before that is said as it is.
        why = str(error) if form == "yaml" else f"couldn't get version/kind; json parse error: {error}"
        raise _unrecognized(kind, why, body) from None
    if value is None:
        value = {}
    elif not isinstance(value, dict):
        raise _unrecognized(kind, f"{_NO_TYPE}{go_words.name_of(value)} into Go value of type {_TYPE_META}", body)
    api_version, given_kind = value.get("apiVersion"), value.get("kind")
    for key, given in (("apiVersion", api_version), ("kind", given_kind)):
        if given is not None and not isinstance(given, str):
            why = f"{_NO_TYPE}{go_words.name_of(given)} into Go struct field .{key} of type string"
            raise _unrecognized(kind, why, body)
    api_version, given_kind = api_version or kind.api_version, given_kind or kind.kind
    _check_type(api_version, given_kind, kind, body)
    metadata = value.get("metadata")
    if metadata is None:
        value["metadata"] = {}
    elif not isinstance(metadata, dict):
        name = go_words.name_of(metadata)
        why = f"json: cannot unmarshal {name} into Go struct field {kind.kind}.metadata of type v1.ObjectMeta"
        raise DecodeError(kind, why)
    return {**value, "apiVersion": api_version, "kind": given_kind}


def _decode_protobuf(body: bytes, kind: GroupVersionKind, protobuf: ObjectCodec) -> JSONObject:
    try:
        message = envelope.unwrap(body)
    except ValueError as error:
        raise _unrecognized(kind, str(error), body) from None
    _check_type(message.api_version or kind.api_version, message.kind or kind.kind, kind, body)
    try:
        obj = protobuf.decode(kind, message.content)
    except ValueError as error:
        raise DecodeError(kind, str(error)) from None
    obj.setdefault("metadata", {})
    return obj


def finish(
    request: RequestContext,
    obj: JSONObject,
    *,
    resource: Resource,
    validation: FieldValidation,
    repeated: Sequence[str] = (),
    body: bytes = b"",
) -> JSONObject:
    """Check types, report and drop unknown fields, fill defaults in. Raises 400. `body`: in whose order to report."""
    schema = resource.schema
    # Of custom resources only the metadata has a Go type; the rest is for validation to judge.
    mismatch = schema.decode_errors({"metadata": obj["metadata"]} if resource.lenient_types else obj)
    if mismatch:
        raise DecodeError(resource.gvk, mismatch)
    if validation != "Ignore":
        found = [*repeated, *_unknown(schema, obj)]
        _judge(request, resource.gvk, in_order(body, found) if body else found, validation)
    schema.prune(obj)
    schema.default(obj)
    resource.strategy.default(obj)
    return obj


def decode_foreign(
    request: RequestContext,
    body: bytes,
    form: Format,
    *,
    kind: GroupVersionKind,
    schema: ObjectSchema | None,
    protobuf: ObjectCodec | None,
    validation: FieldValidation,
) -> JSONObject:
    """An object of a kind that is asked, not stored (evictions, scale). Raises 400; may add warnings."""
    obj = decode_as(body, form, kind=kind, protobuf=protobuf)
    if schema is None:
        return obj
    mismatch = schema.decode_errors(obj)
    if mismatch:
        raise DecodeError(kind, mismatch)
    if validation != "Ignore":
        _judge(request, kind, [*_repeated(body, form), *_unknown(schema, obj)], validation)
    schema.prune(obj)
    schema.default(obj)
    return obj


def _unknown(schema: ObjectSchema, obj: JSONObject) -> list[str]:
    return [f'unknown field "{path}"' for path in schema.unknown_fields(obj)]


def _judge(
    request: RequestContext, kind: GroupVersionKind, problems: Sequence[str], validation: FieldValidation
) -> None:
    """Refuse or warn of what a lenient decoder passes over."""
    if problems and validation == "Strict":
        raise DecodeError(kind, f"strict decoding error: {', '.join(problems)}")
    for problem in problems:
        for line in problem.removeprefix(_YAML_ERRORS).split("\n"):
            request.warn(line.strip())


def _check_type(api_version: str, given_kind: str, kind: GroupVersionKind, body: bytes) -> None:
    try:
        given = GroupVersion.parse(api_version)
    except ValueError as error:
        raise _unrecognized(kind, str(error), body) from None
    if given_kind != kind.kind:
        why = f'no kind "{kind.kind}" is registered for the data\'s kind "{given_kind}"'
        message = f'{given_kind} in version "{given.version}" cannot be handled as a {kind.kind}: {why}'
        raise errors.bad_request(message)
    if given != kind.group_version:
        raise errors.bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version ({kind.api_version})"
        )


def _unrecognized(kind: GroupVersionKind, why: str, body: bytes) -> errors.StatusError:
    start = body[:30]
    shown = start.decode("utf-8", "replace") if start.startswith(b"{") else start.hex()
    summary = (shown + (" ..." if len(body) > len(start) else "")) or "<empty>"
    return errors.bad_request(f"the object provided is unrecognized (must be of type {kind.kind}): {why} ({summary})")
