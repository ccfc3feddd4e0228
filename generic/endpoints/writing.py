"""Putting objects and lists on the wire: JSON as it is, pretty, or as YAML; gzip where it pays.

Called by the verb handlers with a Representation. Mirrors
`apiserver/pkg/endpoints/handlers/responsewriters/writers.go`.
"""

import asyncio
import zlib
from collections.abc import Iterator, Sequence

import orjson
import yaml

from generic.endpoints import representation, responses
from generic.endpoints.installed import EndpointRequest
from generic.meta.negotiation import Accepted
from generic.storage.objects import StoredObject
from generic.types import JSONObject

_GZIP_THRESHOLD = 128 * 1024
_CHUNK = 256 * 1024
_PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")


async def send_stored(request: EndpointRequest, obj: StoredObject, *, status: int = 200) -> None:
    """One object in the form the client accepts."""
    shown, accepted = representation.choose(
        request.resource, request.header(b"accept"), _first(request, "includeObject"), is_list=False
    )
    if request.subresource is not None and request.subresource.gvk != request.resource.gvk:
        # A Scale is no version of its parent: nothing of the parent's converts or shows it.
        await _send_body(request, obj.raw, accepted, status=status)
        return
    await shown.prepare([obj])
    await _send_body(request, shown.encode(obj), accepted, status=status)


async def send_object(request: EndpointRequest, obj: JSONObject, *, status: int = 200) -> None:
    """An object that is not of the resource's kind (Status, Scale, reviews): never a Table."""
    _, accepted = representation.choose(request.resource, request.header(b"accept"), "", is_list=False)
    await _send_body(request, orjson.dumps(obj), accepted, status=status)


async def send_list(request: EndpointRequest, items: Sequence[StoredObject], metadata: JSONObject) -> None:
    """A list, joined from the bytes of its items and sent in chunks; no second copy of it is ever made."""
    shown, accepted = representation.choose(
        request.resource, request.header(b"accept"), _first(request, "includeObject"), is_list=True
    )
    await shown.prepare(items)
    head = shown.list_head(metadata)
    if accepted.media_type != "application/json" or _pretty(request):
        whole = b"%b%b]}" % (head, b",".join(shown.item(item) for item in items))
        await _send_body(request, whole, accepted, status=200)
        return
    parts = [shown.item(item) for item in items]
    size = len(head) + sum(map(len, parts)) + max(len(parts) - 1, 0) + 2
    if size > _GZIP_THRESHOLD and _accepts_gzip(request):
        await _send_gzip(request, _chunks(head, parts))
    elif size <= _CHUNK:
        body = b"%b%b]}" % (head, b",".join(parts))
        await responses.send_bytes(request.scope, request.send, body)
    else:
        await responses.start(request.scope, request.send, headers=((b"content-length", str(size).encode()),))
        for chunk in _chunks(head, parts):
            await request.send({"type": "http.response.body", "body": chunk, "more_body": True})
        await request.send({"type": "http.response.body", "body": b""})


def _chunks(head: bytes, parts: Sequence[bytes]) -> Iterator[bytes]:
    """The list's JSON in pieces of about `_CHUNK` bytes."""
    batch: list[bytes] = []
    size, lead = 0, head
    for part in parts:
        batch.append(part)
        size += len(part)
        if size >= _CHUNK:
            yield lead + b",".join(batch)
            lead, batch, size = b",", [], 0
    yield (lead if batch or lead is head else b"") + b",".join(batch) + b"]}"


async def _send_body(request: EndpointRequest, body: bytes, accepted: Accepted, *, status: int) -> None:
    if accepted.media_type == "application/yaml":
        text = await asyncio.to_thread(_to_yaml, body)
        await responses.send_bytes(request.scope, request.send, text, status=status, content_type=b"application/yaml")
        return
    if _pretty(request):
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if len(body) > _GZIP_THRESHOLD and _accepts_gzip(request):
        await _send_gzip(request, iter((body,)))
        return
    await responses.send_bytes(request.scope, request.send, body, status=status)


async def _send_gzip(request: EndpointRequest, chunks: Iterator[bytes]) -> None:
    """Compress in a worker thread, one chunk at a time, so that the event loop stays free."""
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    await responses.start(
        request.scope, request.send, headers=((b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"))
    )
    for chunk in chunks:
        packed = await asyncio.to_thread(compressor.compress, chunk)
        if packed:
            await request.send({"type": "http.response.body", "body": packed, "more_body": True})
    await request.send({"type": "http.response.body", "body": compressor.flush()})


def _to_yaml(body: bytes) -> bytes:
    text = yaml.dump(orjson.loads(body), Dumper=yaml.CSafeDumper, allow_unicode=True, default_flow_style=False)
    return text.encode()


def _accepts_gzip(request: EndpointRequest) -> bool:
    return "gzip" in request.header(b"accept-encoding")


def _pretty(request: EndpointRequest) -> bool:
    asked = request.query.get("pretty")
    if asked is not None:
        return asked[0].lower() not in ("false", "0")
    return request.header(b"user-agent").startswith(_PRETTY_AGENTS)


def _first(request: EndpointRequest, parameter: str) -> str:
    values = request.query.get(parameter)
    return values[0] if values else ""
