"""DELETE of one object and of a collection. Mirrors `apiserver/pkg/endpoints/handlers/delete.go`."""

from typing import Any

from generic.endpoints import body, finishing, options, writing
from generic.endpoints.installed import EndpointRequest
from generic.meta import errors
from generic.protobuf import envelope, objects
from generic.registry.options import DeleteOptions
from generic.storage.objects import StoredObject
from generic.types import JSONObject

_AS_DECODED = {"kind": "DeleteOptions", "apiVersion": "meta.k8s.io/__internal"}
"""How audit shows options: Kubernetes has decoded them, to a version that only it knows."""


async def delete(request: EndpointRequest) -> None:
    """Delete the named object; answers with a Status, or with the object while it still waits."""
    asked = await _options(request)
    gone = await finishing.finish(
        request, request.storage.delete(request.context, request.namespace, request.name, asked)
    )
    code = 202 if not gone.immediate and asked.orphan_dependents is False else 200
    if gone.immediate and not request.resource.strategy.returns_deleted_object:
        await writing.send_object(request, _success(request, gone.object), status=code)
    else:
        await writing.send_stored(request, gone.object, status=code)


async def delete_collection(request: EndpointRequest) -> None:
    """Delete the selected objects; answers with the list of them."""
    asked = await _options(request)
    selected = options.list_options(request.query, watch=False)
    found = await request.storage.delete_collection(request.context, request.namespace, asked, selected)
    metadata: JSONObject = {"resourceVersion": str(found.revision)}
    if found.continue_token:
        metadata["continue"] = found.continue_token
    await writing.send_list(request, found.items, metadata)


async def _options(request: EndpointRequest) -> DeleteOptions:
    content = await request.body()
    if not content:
        return options.delete_options(request.query, None)
    form = body.format_of(request.scope, protobuf=True)
    if form == "protobuf":
        return _taken(request, _from_protobuf(content))
    try:
        value: Any = await body.apart(content, form, lambda: body.parse(content, form))
    except ValueError as error:
        raise errors.bad_request(f"couldn't get version/kind; json parse error: {error}") from None
    if not isinstance(value, dict):
        raise errors.bad_request("the body of a delete request must be DeleteOptions")
    _check_kind(value.get("kind"))
    return _taken(request, value)


def _taken(request: EndpointRequest, given: JSONObject) -> DeleteOptions:
    if request.context.audited is not None:
        request.context.audited.take_object({**given, **_AS_DECODED})
    return options.delete_options(request.query, given)


def _from_protobuf(content: bytes) -> JSONObject:
    try:
        message = envelope.unwrap(content)
        _check_kind(message.kind)
        return objects.SHARED.decode(objects.DELETE_OPTIONS, message.content)
    except ValueError as error:
        raise errors.bad_request(str(error)) from None


def _check_kind(kind: object) -> None:
    if kind not in (None, "", "DeleteOptions"):
        raise errors.bad_request(f'no kind "{kind}" is registered as delete options; expected DeleteOptions')


def _success(request: EndpointRequest, gone: StoredObject) -> JSONObject:
    resource = request.resource.group_resource
    details: JSONObject = {"name": gone.name, "group": resource.group, "kind": resource.resource}
    details["uid"] = gone.decoded()["metadata"].get("uid", "")
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }
