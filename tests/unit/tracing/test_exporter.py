"""The way of spans to a collector, which may not be there."""

import logging

import pytest

from generic.tracing import exporter
from generic.tracing.exporter import Exporter
from generic.tracing.tracer import MILLION, Event, Tracer
from tests.support.collector import Collector, collecting
from tests.support.kubeapi import until

pytestmark = pytest.mark.anyio


def _exporter(collector: Collector, *, every: float = 60.0) -> tuple[Exporter, Tracer]:
    made = Exporter(collector.endpoint, {"service.name": "it"}, scope="trikube", version="1", every=every)
    return made, Tracer(made.record, sampling_rate_per_million=MILLION)


async def test_what_is_left_goes_out_at_the_end() -> None:
    async with collecting() as collector:
        sender, tracer = _exporter(collector)
        await sender.start()
        outer = tracer.start("outer")
        inner = outer.child("inner")
        inner.attributes.update({"text": "ä", "number": 300, "flag": True})
        inner.events = [Event(7, "happened", {"decision": "so"})]
        inner.fail("why")
        inner.end()
        outer.end()
        await sender.stop()
        await sender.stop()
        assert collector.resource == {"service.name": "it"}
        first, second = collector.spans
        assert (first.name, first.kind, first.failed, first.events) == ("inner", 3, True, ["happened"])
        assert first.attributes == {"text": "ä", "number": 300, "flag": 1}
        assert (first.trace, first.parent) == (second.trace, second.span)
        assert (second.name, second.kind, second.parent, second.failed) == ("outer", 2, "", False)
        assert 0 <= first.seconds <= second.seconds


async def test_a_full_batch_does_not_wait() -> None:
    async with collecting() as collector:
        sender, tracer = _exporter(collector)
        await sender.start()
        for _ in range(exporter.MOST_SENT + 1):
            tracer.start("it").end()

        async def sent() -> bool:
            return len(collector.spans) == exporter.MOST_SENT + 1

        await until(sent)
        assert collector.calls == 2
        await sender.stop()


async def test_spans_wait_for_a_collector_and_are_not_kept_without_end(caplog: pytest.LogCaptureFixture) -> None:
    async with collecting() as collector:
        collector.answers = False
        sender, tracer = _exporter(collector, every=0.01)
        await sender.start()
        for _ in range(exporter.MOST_QUEUED + 3):
            tracer.start("it").end()

        async def refused() -> bool:
            return collector.calls > 2

        await until(refused)
        collector.answers = True

        async def sent() -> bool:
            return len(collector.spans) == exporter.MOST_QUEUED

        await until(sent)
        await sender.stop()
    told = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 2, "told once that it fails, and once that it is over"
    assert told[0].endswith("not now")
    assert told[1].endswith("3 spans are lost")
