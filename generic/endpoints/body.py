"""Reading a request's body and turning it into a Python value. Called by the verb handlers.

Mirrors `apiserver/pkg/endpoints/handlers/rest.go` limitedReadBody and `negotiation`.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import orjson

from generic.meta import errors
from generic.protobuf import envelope
from generic.schema import yaml_loading
from generic.types import Receive, Scope

MAX_BODY = 3 * 1024 * 1024
"""Bytes. The limit etcd and so Kubernetes put on a request."""

LONG_YAML, LONG_JSON = 16 * 1024, 256 * 1024
"""Bytes that may take some hundredths of a second to read."""

Format = Literal["json", "yaml", "protobuf"]
T = TypeVar("T")

_FORMATS: dict[str, Format] = {
    "application/json": "json",
    "application/yaml": "yaml",
}
ACCEPTED = ("application/json", "application/yaml")


def header(scope: Scope, name: bytes) -> str:
    """One request header by its lower-case name; the empty string if it is not there."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return ""


async def read(receive: Receive, scope: Scope, limit: int = MAX_BODY) -> bytes:
    """The whole body. Raises 413 over the limit, 400 if the client left in the middle."""
    declared = header(scope, b"content-length")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise errors.bad_request("the client closed the connection before the body was complete")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            # The rest is the listener's to receive and drop (generic.serving).
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(limit: int) -> errors.StatusError:
    return errors.request_entity_too_large(f"Request entity too large: limit is {limit}")


def media_type(scope: Scope) -> str:
    """The media type of the body, without parameters; JSON if the client does not say."""
    return header(scope, b"content-type").partition(";")[0].strip().lower() or "application/json"


def format_of(scope: Scope, *, protobuf: bool = False) -> Format:
    """What the body is written in; protobuf only where it can be read. Raises 415 otherwise."""
    given = media_type(scope)
    if protobuf and given == envelope.MEDIA_TYPE:
        return "protobuf"
    found = _FORMATS.get(given)
    if found is None:
        raise errors.unsupported_media_type((*ACCEPTED, envelope.MEDIA_TYPE) if protobuf else ACCEPTED)
    return found


def parse(body: bytes, form: Format) -> Any:
    """The decoded value of JSON or YAML. Raises ValueError with a one-line reason."""
    if form == "json":
        return orjson.loads(body)
    return yaml_loading.load(body)


async def apart(body: bytes, form: Format, decode: Callable[[], T]) -> T:
    """What `decode` makes of the body; of a long one on a thread: it takes its time, and others want to be served."""
    if len(body) > (LONG_YAML if form == "yaml" else LONG_JSON):
        return await asyncio.to_thread(decode)
    return decode()
