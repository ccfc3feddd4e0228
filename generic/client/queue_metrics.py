"""The workqueue_* metrics: what waits for the controllers of the process, and how long.

Registered by whoever composes a process. Mirrors `component-base/metrics/prometheus/workqueue/metrics.go`.
"""

from collections.abc import Callable, Iterable
from itertools import accumulate

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from generic.client import workqueue
from generic.client.workqueue import Times, WorkQueue

_NAME = ("name",)
_BUCKETS = (*(f"{bound:g}" for bound in Times.BOUNDS), "+Inf")
_Queues = dict[str, list[WorkQueue[object]]]


class QueueMetrics(Collector):
    """Queues of one name are counted together."""

    def collect(self) -> Iterable[Metric]:
        queues: _Queues = {}
        for queue in sorted(workqueue.NAMED, key=lambda queue: queue.name):
            queues.setdefault(queue.name, []).append(queue)
        adds = CounterMetricFamily("workqueue_adds", "Keys added.", labels=_NAME)
        retries = CounterMetricFamily("workqueue_retries", "Keys added again after a failure.", labels=_NAME)
        depth = GaugeMetricFamily("workqueue_depth", "Keys that wait.", labels=_NAME)
        for name, held in queues.items():
            adds.add_metric((name,), sum(queue.counts.adds for queue in held))
            retries.add_metric((name,), sum(queue.counts.retries for queue in held))
            depth.add_metric((name,), sum(map(len, held)))
        yield from (adds, retries, depth)
        yield _times("queue", "Seconds keys waited.", queues, lambda queue: queue.counts.waits)
        yield _times("work", "Seconds keys took.", queues, lambda queue: queue.counts.works)


def _times(what: str, help_: str, queues: _Queues, of: Callable[[WorkQueue[object]], Times]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"workqueue_{what}_duration_seconds", help_, labels=_NAME)
    for label, held in queues.items():
        times = [of(queue) for queue in held]
        totals = accumulate(map(sum, zip(*(each.counts for each in times), strict=True)))
        family.add_metric((label,), list(zip(_BUCKETS, totals, strict=True)), sum(each.sum for each in times))
    return family
