"""Putting objects and lists on the wire: JSON as it is, pretty, as YAML or in protobuf; gzip where it pays.

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
from generic.meta import errors, negotiation
from generic.meta.negotiation import Accepted
from generic.protobuf import envelope, objects
from generic.storage.objects import StoredObject
from generic.types import JSONObject

_GZIP_THRESHOLD = 128 * 1024
_CHUNK = 256 * 1024
_TAIL = b"]}\n"
_LONG = 32 * 1024
"""Bytes of JSON that take some milliseconds to become protobuf."""


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
    if accepted.media_type != negotiation.JSON or _pretty(request, accepted):
        whole = b"%b%b]}" % (head, b",".join(shown.item(item) for item in items))
        await _send_body(request, whole, accepted, status=200)
        return
    parts = [shown.item(item) for item in items]
    audited = request.context.audited
    if audited is not None and audited.takes_response:
        audited.take_answer(b"%b%b]}" % (head, b",".join(parts)))
    size = len(head) + sum(map(len, parts)) + max(len(parts) - 1, 0) + len(_TAIL)
    if size > _GZIP_THRESHOLD and accepts_gzip(request.header(b"accept-encoding")):
        await _send_gzip(request, _chunks(head, parts))
    elif size <= _CHUNK:
        body = b"%b%b%b" % (head, b",".join(parts), _TAIL)
        await responses.send_bytes(request.scope, request.send, body)
    else:
        await responses.start(request.scope, request.send, headers=((b"content-length", str(size).encode()),))
        if request.scope["method"] != "HEAD":
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
    yield (lead if batch or lead is head else b"") + b",".join(batch) + _TAIL


async def _send_body(request: EndpointRequest, body: bytes, accepted: Accepted, *, status: int) -> None:
    if request.context.audited is not None:
        request.context.audited.take_answer(body)
    content_type = accepted.media_type.encode()
    if accepted.media_type == negotiation.YAML:
        body = await asyncio.to_thread(_to_yaml, body)
    elif accepted.media_type == envelope.MEDIA_TYPE:
        body = await _to_protobuf(request, body)
    elif _pretty(request, accepted):
        body = responses.indented(orjson.loads(body))
    else:
        # As Go's encoder ends a document.
        body = b"%b\n" % body
    if len(body) > _GZIP_THRESHOLD and accepts_gzip(request.header(b"accept-encoding")):
        await _send_gzip(request, iter((body,)), status=status, content_type=content_type)
        return
    await responses.send_bytes(request.scope, request.send, body, status=status, content_type=content_type)


async def _send_gzip(
    request: EndpointRequest, chunks: Iterator[bytes], *, status: int = 200, content_type: bytes = b"application/json"
) -> None:
    """Compress in a worker thread, one chunk at a time, so that the event loop stays free."""
    headers = ((b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"))
    await responses.start(request.scope, request.send, status=status, content_type=content_type, headers=headers)
    if request.scope["method"] == "HEAD":
        await request.send({"type": "http.response.body", "body": b""})
        return
    compressor = zlib.compressobj(1, zlib.DEFLATED, 31)
    for chunk in chunks:
        packed = await asyncio.to_thread(compressor.compress, chunk)
        if packed:
            await request.send({"type": "http.response.body", "body": packed, "more_body": True})
    await request.send({"type": "http.response.body", "body": compressor.flush()})


def _to_yaml(body: bytes) -> bytes:
    text = yaml.dump(orjson.loads(body), Dumper=yaml.CSafeDumper, allow_unicode=True, default_flow_style=False)
    return text.encode()


async def _to_protobuf(request: EndpointRequest, body: bytes) -> bytes:
    codec = request.resource.protobuf or objects.SHARED
    try:
        if len(body) > _LONG:
            return await asyncio.to_thread(lambda: codec.encode(orjson.loads(body)))
        return codec.encode(orjson.loads(body))
    except ValueError as error:
        raise errors.internal_error(str(error)) from None


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding names gzip; what else it says of it does not count, as in Kubernetes."""
    return any(part.partition(";")[0].strip() == "gzip" for part in header.split(","))


def _pretty(request: EndpointRequest, accepted: Accepted) -> bool:
    return negotiation.pretty(accepted, _first(request, "pretty"), request.header(b"user-agent"))


def _first(request: EndpointRequest, parameter: str) -> str:
    values = request.query.get(parameter)
    return values[0] if values else ""
