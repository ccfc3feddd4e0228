"""What the server counts, under Kubernetes' metric names, for `/metrics`.

Filled by the handler chain at the cost of a dictionary look-up a request; everything prometheus-client
needs is made when somebody scrapes. One `Metrics` a process. Mirrors
`apiserver/pkg/endpoints/metrics/metrics.go` and `apiserver/pkg/authentication/metrics`.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

SeriesKey = tuple[str, str, str, str, str, str, str]
"""verb, dry_run, group, version, resource, subresource, scope."""

_COMPONENT = "apiserver"
_LABELS = ("verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component")
_SIZE_LABELS = ("verb", "group", "version", "resource", "subresource", "scope", "component")
_SECONDS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
_BYTES = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
_MOST_SERIES = 10_000


class Counts(Collector):
    """A counter or gauge with labels: a dictionary of numbers."""

    def __init__(self, name: str, help_: str, labels: Sequence[str], *, gauge: bool = False) -> None:
        self._name = name
        self._help = help_
        self._labels = labels
        self._gauge = gauge
        self._values: dict[tuple[str, ...], float] = {}

    def add(self, *labels: str, by: float = 1) -> None:
        value = self._values.get(labels, 0) + by
        # Strangers can invent any number of labels: of what is over nothing is kept, and of the rest only so many.
        if not value and self._gauge:
            self._values.pop(labels, None)
        elif labels in self._values or len(self._values) < _MOST_SERIES:
            self._values[labels] = value

    def set(self, *labels: str, to: float) -> None:
        self._values[labels] = to

    def value(self, *labels: str) -> float:
        """The present value; 0 for labels never seen."""
        return self._values.get(labels, 0)

    def describe(self) -> Iterable[Metric]:
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        family = self._family()
        for labels, value in list(self._values.items()):
            family.add_metric(labels, value)
        return [family]

    def _family(self) -> CounterMetricFamily | GaugeMetricFamily:
        make = GaugeMetricFamily if self._gauge else CounterMetricFamily
        return make(self._name, self._help, labels=self._labels)


class _Series:
    __slots__ = ("codes", "seconds", "seconds_sum", "sizes", "sizes_sum")

    def __init__(self) -> None:
        self.codes: dict[int, int] = {}
        self.seconds = [0] * (len(_SECONDS) + 1)
        self.seconds_sum = 0.0
        self.sizes = [0] * (len(_BYTES) + 1)
        self.sizes_sum = 0


class Requests(Collector):
    """Requests answered: how many by code, how long they took, how large reads were."""

    def __init__(self) -> None:
        self._series: dict[SeriesKey, _Series] = {}

    def observe(self, key: SeriesKey, *, code: int, seconds: float, size: int) -> None:
        """Count one answered request. `size`: bytes of body, counted for reads."""
        series = self._series.get(key) or self._new(key, code)
        series.codes[code] = series.codes.get(code, 0) + 1
        series.seconds[bisect_left(_SECONDS, seconds)] += 1
        series.seconds_sum += seconds
        series.sizes[bisect_left(_BYTES, size)] += 1
        series.sizes_sum += size

    def _new(self, key: SeriesKey, code: int) -> _Series:
        # Names come from the request, and strangers can invent any number of them: names that never
        # led to a success are counted together.
        if code >= 400 or len(self._series) >= _MOST_SERIES:
            key = (key[0], key[1], "", "", "", "", "")
        return self._series.setdefault(key, _Series())

    def count(self, key: SeriesKey, code: int) -> int:
        """Requests so far with these labels and this code."""
        series = self._series.get(key)
        return series.codes.get(code, 0) if series else 0

    def describe(self) -> Iterable[Metric]:
        return self._families()

    def collect(self) -> Iterable[Metric]:
        total, duration, sizes = families = self._families()
        for key, series in list(self._series.items()):
            labels = (*key, _COMPONENT)
            for code, count in series.codes.items():
                total.add_metric((*labels, str(code)), count)
            duration.add_metric(labels, _cumulative(_SECONDS, series.seconds), series.seconds_sum)
            if key[0] in ("GET", "LIST"):
                without_dry_run = (labels[0], *labels[2:])
                sizes.add_metric(without_dry_run, _cumulative(_BYTES, series.sizes), series.sizes_sum)
        return families

    @staticmethod
    def _families() -> tuple[CounterMetricFamily, HistogramMetricFamily, HistogramMetricFamily]:
        return (
            CounterMetricFamily(
                "apiserver_request",
                "Requests by verb, dry run, group, version, resource, scope, component and HTTP code.",
                labels=(*_LABELS, "code"),
            ),
            HistogramMetricFamily(
                "apiserver_request_duration_seconds",
                "Seconds from arrival to the end of the response.",
                labels=_LABELS,
            ),
            HistogramMetricFamily(
                "apiserver_response_sizes", "Bytes of response bodies of reads.", labels=_SIZE_LABELS
            ),
        )


def _cumulative(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    names = (*(f"{bound:g}" for bound in bounds), "+Inf")
    return list(zip(names, accumulate(counts), strict=True))


class _InFlight(Collector):
    def __init__(self, running: Callable[[], Mapping[str, int]]) -> None:
        self._running = running

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "apiserver_current_inflight_requests",
            "Requests in progress by kind, long-running ones left out.",
            labels=("request_kind",),
        )
        for kind, count in self._running().items():
            family.add_metric((kind,), count)
        return [family]


class Metrics:
    """The process's metrics; other parts of the server may register collectors of their own in `registry`."""

    def __init__(self, *, process: bool = True) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = Requests()
        self.long_running = Counts(
            "apiserver_longrunning_requests",
            "Long-running requests in progress.",
            ("verb", "group", "version", "resource", "subresource", "scope", "component"),
            gauge=True,
        )
        self.terminations = Counts(
            "apiserver_request_terminations", "Requests ended by the server in self-defence.", ("verb", "code")
        )
        self.dropped = Counts("apiserver_dropped_requests", "Requests refused with 429.", ("request_kind",))
        self.authentication_attempts = Counts(
            "authentication_attempts", "Authentications by result: success, failure or error.", ("result",)
        )
        self.authenticated_users = Counts(
            "authenticated_user_requests", "Authenticated requests by user name, unknown ones together.", ("username",)
        )
        for collector in (
            self.requests,
            self.long_running,
            self.terminations,
            self.dropped,
            self.authentication_attempts,
            self.authenticated_users,
        ):
            self.registry.register(collector)
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)

    def watch_in_flight(self, running: Callable[[], Mapping[str, int]]) -> None:
        """Show how many requests of each kind (readOnly, mutating) run, asked for at each scrape."""
        self.registry.register(_InFlight(running))

    def render(self, accept: str = "") -> tuple[bytes, bytes]:
        """The exposition and its content type, in the format a scraper's Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type.encode()
