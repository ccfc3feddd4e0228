"""Spans: which trace they belong to, which of them are recorded, what others are told of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.tracing import client_span, context
from generic.tracing.context import SpanContext
from generic.tracing.tracer import MILLION, Span, Tracer, current

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
REMOTE = SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, sampled=True)


def test_a_caller_says_which_span_it_is() -> None:
    found = context.parse([(b"host", b"x"), (b"traceparent", PARENT), (b"tracestate", b"a=b")])
    assert found == REMOTE._replace(state="a=b")
    assert found.headers() == ((b"traceparent", PARENT), (b"tracestate", b"a=b"))
    assert context.parse([(b"traceparent", PARENT[:-2] + b"00")]) == REMOTE._replace(sampled=False)
    later = b"cc" + PARENT[2:] + b"-what-comes-one-day"
    assert context.parse([(b"traceparent", later)]) == REMOTE


@pytest.mark.parametrize(
    "header",
    [
        b"",
        PARENT.upper(),
        PARENT[:-1],
        PARENT + b"-more",
        b"ff" + PARENT[2:],
        PARENT.replace(b"0af7651916cd43dd8448eb211c80319c", b"0" * 32),
        PARENT.replace(b"b7ad6b7169203331", b"0" * 16),
    ],
)
def test_what_names_no_span_is_as_if_it_were_not_there(header: bytes) -> None:
    assert context.parse([(b"traceparent", header)]) is None


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_what_is_told_is_what_is_read(trace_id: int, span_id: int, sampled: bool) -> None:
    told = SpanContext(trace_id, span_id, sampled)
    assert context.parse(told.headers()) == told


@pytest.mark.parametrize("rate", [0, MILLION // 4, MILLION])
def test_of_the_traces_that_begin_here_a_part_is_recorded(rate: int) -> None:
    recorded: list[Span] = []
    tracer = Tracer(recorded.append, sampling_rate_per_million=rate)
    for _ in range(2000):
        tracer.start("it").end()
    assert abs(len(recorded) - 2000 * rate // MILLION) <= (150 if rate not in (0, MILLION) else 0)


@pytest.mark.parametrize("sampled", [False, True])
def test_a_caller_that_records_or_does_not_is_followed(sampled: bool) -> None:
    recorded: list[Span] = []
    rate = 0 if sampled else MILLION
    parent = REMOTE._replace(sampled=sampled, state="a=b")
    span = Tracer(recorded.append, sampling_rate_per_million=rate).start("it", parent=parent)
    span.end()
    assert recorded == ([span] if sampled else [])
    assert span.context == (REMOTE.trace_id, span.context.span_id, sampled, "a=b")
    assert span.context.span_id not in (0, REMOTE.span_id)


def test_a_request_of_ours_belongs_to_what_is_served() -> None:
    assert client_span.begin("GET") is None
    recorded: list[Span] = []
    serving = Tracer(recorded.append, sampling_rate_per_million=MILLION).start("it")
    token = current.set(serving)
    try:
        asking = client_span.begin("GET")
    finally:
        current.reset(token)
    assert asking is not None
    with asking:
        sent = asking.headers([(b"a", b"b"), (b"traceparent", PARENT), (b"tracestate", b"x=y")])
        asking.answered(404, url="https://there/", host="there", port=443)
    (span,) = recorded
    assert sent == [(b"a", b"b"), *span.context.headers()]
    assert (span.kind, span.name, span.parent, span.failed) == ("client", "HTTP GET", serving.context, True)
    assert span.attributes == {
        "http.request.method": "GET",
        "url.full": "https://there/",
        "server.address": "there",
        "server.port": 443,
        "http.response.status_code": 404,
        "error.type": "404",
    }


def test_a_request_without_an_answer_failed() -> None:
    recorded: list[Span] = []
    token = current.set(Tracer(recorded.append, sampling_rate_per_million=MILLION).start("it"))
    try:
        asking = client_span.begin("POST")
        assert asking is not None
        with pytest.raises(OSError, match="gone"), asking:
            raise OSError("gone")
    finally:
        current.reset(token)
    assert [(span.failed, span.attributes["error.type"]) for span in recorded] == [(True, "transport")]
