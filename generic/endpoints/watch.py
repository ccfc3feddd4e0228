"""WATCH: a stream of events, one JSON object a line, or one frame of protobuf each.

The sender takes everything the Cacher has queued and writes it at once (DESIGN.md section 9); an
event's bytes are made once for all watchers of the same representation. Mirrors
`apiserver/pkg/endpoints/handlers/watch.go` and `get.go`.
"""

import asyncio
import random
from collections.abc import Hashable
from dataclasses import dataclass, replace

import orjson

from generic.endpoints import options, representation, responses
from generic.endpoints.installed import EndpointRequest
from generic.endpoints.representation import Representation
from generic.meta import errors, negotiation
from generic.protobuf import envelope, objects
from generic.protobuf.objects import ObjectCodec
from generic.storage.watch_stream import WatchEvent, WatchStream
from generic.types import JSONObject, Receive

MIN_TIMEOUT = 1800
"""Seconds: a watch without timeoutSeconds ends at random between this and twice this."""

_INITIAL_EVENTS_END = "k8s.io/initial-events-end"


async def watch(request: EndpointRequest) -> None:
    """Stream changes until the client leaves, the time is up, or the server shuts down."""
    asked = options.list_options(request.query, watch=True)
    includes = request.query.get("includeObject", [""])[0]
    # A watch shows single objects, so both spellings of the metadata form are fine.
    accept = request.header(b"accept").replace("PartialObjectMetadataList", "PartialObjectMetadata")
    shown, accepted = representation.choose(request.resource, accept, includes, is_list=False)
    if accepted.media_type == negotiation.YAML:
        raise errors.not_acceptable(representation.STREAM_TYPES)
    lines = _Lines(request, shown)
    if accepted.media_type == envelope.MEDIA_TYPE:
        lines = replace(lines, codec=request.resource.protobuf or objects.SHARED)
    timeout = asked.timeout_seconds or default_timeout()
    try:
        stream = await request.storage.watch(request.context, request.namespace, asked)
    except errors.StatusError as error:
        if error.code != 410:
            raise
        # Too old a resourceVersion is 200 with one ERROR event: informers look for it there.
        refusal = lines.frame("ERROR", orjson.dumps(error.to_status()))
        await responses.send_bytes(request.scope, request.send, refusal, content_type=lines.content_type)
        return
    try:
        await responses.start(request.scope, request.send, content_type=lines.content_type)
        # An empty chunk flushes the headers: clients wait for them before the first event.
        await request.send({"type": "http.response.body", "body": b"", "more_body": True})
        await _pump(request, stream, lines, timeout)
    finally:
        stream.close()
    await request.send({"type": "http.response.body", "body": b""})


def default_timeout() -> float:
    """Seconds. Drawn, so that watches which began together do not end and begin again together."""
    return MIN_TIMEOUT * (1 + random.random())


@dataclass(frozen=True, slots=True)
class _Lines:
    """How one watch's events are written: as lines of JSON, or as frames of protobuf if there is a `codec`."""

    request: EndpointRequest
    shown: Representation
    codec: ObjectCodec | None = None

    @property
    def content_type(self) -> bytes:
        return b"application/json" if self.codec is None else representation.STREAM_TYPES[1].encode()

    def of(self, event: WatchEvent) -> bytes:
        """The event, written once for all watches of the same form."""
        key: Hashable = self.shown.key if self.codec is None else ("protobuf", self.shown.key)
        line = event.encoding(key)
        if line is None:
            line = self.frame(event.type, _payload(event, self.shown, self.request))
            event.remember_encoding(key, line)
        return line

    def frame(self, event_type: str, payload: bytes) -> bytes:
        """`payload` is an object in JSON."""
        if self.codec is not None:
            return objects.watch_frame(event_type, self.codec.encode(orjson.loads(payload)))
        return b'{"type":"%b","object":%b}\n' % (event_type.encode(), payload)


async def _pump(request: EndpointRequest, stream: WatchStream, lines: _Lines, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    ender = loop.call_later(seconds, stream.close)
    leaver = asyncio.ensure_future(_until_gone(request.receive, stream))
    termination = request.context.termination
    forget = termination.on_set(stream.close) if termination is not None else None
    stream.on_caught_up = request.context.initialized
    headers = lines.shown if isinstance(lines.shown, representation.AsTable) else None
    try:
        while batch := await stream.next_batch():
            await lines.shown.prepare([event.object for event in batch if event.object is not None])
            if headers is None:
                body = b"".join([lines.of(event) for event in batch])
            else:
                first, lines, headers = lines.of(batch[0]), replace(lines, shown=headers.without_headers()), None
                body = first + b"".join([lines.of(event) for event in batch[1:]])
            if request.context.count_events is not None:
                request.context.count_events(len(batch))
            await request.send({"type": "http.response.body", "body": body, "more_body": True})
    finally:
        ender.cancel()
        leaver.cancel()
        if forget is not None:
            forget()


async def _until_gone(receive: Receive, stream: WatchStream) -> None:
    """Hypercorn does not cancel a handler whose client left: close the stream on `http.disconnect`."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stream.close()


def _payload(event: WatchEvent, shown: Representation, request: EndpointRequest) -> bytes:
    if event.error is not None:
        return orjson.dumps(event.error.to_status())
    if event.object is None:
        return _bookmark(event, shown, request)
    return shown.encode(event.object)


def _bookmark(event: WatchEvent, shown: Representation, request: EndpointRequest) -> bytes:
    metadata: JSONObject = {"resourceVersion": str(event.revision)}
    if event.initial_events_end:
        metadata["annotations"] = {_INITIAL_EVENTS_END: "true"}
    if isinstance(shown, representation.AsTable):
        return shown.bookmark(metadata)
    kind, version = request.resource.kind, str(request.resource.group_version)
    if isinstance(shown, representation.AsPartialMetadata):
        kind, version = "PartialObjectMetadata", shown.api_version
    return orjson.dumps({"kind": kind, "apiVersion": version, "metadata": metadata})
