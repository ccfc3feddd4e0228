"""WATCH: a stream of events, one JSON object a line.

The sender takes everything the Cacher has queued and writes it at once (DESIGN.md section 9); an
event's bytes are made once for all watchers of the same representation. Mirrors
`apiserver/pkg/endpoints/handlers/watch.go` and `get.go`.
"""

import asyncio
import random

import orjson

from generic.endpoints import options, representation, responses
from generic.endpoints.installed import EndpointRequest
from generic.endpoints.representation import Representation
from generic.meta import errors
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
    shown, _ = representation.choose(request.resource, accept, includes, is_list=False)
    timeout = asked.timeout_seconds or MIN_TIMEOUT * (1 + random.random())
    try:
        stream = await request.storage.watch(request.context, request.namespace, asked)
    except errors.StatusError as error:
        if error.code != 410:
            raise
        await _refuse_in_stream(request, error)
        return
    try:
        await responses.start(request.scope, request.send)
        # An empty chunk flushes the headers: clients wait for them before the first event.
        await request.send({"type": "http.response.body", "body": b"", "more_body": True})
        await _pump(request, stream, shown, timeout)
    finally:
        stream.close()
    await request.send({"type": "http.response.body", "body": b""})


async def _pump(request: EndpointRequest, stream: WatchStream, shown: Representation, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    ender = loop.call_later(seconds, stream.close)
    leaver = asyncio.ensure_future(_until_gone(request.receive, stream))
    termination = request.context.termination
    forget = termination.on_set(stream.close) if termination is not None else None
    headers = shown if isinstance(shown, representation.AsTable) else None
    try:
        while batch := await stream.next_batch():
            await shown.prepare([event.object for event in batch if event.object is not None])
            if headers is None:
                lines = b"".join([_line(event, shown, request) for event in batch])
            else:
                first, shown, headers = _line(batch[0], headers, request), headers.without_headers(), None
                lines = first + b"".join([_line(event, shown, request) for event in batch[1:]])
            await request.send({"type": "http.response.body", "body": lines, "more_body": True})
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


def _line(event: WatchEvent, shown: Representation, request: EndpointRequest) -> bytes:
    line = event.encoding(shown.key)
    if line is None:
        line = b'{"type":"%b","object":%b}\n' % (event.type.encode(), _payload(event, shown, request))
        event.remember_encoding(shown.key, line)
    return line


def _payload(event: WatchEvent, shown: Representation, request: EndpointRequest) -> bytes:
    if event.error is not None:
        return orjson.dumps(event.error.to_status())
    if event.object is None:
        return _bookmark(event, shown, request)
    return shown.encode(event.object)


def _bookmark(event: WatchEvent, shown: Representation, request: EndpointRequest) -> bytes:
    metadata: JSONObject = {"resourceVersion": str(event.revision), "creationTimestamp": None}
    if event.initial_events_end:
        metadata["annotations"] = {_INITIAL_EVENTS_END: "true"}
    if isinstance(shown, representation.AsTable):
        return shown.list_head({"resourceVersion": str(event.revision)}) + b"]}"
    kind, version = request.resource.kind, str(request.resource.group_version)
    if isinstance(shown, representation.AsPartialMetadata):
        kind, version = "PartialObjectMetadata", shown.api_version
    return orjson.dumps({"kind": kind, "apiVersion": version, "metadata": metadata})


async def _refuse_in_stream(request: EndpointRequest, error: errors.StatusError) -> None:
    """Too old a resourceVersion is 200 with one ERROR event: informers look for it there."""
    line = orjson.dumps({"type": "ERROR", "object": error.to_status()}) + b"\n"
    await responses.send_bytes(request.scope, request.send, line)
