"""What can go wrong with a call: the server refuses it, or it never got through.

Called by `rest` and `watching`, the only places where an httpx exception or a refusal's body is seen.
Mirrors `client-go/rest/request.go` (transformResponse) and NewGenericServerResponse of
`apimachinery/pkg/api/errors/errors.go`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson

from generic.meta import errors
from generic.meta.go_text import quote
from generic.types import JSONObject

_GENERIC = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    403: ("Forbidden", "the server does not allow access to the requested resource"),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    406: ("NotAcceptable", "the server was unable to respond with a content type that the client supports"),
    410: ("Expired", "the provided continue parameter is too old to display a consistent list result"),
    413: ("RequestEntityTooLarge", "the request is too large for the server to accept"),
    415: ("UnsupportedMediaType", "the server could not understand the body of the request"),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: (
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
    ),
}
_SPEAKS_ITSELF = (403, 405)
"""Codes for which a plain-text answer says more than our own words."""

_BODY_SHOWN = 2048


class TransportError(errors.StatusError):
    """The call did not reach the server, or its answer did not reach us; a write may have happened.

    A StatusError (503, ServiceUnavailable), so that whoever lets it pass answers sensibly. Tell the two
    apart by class.
    """

    def __init__(self, message: str) -> None:
        super().__init__(503, "ServiceUnavailable", message)


@contextmanager
def translated(method: str, path: str) -> Iterator[None]:
    """Turn httpx's failures into TransportError. What an app behind the loopback raises passes unchanged."""
    try:
        yield
    except httpx.HTTPError as error:
        raise TransportError(f"{method} {path}: {str(error) or type(error).__name__}") from error


def of_status(status: JSONObject, *, code: int = 0) -> errors.StatusError:
    """The StatusError a `Status` object stands for; `code` when it does not say."""
    details = status.get("details")
    retry_after = details.get("retryAfterSeconds") if details else None
    return errors.StatusError(
        status.get("code") or code or 500,
        status.get("reason") or "",
        status.get("message") or "",
        details=details,
        retry_after=retry_after or None,
    )


def of_response(
    code: int, body: bytes, *, method: str, path: str, retry_after: int | None = None
) -> errors.StatusError:
    """The refusal in a response: its Status, or one made up for servers and proxies that do not speak Kubernetes."""
    status = _status_in(body)
    if status is not None:
        error = of_status(status, code=code)
        error.retry_after = error.retry_after or retry_after
        return error
    text = body[:_BODY_SHOWN].decode(errors="replace").strip() or "unknown"
    if code == 409:
        reason = "AlreadyExists" if method == "POST" else "Conflict"
        message = "the server reported a conflict"
    elif code in _GENERIC:
        reason, message = _GENERIC[code]
        if code in _SPEAKS_ITSELF and text != "unknown":
            message = text
    elif code >= 500:
        reason = "InternalError"
        message = f"an error on the server ({quote(text)}) has prevented the request from succeeding"
    else:
        reason, message = (
            "Unknown",
            f"the server responded with the status code {code} but did not return more information",
        )
    return errors.StatusError(
        code,
        reason,
        f"{message} ({method.lower()} {path})",
        details={"causes": [{"reason": "UnexpectedServerResponse", "message": text}]},
        retry_after=retry_after,
    )


def _status_in(body: bytes) -> JSONObject | None:
    if not body.startswith(b"{"):
        return None
    try:
        decoded: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return decoded if decoded.get("kind") == "Status" and decoded.get("status") != "Success" else None
