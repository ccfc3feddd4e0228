"""RequestContext: everything known of one request, carried in the ASGI scope.

The handler chain makes it (`ensure`), filters fill it, endpoints read it (`of`). One object instead
of a dictionary of loose keys, so that types are checked. Mirrors the values Kubernetes keeps in the
request's context (`apiserver/pkg/endpoints/request`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import cast

from generic.request.audited import Audited
from generic.request.info import RequestInfo, resolve
from generic.request.trace import Trace
from generic.request.user import UserInfo
from generic.types import Scope

_KEY = "trikube"


class Termination:
    """A one-way switch that calls back those who wait for it: no task per waiter."""

    def __init__(self) -> None:
        self._callbacks: dict[object, Callable[[], None]] = {}
        self.is_set = False

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Have `callback` called once the switch is set, at once if it is. Returns how to take that back."""
        if self.is_set:
            callback()
            return lambda: None
        token = object()
        self._callbacks[token] = callback
        return lambda: self._forget(token)

    def set(self) -> None:
        self.is_set = True
        callbacks, self._callbacks = list(self._callbacks.values()), {}
        for callback in callbacks:
            callback()

    def _forget(self, token: object) -> None:
        self._callbacks.pop(token, None)


@dataclass(slots=True)
class RequestContext:
    """The state of one request. Times are `time.monotonic()` seconds."""

    info: RequestInfo
    trace: Trace = field(default_factory=Trace)
    audit_id: str = ""
    user: UserInfo | None = None
    """None until authentication has run; never None behind it. The impersonated one, if there is one."""
    impersonator: UserInfo | None = None
    """Who really asked, where `user` is impersonated."""
    impersonation_constraint: str = ""
    """The right that allowed it; empty if that is the one to be the other in everything."""
    audited: Audited | None = None
    """What audit will write of the request; None: nothing."""
    authorize_create: Callable[[], Awaitable[None]] | None = None
    """Raises 403 unless the caller may also create what it updates; None: nobody is asked (in process)."""
    received_at: float = 0.0
    deadline: float | None = None
    """When a request that is not long-running is given up."""
    lift_deadline: Callable[[], None] | None = None
    """What to call when it has turned into a connection of another protocol, which lasts as long as it likes."""
    arrived_before_sync: bool = False
    """Stamped on arrival: some owner of the chain had not synced yet, so a miss is 503, not 404."""
    initialized: Callable[[], None] | None = None
    """What to call when a watch has sent what there was, or is another server's: it holds nobody up from then on."""
    termination: Termination | None = None
    """Set when the server shuts down: long-running requests end themselves then."""
    warnings: list[str] = field(default_factory=list)
    """Texts for `Warning: 299` headers, in order, without duplicates."""

    response_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Headers of the response, put in by the outermost filter; a handler's own of the same name wins."""
    status: int = 0
    """Of the response, once it has started; 0 before."""
    sent: int = 0
    """Bytes of the response's body so far."""
    body_size: int = 0
    """Bytes of the request's body, once it has been read."""
    queued: float = 0.0
    """Seconds it waited for others to be served."""
    count_events: Callable[[int], None] | None = None
    """Of a watch: to be told how many events are sent."""

    def annotate(self, key: str, value: str) -> None:
        """Add an annotation to the request's audit events; the first value of a key stays."""
        if self.audited is not None:
            self.audited.annotate(key, value)

    def warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)

    @property
    def user_name(self) -> str:
        return self.user.name if self.user else ""


def ensure(scope: Scope) -> RequestContext:
    """The request's context, made on the first call. Used by the chain and by unprotected handlers in tests."""
    context = scope.get(_KEY)
    if context is None:
        query = cast(bytes, scope.get("query_string", b"")).decode("latin-1")
        # A WebSocket's scope has no method: it begins as a GET.
        context = RequestContext(resolve(scope.get("method", "GET"), scope["path"], query))
        scope[_KEY] = context
    made: RequestContext = context
    return made


def of(scope: Scope) -> RequestContext:
    """The context the handler chain made. Raises KeyError outside a request."""
    found: RequestContext = scope[_KEY]
    return found
