"""What a router refuses before a handler is asked: other methods than GET, bodies and answers of unknown types.

Put around the handlers of documents that are no REST resource: `/version`, discovery, OpenID. Where it says so they are
refused for another reason than by a handler that negotiates, and in other words. Mirrors the route selection of
`emicklei/go-restful`, and serviceErrorHandler of `apiserver/pkg/server/handler.go`.
"""

from collections.abc import Sequence

from generic.endpoints.body import header
from generic.meta import errors
from generic.types import ASGIApp, Receive, Scope, Send


def get_only(app: ASGIApp, produces: Sequence[str], *, consumes: Sequence[str] = ()) -> ASGIApp:
    """`consumes`: the types a body may have; empty: any."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            raise errors.route_method_not_allowed()
        content_type = header(scope, b"content-type")
        if consumes and content_type and not _names_one(content_type, consumes):
            raise errors.route_unsupported_media_type()
        accept = header(scope, b"accept")
        if accept and not _names_one(accept, produces):
            raise errors.route_not_acceptable(produces)
        await app(scope, receive, send)

    return route


def _names_one(given: str, known: Sequence[str]) -> bool:
    """Parameters do not count here, nor does `application/*`."""
    types = {part.partition(";")[0].strip() for part in given.split(",")}
    return "*/*" in types or not types.isdisjoint(known)
