"""POST, PUT and PATCH. Mirrors `apiserver/pkg/endpoints/handlers/{create,update,patch}.go`."""

from collections.abc import Callable, Sequence
from functools import partial

import orjson

from generic.endpoints import body, decoding, finishing, options, patch, writing
from generic.endpoints.installed import EndpointRequest
from generic.meta import errors
from generic.registry.options import WriteOptions
from generic.registry.rest import NamedCreater, Transform, Updater, Written
from generic.request.audited import Audited
from generic.types import JSONObject


async def create(request: EndpointRequest) -> None:
    """Make a new object; 201."""
    asked = options.write_options(request.query, "CreateOptions", request.header(b"user-agent"))
    form = _format_of(request)
    content = await request.body()
    context, resource, validation = request.context, request.resource, asked.field_validation
    obj = await body.apart(
        content, form, lambda: decoding.decode(context, content, form, resource=resource, validation=validation)
    )
    if context.audited is not None:
        context.audited.take_object(obj)
    made = await finishing.finish(request, request.storage.create(request.context, request.namespace, obj, asked))
    await writing.send_stored(request, made, status=201)


async def create_named(request: EndpointRequest) -> None:
    """POST to a subresource that speaks a kind of its own; 201."""
    asked = options.write_options(request.query, "CreateOptions", request.header(b"user-agent"))
    subresource = request.subresource
    storage: NamedCreater = request.storage
    form, content = _format_of(request), await request.body()
    decode = partial(
        decoding.decode_foreign,
        request.context,
        content,
        form,
        kind=subresource.gvk if subresource is not None else request.resource.gvk,
        schema=subresource.schema if subresource is not None else request.resource.schema,
        protobuf=request.resource.protobuf,
        validation=asked.field_validation,
    )
    obj = await body.apart(content, form, decode)
    if request.context.audited is not None:
        request.context.audited.take_object(obj)
    made = await finishing.finish(
        request, storage.create_named(request.context, request.namespace, request.name, obj, asked)
    )
    await writing.send_object(request, made.decoded(), status=201)


async def update(request: EndpointRequest) -> None:
    """Replace an object by the body; 200, or 201 if that created it."""
    asked = options.write_options(request.query, "UpdateOptions", request.header(b"user-agent"))
    form = _format_of(request)
    content = await request.body()
    decode = _decoder(request, asked, audited=request.context.audited)
    # What cannot be read is refused before the object is looked for. Each try needs one of its own to change.
    read = [await body.apart(content, form, lambda: decode(content, form))]

    async def apply(existing: JSONObject | None) -> JSONObject:
        return read.pop() if read else await body.apart(content, form, lambda: decode(content, form))

    written = await _update(request, Transform(apply), asked)
    await writing.send_stored(request, written.object, status=201 if written.created else 200)


async def patch_(request: EndpointRequest) -> None:
    """Change an object by a patch document; 200, or 201 if an apply created it."""
    media_type = patch.media_type_of(request.scope, request.resource)
    if media_type == patch.APPLY:
        await _apply(request)
        return
    asked = options.write_options(request.query, "PatchOptions", request.header(b"user-agent"))
    content = await request.body()
    if request.context.audited is not None:
        request.context.audited.take_patch(content)
    change = patch.parse(media_type, content, request.resource)
    repeated = patch.repeated(media_type, content) if asked.field_validation != "Ignore" else ()
    decode = _decoder(request, asked, repeated=repeated)

    async def apply(existing: JSONObject | None) -> JSONObject:
        if existing is None:
            raise errors.not_found(request.resource.group_resource, request.name)
        patched = orjson.dumps(change(existing))
        try:
            return await body.apart(patched, "json", lambda: decode(patched, "json"))
        except decoding.DecodeError as error:
            raise patch.refusal(media_type, content, patched, error.why) from None

    written = await _update(request, Transform(apply, pins_uid=False), asked)
    await writing.send_stored(request, written.object)


async def _apply(request: EndpointRequest) -> None:
    asked = options.write_options(request.query, "ApplyOptions", request.header(b"user-agent"))
    subresource = request.subresource
    gvk = request.resource.gvk if subresource is None else subresource.gvk
    content = await request.body()
    configuration = await body.apart(content, "yaml", lambda: patch.parse_configuration(content, gvk))
    if request.context.audited is not None:
        request.context.audited.take_patch(orjson.dumps(configuration))
    repeated: Sequence[str] = ()
    if asked.field_validation != "Ignore":
        repeated = await body.apart(content, "yaml", lambda: patch.repeated_in_configuration(content))
    decode = _decoder(request, asked, repeated=())

    async def apply(merged: JSONObject | None) -> JSONObject:
        if repeated and asked.field_validation == "Strict":
            why = f"error converting YAML to JSON: {decoding.yaml_errors(repeated)}"
            raise errors.bad_request(f"error strict decoding patch: {why}")
        for line in repeated:
            request.context.warn(line)
        applied = orjson.dumps(merged)
        return await body.apart(applied, "json", lambda: decode(applied, "json"))

    transform = Transform(apply, creates_missing=True, configuration=configuration, pins_uid=False)
    written = await _update(request, transform, asked)
    await writing.send_stored(request, written.object, status=201 if written.created else 200)


async def _update(request: EndpointRequest, transform: Transform, asked: WriteOptions) -> Written:
    storage: Updater = request.storage
    return await finishing.finish(
        request, storage.update(request.context, request.namespace, request.name, transform, asked)
    )


def _format_of(request: EndpointRequest) -> body.Format:
    return body.format_of(request.scope, protobuf=request.resource.protobuf is not None)


def _decoder(
    request: EndpointRequest,
    asked: WriteOptions,
    *,
    audited: Audited | None = None,
    repeated: Sequence[str] | None = None,
) -> Callable[[bytes, body.Format], JSONObject]:
    """Decode a wanted object and see that it is the one the URL names. `audited` is told of it.

    `repeated`: what was said twice, where that cannot be seen in what is decoded.
    """
    subresource = request.subresource
    foreign = subresource is not None and subresource.gvk != request.resource.gvk

    def decode(content: bytes, form: body.Format) -> JSONObject:
        if subresource is not None and foreign:
            obj = decoding.decode_foreign(
                request.context,
                content,
                form,
                kind=subresource.gvk,
                schema=subresource.schema,
                protobuf=request.resource.protobuf,
                validation=asked.field_validation,
            )
        else:
            obj = decoding.decode(
                request.context,
                content,
                form,
                resource=request.resource,
                validation=asked.field_validation,
                repeated=repeated,
            )
        if audited is not None:
            audited.take_object(obj)
        _check_identity(request, obj["metadata"])
        return obj

    return decode


def _check_identity(request: EndpointRequest, metadata: JSONObject) -> None:
    name, namespace = metadata.get("name") or "", metadata.get("namespace") or ""
    if request.resource.namespaced and namespace and namespace != request.namespace:
        why = "the namespace of the provided object does not match the namespace sent on the request"
        raise errors.bad_request(why)
    if not name:
        why = f"the name of the object ({request.name} based on URL) was undeterminable: name must be provided"
        raise errors.bad_request(why)
    if name != request.name:
        raise errors.bad_request(f"the name of the object ({name}) does not match the name on the URL ({request.name})")
