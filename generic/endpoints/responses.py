"""Answers on the wire: bytes, objects, text and the one rendering of a StatusError.

Called by the endpoints, by non-resource handlers and by the handler chain. A response is one ASGI
message pair, without a response object in between. Headers that belong to the request as a whole
(audit id, cache control, `Warning: 299`) are added once, by the outermost filter
(`generic/filters/arrival.py`). Mirrors
`apiserver/pkg/endpoints/handlers/responsewriters/{writers,errors}.go`.
"""

from collections.abc import Iterable
from urllib.parse import parse_qs

import orjson
import yaml

from generic.authorization.refusal import sanitize
from generic.endpoints.body import header
from generic.meta import go_text, negotiation
from generic.meta.errors import StatusError
from generic.protobuf import envelope, objects
from generic.request import context
from generic.types import JSONObject, Scope, Send

Headers = Iterable[tuple[bytes, bytes]]

_JSON = b"application/json"
_TEXT = b"text/plain; charset=utf-8"
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_WITHOUT_BODY = frozenset((204, 304))


async def start(
    scope: Scope, send: Send, *, status: int = 200, content_type: bytes = _JSON, headers: Headers = ()
) -> None:
    """Send the head of a response whose body the caller streams."""
    await send({
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", content_type), *headers],
    })


async def send_bytes(
    scope: Scope,
    send: Send,
    body: bytes,
    *,
    status: int = 200,
    content_type: bytes = _JSON,
    headers: Headers = (),
) -> None:
    """A whole response. HEAD gets the head alone, with the length the body would have."""
    if status in _WITHOUT_BODY:
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": b""})
        return
    length = str(len(body)).encode()
    await send({
        "type": "http.response.start",
        "status": status,
        "headers": [(b"content-type", content_type), (b"content-length", length), *headers],
    })
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def send_object(scope: Scope, send: Send, obj: JSONObject, status: int = 200, headers: Headers = ()) -> None:
    """An object as JSON, as YAML if the client prefers that, in protobuf if it takes nothing else.

    JSON too for what cannot be negotiated.
    """
    await _send_negotiated(scope, send, obj, status=status, headers=headers)


async def send_raw(scope: Scope, send: Send, obj: JSONObject, status: int = 200) -> None:
    """A document as JSON for people, whatever the client accepts."""
    await send_bytes(scope, send, indented(obj), status=status)


async def send_status_error(scope: Scope, send: Send, error: StatusError) -> None:
    """A refusal as its `Status`, with Retry-After if it says when to come back."""
    headers = [] if error.retry_after is None else [(b"retry-after", str(error.retry_after).encode())]
    if error.code in (401, 403):
        headers.append(_NOSNIFF)
    await _send_negotiated(scope, send, error.to_status(), status=error.code, headers=headers)


async def send_text(scope: Scope, send: Send, text: str, status: int = 200, headers: Headers = ()) -> None:
    """Plain text, as Go's `http.Error` and the health endpoints send it."""
    await send_bytes(scope, send, text.encode(), status=status, content_type=_TEXT, headers=(_NOSNIFF, *headers))


async def send_internal_error(scope: Scope, send: Send, why: str) -> None:
    """500 as text, for what goes wrong before a request has come to whoever speaks in objects."""
    query: bytes = scope["query_string"]
    uri = f"{scope['path']}?{query.decode('latin-1')}" if query else scope["path"]
    text = sanitize(f"Internal Server Error: {go_text.quote(uri)}: {why}")
    await send_text(scope, send, f"{text}\n", status=500)


def accepts_protobuf(accept: str) -> bool:
    """Whether a client accepts what all API groups share in protobuf; asked if it takes neither JSON nor YAML."""
    return negotiation.negotiate(accept, negotiation.NO_TRANSFORMS, supported=(envelope.MEDIA_TYPE,)) is not None


def indented(obj: JSONObject) -> bytes:
    """JSON for people; as in Kubernetes, unlike that for programs it does not end its last line."""
    return orjson.dumps(obj, option=orjson.OPT_INDENT_2)


async def _send_negotiated(scope: Scope, send: Send, obj: JSONObject, *, status: int, headers: Headers = ()) -> None:
    accept = header(scope, b"accept")
    # Nothing that is sent from here has another form to be shown in.
    accepted = negotiation.negotiate(accept, negotiation.NO_TRANSFORMS)
    in_protobuf = accepted is None and accepts_protobuf(accept) and objects.SHARED.knows(obj)
    audited = context.ensure(scope).audited
    if audited is not None and (accepted is not None or in_protobuf):
        audited.take_answer(orjson.dumps(obj))
    if in_protobuf:
        body, content_type = objects.SHARED.encode(obj), envelope.MEDIA_TYPE.encode()
        await send_bytes(scope, send, body, status=status, content_type=content_type, headers=headers)
        return
    if accepted is None:
        # A client that accepts nothing we have still gets to read why it was refused.
        await send_bytes(scope, send, indented(obj), status=status, headers=headers)
        return
    if accepted.media_type == negotiation.YAML:
        text: str = yaml.dump(obj, Dumper=yaml.CSafeDumper, allow_unicode=True, default_flow_style=False)
        await send_bytes(scope, send, text.encode(), status=status, content_type=b"application/yaml", headers=headers)
        return
    agent = header(scope, b"user-agent")
    pretty = negotiation.pretty(accepted, _pretty_parameter(scope), agent)
    line = indented(obj) if pretty else orjson.dumps(obj, option=orjson.OPT_APPEND_NEWLINE)
    await send_bytes(scope, send, line, status=status, headers=headers)


def _pretty_parameter(scope: Scope) -> str:
    query: bytes = scope["query_string"]
    if b"pretty" not in query:
        return ""
    return parse_qs(query.decode("latin-1")).get("pretty", [""])[0]
