"""RequestContext: everything known of one request, carried in the ASGI scope.

The handler chain makes it (`ensure`), filters fill it, endpoints read it (`of`). One object instead
of a dictionary of loose keys, so that types are checked. Mirrors the values Kubernetes keeps in the
request's context (`apiserver/pkg/endpoints/request`).
"""

from dataclasses import dataclass, field
from typing import cast

from generic.request.info import RequestInfo, resolve
from generic.request.trace import Trace
from generic.request.user import UserInfo
from generic.types import Scope

_KEY = "trikube"


@dataclass(slots=True)
class RequestContext:
    """The state of one request. Times are `time.monotonic()` seconds."""

    info: RequestInfo
    trace: Trace = field(default_factory=Trace)
    audit_id: str = ""
    user: UserInfo | None = None
    """None until authentication has run; never None behind it."""
    received_at: float = 0.0
    deadline: float | None = None
    arrived_before_sync: bool = False
    """Stamped on arrival: some owner of the chain had not synced yet, so a miss is 503, not 404."""
    warnings: list[str] = field(default_factory=list)
    """Texts for `Warning: 299` headers, in order, without duplicates."""

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
        context = RequestContext(resolve(scope["method"], scope["path"], query))
        scope[_KEY] = context
    return cast(RequestContext, context)


def of(scope: Scope) -> RequestContext:
    """The context the handler chain made. Raises KeyError outside a request."""
    return cast(RequestContext, scope[_KEY])
