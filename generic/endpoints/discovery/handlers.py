"""The handlers of discovery paths. Installed by GenericServer (its own groups) and the aggregator (`/apis`)."""

from collections.abc import Callable

from generic.endpoints import body, representation, responses
from generic.endpoints.discovery import aggregated
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.meta import errors, negotiation
from generic.types import JSONObject, Receive, Scope, Send


class DocumentHandler:
    """Serves one document made at each request (they are small), in the type the client prefers."""

    def __init__(self, make: Callable[[], JSONObject]) -> None:
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _refuse_unacceptable(scope)
        await responses.send_object(scope, send, self._make())


class RawHandler:
    """Serves a document as JSON for people, whatever the client accepts: `/version`, `/`."""

    def __init__(self, make: Callable[[], JSONObject]) -> None:
        self._make = make

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await responses.send_raw(scope, send, self._make())


class RootHandler:
    """`/api` and `/apis`: the aggregated document for clients that ask for it, else the legacy one."""

    def __init__(self, manager: DiscoveryManager, legacy: Callable[[], JSONObject], *, core: bool) -> None:
        self._manager = manager
        self._legacy = legacy
        self._core = core

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        vary = (b"vary", b"Accept")
        if not wants_aggregated(body.header(scope, b"accept")):
            _refuse_unacceptable(scope)
            await responses.send_object(scope, send, self._legacy(), headers=(vary,))
            return
        document, etag = self._manager.document(core=self._core)
        headers = (vary, (b"etag", etag.encode()))
        content_type = aggregated.CONTENT_TYPE.encode()
        if etag in body.header(scope, b"if-none-match"):
            await responses.send_bytes(scope, send, b"", status=304, content_type=content_type, headers=headers)
            return
        await responses.send_bytes(scope, send, document, content_type=content_type, headers=headers)


def wants_aggregated(accept: str) -> bool:
    """Whether the first acceptable form is the aggregated document in the version we serve."""
    for clause in accept.split(","):
        media, *parameters = (part.strip() for part in clause.split(";"))
        if media != "application/json":
            continue
        given = dict(parameter.split("=", 1) for parameter in parameters if "=" in parameter)
        if not {"g", "v", "as"} & given.keys():
            return False
        if (given.get("g"), given.get("v"), given.get("as")) == (aggregated.GROUP, "v2", "APIGroupDiscoveryList"):
            return True
    return False


def _refuse_unacceptable(scope: Scope) -> None:
    """Raises 406."""
    accept = body.header(scope, b"accept")
    if negotiation.negotiate(accept, negotiation.NO_TRANSFORMS) is None and not responses.accepts_protobuf(accept):
        raise errors.not_acceptable(representation.MEDIA_TYPES)
