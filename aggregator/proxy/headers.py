"""The headers of a request on its way to a backend, and those of the response on its way back.

Called by `handler.py` and `fetching.py`. Mirrors `client-go/transport` (SetAuthProxyHeaders, headerKeyEscape) and
what Go's ReverseProxy and `apimachinery/pkg/util/proxy/transport.go` do to headers.
"""

import base64
import secrets
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from generic.request.user import UserInfo
from generic.types import Scope

Headers = list[tuple[bytes, bytes]]

_HOP_BY_HOP = frozenset((
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
))
"""What concerns one connection (RFC 9110, 7.6.1)."""

_DROPPED_COMING_BACK = _HOP_BY_HOP - {b"trailer"}

_OURS = frozenset((
    b"host",
    b"content-length",
    b"expect",
    b"authorization",
    b"audit-id",
    b"cookie",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-forwarded-uri",
))
"""Said anew by us, or meant for us alone."""

_IDENTITIES = (b"x-remote-", b"impersonate-")
TRACE = b"trikube-trace"

_TOKEN = frozenset(b"!#$&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
"""Bytes of a header name that stay as they are; the percent sign, which is one too, begins an escape."""

_PATH_SAFE = "/:@!$&'()*+,;=~-._"


def identity(user: UserInfo) -> Headers:
    """The user as a backend reads it."""
    headers = [(b"x-remote-user", user.name.encode())]
    if user.uid:
        headers.append((b"x-remote-uid", user.uid.encode()))
    headers += [(b"x-remote-group", group.encode()) for group in user.groups]
    for key, values in user.extra.items():
        name = b"x-remote-extra-" + _escaped(key)
        headers += [(name, value.encode()) for value in values]
    return headers


def impersonation(user: UserInfo) -> Headers:
    """The user as a server reads it that lets us act for others."""
    headers = [(b"impersonate-user", user.name.encode())]
    if user.uid:
        headers.append((b"impersonate-uid", user.uid.encode()))
    headers += [(b"impersonate-group", group.encode()) for group in user.groups]
    for key, values in user.extra.items():
        name = b"impersonate-extra-" + _escaped(key)
        headers += [(name, value.encode()) for value in values]
    return headers


def forwarded(scope: Scope, *, identity: Headers, audit_id: str) -> Headers:
    """What of the client's headers goes on, and what is added: everything but Host and the framing of the body.

    `identity` says who asks; nothing of what the client itself said of that goes on.
    """
    received: Sequence[tuple[bytes, bytes]] = scope["headers"]
    dropped = _HOP_BY_HOP | _OURS | _named_by_connection(received)
    headers = [one for one in received if one[0] not in dropped and not one[0].startswith(_IDENTITIES)]
    cookies = [value for name, value in received if name == b"cookie"]
    if cookies:
        # HTTP/2 clients may send one header for each.
        headers.append((b"cookie", b"; ".join(cookies)))
    if accepts_trailers(received):
        headers.append((b"te", b"trailers"))
    headers += identity
    if audit_id:
        headers.append((b"audit-id", audit_id.encode("latin-1", "replace")))
    return headers + _forwarding(scope, received)


def trailing(received: Headers) -> Headers:
    """What of a client's trailers goes on. Some servers take trailers for headers: nothing that says who asks."""
    dropped = _HOP_BY_HOP | _OURS
    return [one for one in received if one[0] not in dropped and not one[0].startswith(_IDENTITIES)]


def _forwarding(scope: Scope, received: Iterable[tuple[bytes, bytes]]) -> Headers:
    hops = [value for name, value in received if name == b"x-forwarded-for"]
    if scope.get("client"):
        hops.append(scope["client"][0].encode())
    headers = [(b"x-forwarded-for", b", ".join(hops))] if hops else []
    host = next((value for name, value in received if name in (b"host", b":authority")), b"")
    if host:
        headers.append((b"x-forwarded-host", host))
    scheme = "http" if scope.get("scheme") in ("http", "ws") else "https"
    return [*headers, (b"x-forwarded-proto", scheme.encode()), (b"x-forwarded-uri", raw_path(scope))]


def returned(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """What of a backend's response headers goes back to the client, the announcement of trailers with it."""
    received = [(name.lower(), value) for name, value in headers]
    dropped = _DROPPED_COMING_BACK | _named_by_connection(received)
    return [one for one in received if one[0] not in dropped and one[0] != TRACE]


def raw_path(scope: Scope) -> bytes:
    """The path as the client wrote it."""
    raw: bytes | None = scope.get("raw_path")
    return raw or quote(scope["path"], safe=_PATH_SAFE).encode()


def target(scope: Scope) -> bytes:
    """Path and query as the client wrote them."""
    query: bytes = scope.get("query_string", b"")
    return raw_path(scope) + (b"?" + query if query else b"")


def hops(scope: Scope) -> int:
    """How many proxies say that they have forwarded the request."""
    return sum(value.count(b",") + 1 for name, value in scope["headers"] if name == b"x-forwarded-for")


def switching(scope: Scope) -> Headers:
    """What asks a backend for the protocol the client asked for; it is not forwarded otherwise."""
    asked = [one for one in scope["headers"] if one[0] == b"upgrade"]
    if not asked:
        # A WebSocket over HTTP/2 is asked for in another way, and has no key (RFC 8441).
        asked = [(b"upgrade", b"websocket"), (b"sec-websocket-key", base64.b64encode(secrets.token_bytes(16)))]
    return [(b"connection", b"Upgrade"), *asked]


def is_upgrade(scope: Scope) -> bool:
    """Whether the client wants another protocol on its connection."""
    if scope["type"] == "websocket":
        return True
    return any(name == b"connection" and b"upgrade" in value.lower() for name, value in scope["headers"])


def expects_continue(scope: Scope) -> bool:
    """Whether the client waits to be asked for its body."""
    received = scope["headers"]
    if not any(name == b"expect" and value.lower() == b"100-continue" for name, value in received):
        return False
    has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in received)
    return scope["type"] == "http" and (has_body or scope.get("http_version") == "2")


def accepts_trailers(received: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request's headers say so. Go's ReverseProxy passes this on as well."""
    return any(name == b"te" and b"trailers" in value.lower() for name, value in received)


def announces_trailers(scope: Scope, answered: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether trailers may follow the answer: the backend says that they will, or the client that they may."""
    return any(name == b"trailer" for name, _ in answered) or accepts_trailers(scope["headers"])


def _named_by_connection(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    values = [value for name, value in headers if name == b"connection"]
    return frozenset(part.strip().lower() for value in values for part in value.split(b","))


def _escaped(key: str) -> bytes:
    return b"".join(bytes((byte,)) if byte in _TOKEN else b"%%%02X" % byte for byte in key.encode())
