"""Spans as an ExportTraceServiceRequest of the OpenTelemetry protocol, in protobuf.

Called by `exporter.py`. Field numbers are facts of `opentelemetry/proto/trace/v1/trace.proto` and its neighbours; the
messages are few and flat, so they are written here rather than by generated code and one more dependency.
"""

from collections.abc import Iterable, Mapping, Sequence

from generic.tracing.context import SpanContext
from generic.tracing.tracer import Event, Span, Value

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_KINDS = {"server": 2, "client": 3}
_ERROR = 2
_HAS_REMOTE, _IS_REMOTE = 0x100, 0x200


def request(spans: Sequence[Span], resource: Mapping[str, Value], *, scope: str, version: str) -> bytes:
    """`resource`: whose spans they are; `scope` and `version`: who made them."""
    made_by = _message(1, _text(1, scope) + _text(2, version))
    in_scope = made_by + b"".join(_message(2, _span(span)) for span in spans)
    return _message(1, _message(1, _attributes(1, resource)) + _message(2, in_scope))


def _span(span: Span) -> bytes:
    context, parent = span.context, span.parent
    parts = [
        _bytes(1, context.trace_id.to_bytes(16)),
        _bytes(2, context.span_id.to_bytes(8)),
        _text(3, context.state),
        _bytes(4, parent.span_id.to_bytes(8)) if parent is not None else b"",
        _text(5, span.name),
        _number(6, _KINDS[span.kind]),
        _fixed64(7, span.started),
        _fixed64(8, span.ended),
        _attributes(9, span.attributes),
        *(_message(11, _event(event)) for event in span.events),
        _message(13, _link(span.link)) if span.link is not None else b"",
        _message(15, _text(2, span.message) + _number(3, _ERROR)) if span.failed else b"",
        _fixed32(16, _flags(context, remote=parent is not None and span.kind == "server")),
    ]
    return b"".join(parts)


def _flags(context: SpanContext, *, remote: bool) -> int:
    return int(context.sampled) | _HAS_REMOTE | (_IS_REMOTE if remote else 0)


def _event(event: Event) -> bytes:
    return _fixed64(1, event.at) + _text(2, event.name) + _attributes(3, event.attributes)


def _link(link: SpanContext) -> bytes:
    named = _bytes(1, link.trace_id.to_bytes(16)) + _bytes(2, link.span_id.to_bytes(8))
    return named + _text(3, link.state) + _fixed32(6, _flags(link, remote=True))


def _attributes(field: int, attributes: Mapping[str, Value]) -> bytes:
    return b"".join(_message(field, _text(1, key) + _message(2, _value(value))) for key, value in attributes.items())


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return _tag(2, _VARINT) + bytes((value,))
    if isinstance(value, int):
        return _tag(3, _VARINT) + _varint(value)
    return _bytes(1, value.encode(errors="replace"))


def _text(field: int, text: str) -> bytes:
    return _bytes(field, text.encode(errors="replace")) if text else b""


def _number(field: int, value: int) -> bytes:
    return _tag(field, _VARINT) + _varint(value)


def _fixed64(field: int, value: int) -> bytes:
    return _tag(field, _FIXED64) + value.to_bytes(8, "little")


def _fixed32(field: int, value: int) -> bytes:
    return _tag(field, _FIXED32) + value.to_bytes(4, "little")


def _bytes(field: int, value: bytes) -> bytes:
    return _tag(field, _BYTES) + _varint(len(value)) + value


_message = _bytes


def _tag(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(value: int) -> bytes:
    return bytes(_septets(value))


def _septets(value: int) -> Iterable[int]:
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value
