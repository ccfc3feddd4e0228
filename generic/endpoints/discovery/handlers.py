"""The handlers of discovery paths. Installed by GenericServer (its own groups) and the aggregator (`/apis`)."""

from collections.abc import Callable

from generic.endpoints import body, responses
from generic.endpoints.discovery import aggregated
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.meta import errors, negotiation
from generic.types import JSONObject, Receive, Scope, Send


class DocumentHandler:
    """Serves one document made at each request (they are small); YAML if the client prefers it.

    `negotiates`: False for a document that is JSON for people whatever the client accepts (`/version`).
    """

    def __init__(self, make: Callable[[], JSONObject], *, negotiates: bool = True) -> None:
        self._make = make
        self._negotiates = negotiates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise _not_allowed()
        if self._negotiates:
            _refuse_unacceptable(scope)
            await responses.send_object(scope, send, self._make())
        else:
            await responses.send_bytes(scope, send, responses.indented(self._make()))


class RootHandler:
    """`/api` and `/apis`: the aggregated document for clients that ask for it, else the legacy one."""

    def __init__(self, manager: DiscoveryManager, legacy: Callable[[], JSONObject], *, core: bool) -> None:
        self._manager = manager
        self._legacy = legacy
        self._core = core

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise _not_allowed()
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
    if negotiation.negotiate(body.header(scope, b"accept"), negotiation.NO_TRANSFORMS) is None:
        raise errors.not_acceptable(negotiation.SUPPORTED)


def _not_allowed() -> errors.StatusError:
    return errors.StatusError(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details={}
    )
