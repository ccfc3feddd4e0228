"""GET of one object and of a list. Mirrors `apiserver/pkg/endpoints/handlers/get.go`."""

from generic.endpoints import options, writing
from generic.endpoints.installed import EndpointRequest
from generic.types import JSONObject


async def get(request: EndpointRequest) -> None:
    """Answer with the object, as its stored bytes wherever possible."""
    found = await request.storage.get(
        request.context, request.namespace, request.name, options.get_options(request.query)
    )
    await writing.send_stored(request, found)


async def list_(request: EndpointRequest) -> None:
    """Answer with the selected objects."""
    asked = options.list_options(request.query, watch=False)
    found = await request.storage.list(request.context, request.namespace, asked)
    metadata: JSONObject = {"resourceVersion": str(found.revision)}
    if found.continue_token:
        metadata["continue"] = found.continue_token
    if found.remaining is not None:
        metadata["remainingItemCount"] = found.remaining
    await writing.send_list(request, found.items, metadata)
