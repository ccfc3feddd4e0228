"""Kubernetes' apiserver_flowcontrol_* metrics, made from what FlowControl counts when somebody scrapes.

Registered by whoever composes a process. Mirrors `apiserver/pkg/util/flowcontrol/metrics/metrics.go`; left out are
its observations of every nanosecond, and what only its authors look at (epochs, bounds of S).
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from generic.flowcontrol.control import FlowControl, LevelState
from generic.flowcontrol.counts import Counts, Histogram

_PREFIX = "apiserver_flowcontrol_"
_LEVEL = ("priority_level",)
_PAIR = ("priority_level", "flow_schema")

_OF_LEVELS: Mapping[str, tuple[str, Callable[[LevelState], float]]] = {
    "nominal_limit_seats": ("Seats configured for the level.", lambda level: level.nominal),
    "lower_limit_seats": ("Seats it has at least.", lambda level: level.least),
    "upper_limit_seats": ("Seats it may have at most.", lambda level: level.most),
    "current_limit_seats": ("Seats it has now.", lambda level: level.current),
    "demand_seats_high_watermark": ("Most seats it could use, last period.", lambda level: level.demand.peak),
    "demand_seats_average": ("Seats it could use on average, last period.", lambda level: level.demand.average),
    "demand_seats_stdev": ("Standard deviation of the same.", lambda level: level.demand.deviation),
    "demand_seats_smoothed": ("Smoothed seat demand.", lambda level: level.demand.smoothed),
    "target_seats": ("Seats it asks for.", lambda level: level.target),
    "current_r": ("R when something last changed.", lambda level: level.queues.r),
    "dispatch_r": ("R at the last dispatch from a queue.", lambda level: level.queues.dispatched_r),
    "latest_s": ("S of the request dispatched last.", lambda level: level.queues.latest_next_r),
}
_OF_PAIRS: Mapping[str, tuple[str, Callable[[Counts], float]]] = {
    "current_inqueue_requests": ("Requests waiting.", lambda counts: counts.waiting),
    "current_inqueue_seats": ("Seats of requests waiting.", lambda counts: counts.waiting_seats),
    "current_executing_requests": ("Requests running (a watch: starting).", lambda counts: counts.executing),
    "current_executing_seats": ("Seats in use.", lambda counts: counts.executing_seats),
}


class FlowControlMetrics(Collector):
    """A collector for a registry."""

    def __init__(self, control: FlowControl) -> None:
        self._control = control

    def collect(self) -> Iterable[Metric]:
        levels = list(self._control.levels.values())
        pairs = [counts for level in levels for counts in level.counts.values()]
        for name, (help_, level_value) in _OF_LEVELS.items():
            gauge = GaugeMetricFamily(_PREFIX + name, help_, labels=_LEVEL)
            for level in levels:
                gauge.add_metric((level.config.name,), level_value(level))
            yield gauge
        for name, (help_, pair_value) in _OF_PAIRS.items():
            gauge = GaugeMetricFamily(_PREFIX + name, help_, labels=_PAIR)
            for counts in pairs:
                gauge.add_metric(_labels(counts), pair_value(counts))
            yield gauge
        fraction = "Fraction of its target that each level gets."
        yield GaugeMetricFamily(f"{_PREFIX}seat_fair_frac", fraction, self._control.fair_fraction)
        yield from _counters(pairs)
        yield from _histograms(pairs)


def _counters(pairs: list[Counts]) -> Iterable[Metric]:
    dispatched = CounterMetricFamily(f"{_PREFIX}dispatched_requests", "Requests executed.", labels=_PAIR)
    rejected = CounterMetricFamily(f"{_PREFIX}rejected_requests", "Requests rejected.", labels=(*_PAIR, "reason"))
    no_room = CounterMetricFamily(
        f"{_PREFIX}request_dispatch_no_accommodation", "Times the next in turn found too few seats.", labels=_PAIR
    )
    for counts in pairs:
        dispatched.add_metric(_labels(counts), counts.dispatched)
        no_room.add_metric(_labels(counts), counts.no_accommodation)
        for reason, count in counts.rejected.items():
            rejected.add_metric((*_labels(counts), reason), count)
    return dispatched, rejected, no_room


def _histograms(pairs: list[Counts]) -> Iterable[Metric]:
    waited = _family("request_wait_duration_seconds", "Seconds in a queue.", "execute")
    executed = _family("request_execution_seconds", "Seconds of running (a watch: of starting).", "type")
    lengths = _family("request_queue_length_after_enqueue", "Length of the queue, the request included.")
    seats = _family("work_estimated_seats", "Seats a request was estimated to take.")
    for counts in pairs:
        labels = _labels(counts)
        _add(waited, (*labels, "true"), counts.waited)
        _add(waited, (*labels, "false"), counts.waited_in_vain)
        _add(executed, (*labels, "regular"), counts.executed)
        _add(executed, (*labels, "watch"), counts.initialized)
        _add(lengths, labels, counts.lengths)
        _add(seats, labels, counts.seats)
    return waited, executed, lengths, seats


def _family(name: str, help_: str, *more: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(_PREFIX + name, help_, labels=(*_PAIR, *more))


def _add(family: HistogramMetricFamily, labels: tuple[str, ...], histogram: Histogram) -> None:
    if any(histogram.counts):
        names = (*(f"{bound:g}" for bound in histogram.bounds), "+Inf")
        buckets = list(zip(names, accumulate(histogram.counts), strict=True))
        family.add_metric(labels, buckets, histogram.total)


def _labels(counts: Counts) -> tuple[str, str]:
    return counts.level, counts.schema
