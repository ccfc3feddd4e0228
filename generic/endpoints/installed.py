"""EndpointRequest: one request at the door of one resource. What the dispatcher hands to every verb."""

from dataclasses import dataclass
from time import monotonic
from typing import Any

from generic.endpoints import body, body_guard
from generic.endpoints.options import Query, query_of
from generic.registry.resource import Resource
from generic.registry.rest import InstalledResource, Subresource
from generic.request.context import RequestContext
from generic.types import Receive, Scope, Send


@dataclass(slots=True)
class EndpointRequest:
    """A resource request that found its resource. `storage` is the subresource's where one is asked for."""

    scope: Scope
    receive: Receive
    send: Send
    context: RequestContext
    installed: InstalledResource
    storage: Any
    subresource: Subresource | None
    query: Query
    opened_at: float
    """By `time.monotonic()`."""

    @property
    def resource(self) -> Resource:
        return self.installed.resource

    @property
    def namespace(self) -> str:
        return self.context.info.namespace if self.resource.namespaced else ""

    @property
    def name(self) -> str:
        return self.context.info.name

    def header(self, name: bytes) -> str:
        return body.header(self.scope, name)

    async def body(self) -> bytes:
        """The whole body. Raises 413 over the limit, 400 for one that would be too much to decode."""
        content = await body.read(self.receive, self.scope)
        self.context.body_size = len(content)
        media_type = body.media_type(self.scope)
        form: body.Format = "yaml" if media_type.endswith("yaml") else "json"
        await body.apart(content, form, lambda: body_guard.check(content, media_type))
        return content


def make(
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    context: RequestContext,
    installed: InstalledResource,
    subresource: Subresource | None,
) -> EndpointRequest:
    storage = subresource.storage if subresource is not None else installed.storage
    return EndpointRequest(
        scope=scope,
        receive=receive,
        send=send,
        context=context,
        installed=installed,
        storage=storage,
        subresource=subresource,
        query=query_of(scope),
        opened_at=monotonic(),
    )
