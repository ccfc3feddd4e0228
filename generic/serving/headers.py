"""Response headers on their way out: lower case, no line breaks, the date.

Called by both protocols for every response, in place of the validation of h11 and h2, which costs more
than all the rest of the response. What remains is what an app could be tricked into: header injection.
"""

import re
import time
from collections.abc import Iterable
from wsgiref.handlers import format_date_time

Headers = list[tuple[bytes, bytes]]

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN = re.compile(rb"[\r\n\0]")
_HOP_BY_HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
"""Not for HTTP/2 (RFC 9113, 8.2.2)."""
_NO_TRAILERS = _HOP_BY_HOP | {
    b"authorization",
    b"cache-control",
    b"content-encoding",
    b"content-length",
    b"content-range",
    b"content-type",
    b"expect",
    b"host",
    b"max-forwards",
    b"pragma",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"range",
    b"set-cookie",
    b"te",
    b"trailer",
    b"www-authenticate",
}
"""What decides about a message, or frames it, comes before its body (RFC 9110, 6.5.1); Go says the same."""

_names: dict[bytes, bytes] = {}
"""Names seen before, checked and in lower case. Bounded: a proxied server may make up any number."""
_MAX_NAMES = 1024

_date = (0, b"")


def outbound(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Headers fit for the wire, `date` among them. Raises ValueError on what would break out of a header."""
    result = []
    dated = False
    for raw, value in headers:
        name = _names.get(raw) or _learn(raw)
        if _FORBIDDEN.search(value):
            raise ValueError(f"line break in the value of response header {raw!r}")
        if name == b"date":
            dated = True
        result.append((name, value.strip()))
    if not dated:
        result.append((b"date", now()))
    return result


def trailers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """An app's, fit for the wire. Raises ValueError on what would break out of one."""
    result = []
    for raw, value in headers:
        if _FORBIDDEN.search(value):
            raise ValueError(f"line break in the value of trailer {raw!r}")
        result.append((_names.get(raw) or _learn(raw), value.strip()))
    return allowed_trailers(result)


def allowed_trailers(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Those that may come after a body; names in lower case."""
    return [one for one in headers if one[0] not in _NO_TRAILERS and not one[0].startswith(b"if-")]


def take_trailers(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request's headers say that its client understands them."""
    return any(name == b"te" and b"trailers" in value.lower() for name, value in headers)


def for_http2(headers: Headers) -> tuple[Headers, bool]:
    """Without the headers of a connection; True if they asked to close it."""
    if any(name in _HOP_BY_HOP for name, _ in headers):
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in headers)
        return [header for header in headers if header[0] not in _HOP_BY_HOP], closes
    return headers, False


def now() -> bytes:
    """The value of `date`, made once a second."""
    global _date
    second = int(time.time())
    if second != _date[0]:
        _date = (second, format_date_time(second).encode())
    return _date[1]


def _learn(raw: bytes) -> bytes:
    if not _TOKEN.fullmatch(raw):
        raise ValueError(f"{raw!r} is no name of a response header")
    name = raw.lower()
    if len(_names) < _MAX_NAMES:
        _names[raw] = name
    return name
