"""POST, PUT and PATCH. Mirrors `apiserver/pkg/endpoints/handlers/{create,update,patch}.go`."""

from collections.abc import Callable

import orjson

from generic.endpoints import body, decoding, options, patch, writing
from generic.endpoints.installed import EndpointRequest
from generic.meta import errors
from generic.registry.options import WriteOptions
from generic.registry.rest import NamedCreater, Transform
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
    made = await request.storage.create(request.context, request.namespace, obj, asked)
    await writing.send_stored(request, made, status=201)


async def create_named(request: EndpointRequest) -> None:
    """POST to a subresource that speaks a kind of its own; 201."""
    asked = options.write_options(request.query, "CreateOptions", request.header(b"user-agent"))
    subresource = request.subresource
    storage: NamedCreater = request.storage
    kind = subresource.gvk if subresource is not None else request.resource.gvk
    protobuf = request.resource.protobuf
    form, content = _format_of(request), await request.body()
    obj = await body.apart(content, form, lambda: decoding.decode_as(content, form, kind=kind, protobuf=protobuf))
    decoding.check_schema(obj, kind, subresource.schema if subresource is not None else request.resource.schema)
    made = await storage.create_named(request.context, request.namespace, request.name, obj, asked)
    await writing.send_object(request, made.decoded(), status=201)


async def update(request: EndpointRequest) -> None:
    """Replace an object by the body; 200, or 201 if that created it."""
    asked = options.write_options(request.query, "UpdateOptions", request.header(b"user-agent"))
    form = _format_of(request)
    content = await request.body()
    decode = _decoder(request, asked)

    async def apply(existing: JSONObject | None) -> JSONObject:
        return await body.apart(content, form, lambda: decode(content, form))

    written = await request.storage.update(request.context, request.namespace, request.name, Transform(apply), asked)
    await writing.send_stored(request, written.object, status=201 if written.created else 200)


async def patch_(request: EndpointRequest) -> None:
    """Change an object by a patch document; 200, or 201 if an apply created it."""
    media_type = patch.media_type_of(request.scope, request.resource)
    if media_type == patch.APPLY:
        await _apply(request)
        return
    asked = options.write_options(request.query, "PatchOptions", request.header(b"user-agent"))
    change = patch.parse(media_type, await request.body(), request.resource)
    decode = _decoder(request, asked)

    async def apply(existing: JSONObject | None) -> JSONObject:
        if existing is None:
            raise errors.not_found(request.resource.group_resource, request.name)
        return decode(orjson.dumps(change(existing)), "json")

    written = await request.storage.update(request.context, request.namespace, request.name, Transform(apply), asked)
    await writing.send_stored(request, written.object)


async def _apply(request: EndpointRequest) -> None:
    asked = options.write_options(request.query, "ApplyOptions", request.header(b"user-agent"))
    subresource = request.subresource
    gvk = request.resource.gvk if subresource is None else subresource.gvk
    content = await request.body()
    configuration = await body.apart(content, "yaml", lambda: patch.parse_configuration(content, gvk))
    decode = _decoder(request, asked)

    async def apply(merged: JSONObject | None) -> JSONObject:
        return decode(orjson.dumps(merged), "json")

    transform = Transform(apply, creates_missing=True, configuration=configuration)
    written = await request.storage.update(request.context, request.namespace, request.name, transform, asked)
    await writing.send_stored(request, written.object, status=201 if written.created else 200)


def _format_of(request: EndpointRequest) -> body.Format:
    return body.format_of(request.scope, protobuf=request.resource.protobuf is not None)


def _decoder(request: EndpointRequest, asked: WriteOptions) -> Callable[[bytes, body.Format], JSONObject]:
    """Decode a wanted object and see that it is the one the URL names."""
    subresource = request.subresource
    foreign = subresource is not None and subresource.gvk != request.resource.gvk

    def decode(content: bytes, form: body.Format) -> JSONObject:
        if subresource is not None and foreign:
            obj = decoding.decode_as(content, form, kind=subresource.gvk, protobuf=request.resource.protobuf)
            decoding.check_schema(obj, subresource.gvk, subresource.schema)
        else:
            obj = decoding.decode(
                request.context, content, form, resource=request.resource, validation=asked.field_validation
            )
        _check_identity(request, obj["metadata"])
        return obj

    return decode


def _check_identity(request: EndpointRequest, metadata: JSONObject) -> None:
    name = metadata.get("name") or ""
    if name and name != request.name:
        raise errors.bad_request(f"the name of the object ({name}) does not match the name on the URL ({request.name})")
    metadata["name"] = request.name
    namespace = metadata.get("namespace") or ""
    if request.resource.namespaced and namespace and namespace != request.namespace:
        raise errors.bad_request(
            f"the namespace of the object ({namespace}) "
            f"does not match the namespace on the request ({request.namespace})"
        )
