"""A collector of traces: a real gRPC server that remembers the spans it is sent."""

import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc.aio

from generic.tracing.exporter import METHOD

Fields = dict[int, list[Any]]


def parse(message: bytes) -> Fields:
    """The fields of a protobuf message by their numbers; what is nested comes as bytes."""
    found: Fields = defaultdict(list)
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        number, wire_type = divmod(varint(), 8)
        if wire_type == 0:
            found[number].append(varint())
            continue
        size = varint() if wire_type == 2 else {1: 8, 5: 4}[wire_type]
        part = message[at : at + size]
        at += size
        found[number].append(part if wire_type == 2 else int.from_bytes(part, "little"))
    return found


@dataclass
class Seen:
    """A span as the collector reads it. Ids in hexadecimal; `link` is the trace it comes from."""

    name: str
    kind: int
    trace: str
    span: str
    parent: str
    link: str
    failed: bool
    attributes: dict[str, Any]
    events: list[str]
    seconds: float


@dataclass
class Collector:
    """`endpoint` is where it listens; `answers` false: it refuses what it is sent."""

    endpoint: str = ""
    answers: bool = True
    calls: int = 0
    resource: dict[str, Any] = field(default_factory=dict)
    spans: list[Seen] = field(default_factory=list)

    async def export(self, body: bytes, context: Any) -> bytes:
        self.calls += 1
        if not self.answers:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        (resource_spans,) = parse(body)[1]
        outer = parse(resource_spans)
        self.resource = _attributes(parse(outer[1][0])[1])
        (scope_spans,) = outer[2]
        self.spans += [_seen(parse(span)) for span in parse(scope_spans)[2]]
        return b""

    def named(self, name: str) -> list[Seen]:
        return [span for span in self.spans if span.name == name]


def _seen(span: Fields) -> Seen:
    return Seen(
        name=span[5][0].decode(),
        kind=span[6][0],
        trace=span[1][0].hex(),
        span=span[2][0].hex(),
        parent=span[4][0].hex() if span[4] else "",
        link=parse(span[13][0])[1][0].hex() if span[13] else "",
        failed=bool(span[15]),
        attributes=_attributes(span[9]),
        events=[parse(event)[2][0].decode() for event in span[11]],
        seconds=(span[8][0] - span[7][0]) / 1e9,
    )


def _attributes(pairs: list[bytes]) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        fields = parse(pair)
        ((number, (value,)),) = parse(fields[2][0]).items()
        found[fields[1][0].decode()] = value.decode() if number == 1 else value
    return found


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Listens while the block runs."""
    collector = Collector()
    service, _, method = METHOD.removeprefix("/").partition("/")
    server = grpc.aio.server()
    handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(collector.export)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    collector.endpoint = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield collector
    finally:
        await server.stop(None)
