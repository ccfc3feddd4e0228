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
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    UnknownMetricFamily,
)
from prometheus_client.registry import Collector

from generic.types import JSONObject

SeriesKey = tuple[str, str, str, str, str, str, str]
"""verb, dry_run, group, version, resource, subresource, scope."""

_COMPONENT = "apiserver"
_LABELS = ("verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component")
_SIZE_LABELS = ("verb", "group", "version", "resource", "subresource", "scope", "component")
_SECONDS = (0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60)
_SLI_SECONDS = _SECONDS[2:]
_DOUBLING = tuple(0.001 * 2**step for step in range(15))
_HOURS = (0.0, 0.5, 1.0, 2.0, 6.0, 12.0, 24.0, 48.0, 96.0, 168.0, 720.0, 2160.0, 4320.0, 8640.0)
_BYTES = (1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9)
_MOST_SERIES = 10_000

_RESULT = ("result",)
_SPOKEN = ("binary", "component", "emulation", "min_compat")
_BUILD = {
    "build_date": "buildDate",
    "compiler": "compiler",
    "git_commit": "gitCommit",
    "git_tree_state": "gitTreeState",
    "git_version": "gitVersion",
    "go_version": "goVersion",
    "major": "major",
    "minor": "minor",
    "platform": "platform",
}
"""Labels by what `/version` calls them."""


class Counts(Collector):
    """A counter or gauge with labels: a dictionary of numbers."""

    def __init__(
        self, name: str, help_: str, labels: Sequence[str], *, gauge: bool = False, bare: bool = False
    ) -> None:
        """`bare`: a counter of the time when their names did not end in `_total`; it has no type, lest it get that."""
        self._bare = bare
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

    def _family(self) -> CounterMetricFamily | GaugeMetricFamily | UnknownMetricFamily:
        if self._bare:
            return UnknownMetricFamily(self._name, self._help, labels=self._labels)
        make = GaugeMetricFamily if self._gauge else CounterMetricFamily
        return make(self._name, self._help, labels=self._labels)


class Histogram(Collector):
    """How often what was observed lay below each bound, by labels of few values."""

    def __init__(self, name: str, help_: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        self._name = name
        self._help = help_
        self._labels = labels
        self._bounds = bounds
        self._series: dict[tuple[str, ...], list[float]] = {}
        """A count for each bound, one for what is above them all, and the sum."""

    def observe(self, *labels: str, value: float) -> None:
        series = self._series.get(labels)
        if series is None:
            series = self._series[labels] = [0] * (len(self._bounds) + 2)
        series[bisect_left(self._bounds, value)] += 1
        series[-1] += value

    def counts(self) -> list[tuple[tuple[str, ...], float]]:
        """How many values were observed, by labels."""
        return [(labels, sum(series[:-1])) for labels, series in list(self._series.items())]

    def describe(self) -> Iterable[Metric]:
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        family = self._family()
        for labels, (*counts, total) in list(self._series.items()):
            family.add_metric(labels, cumulative(self._bounds, counts), total)
        return [family]

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._help, labels=self._labels)


class Attempts(Collector):
    """How often something was tried, and the seconds it took, by result."""

    def __init__(self, what: str, help_: str, counter: type[CounterMetricFamily | UnknownMetricFamily]) -> None:
        """`counter`: of which kind `<what>_attempts` is."""
        self._what = what
        self._help = help_
        self._counter = counter
        self._seconds = Histogram(f"{what}_duration_seconds", "Seconds the same took.", _RESULT, _DOUBLING)

    def observe(self, result: str, *, seconds: float) -> None:
        self._seconds.observe(result, value=seconds)

    def count(self, result: str) -> float:
        """How often that was the result."""
        return dict(self._seconds.counts()).get((result,), 0)

    def describe(self) -> Iterable[Metric]:
        return [self._family(), *self._seconds.describe()]

    def collect(self) -> Iterable[Metric]:
        family = self._family()
        for labels, count in self._seconds.counts():
            family.add_metric(labels, count)
        return [family, *self._seconds.collect()]

    def _family(self) -> CounterMetricFamily | UnknownMetricFamily:
        return self._counter(f"{self._what}_attempts", self._help, labels=_RESULT)


class _Series:
    __slots__ = ("codes", "seconds", "seconds_sum", "sizes", "sizes_sum", "sli", "sli_sum")

    def __init__(self) -> None:
        self.codes: dict[int, int] = {}
        self.seconds = [0] * (len(_SECONDS) + 1)
        self.seconds_sum = 0.0
        self.sizes = [0] * (len(_BYTES) + 1)
        self.sizes_sum = 0
        self.sli = [0] * (len(_SLI_SECONDS) + 1)
        self.sli_sum = 0.0


class Requests(Collector):
    """Requests answered: how many by code, how long they took, how large reads were."""

    def __init__(self) -> None:
        self._series: dict[SeriesKey, _Series] = {}

    def observe(self, key: SeriesKey, *, code: int, seconds: float, size: int, queued: float = 0.0) -> None:
        """Count one answered request. `size`: bytes of body, counted for reads; `queued`: seconds it had to wait."""
        series = self._series.get(key) or self._new(key, code)
        series.codes[code] = series.codes.get(code, 0) + 1
        series.seconds[bisect_left(_SECONDS, seconds)] += 1
        series.seconds_sum += seconds
        series.sli[bisect_left(_SLI_SECONDS, seconds - queued)] += 1
        series.sli_sum += seconds - queued
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
        total, duration, sli, sizes = families = self._families()
        for key, series in list(self._series.items()):
            labels = (*key, _COMPONENT)
            for code, count in series.codes.items():
                total.add_metric((*labels, str(code)), count)
            duration.add_metric(labels, cumulative(_SECONDS, series.seconds), series.seconds_sum)
            without_dry_run = (labels[0], *labels[2:])
            sli.add_metric(without_dry_run, cumulative(_SLI_SECONDS, series.sli), series.sli_sum)
            if key[0] in ("GET", "LIST"):
                sizes.add_metric(without_dry_run, cumulative(_BYTES, series.sizes), series.sizes_sum)
        return families

    @staticmethod
    def _families() -> tuple[CounterMetricFamily, HistogramMetricFamily, HistogramMetricFamily, HistogramMetricFamily]:
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
                "apiserver_request_sli_duration_seconds",
                "The same without what requests wait in queues of priority and fairness.",
                labels=_SIZE_LABELS,
            ),
            HistogramMetricFamily(
                "apiserver_response_sizes", "Bytes of response bodies of reads.", labels=_SIZE_LABELS
            ),
        )


def cumulative(bounds: Sequence[float], counts: Sequence[float]) -> list[tuple[str, float]]:
    """The buckets of a histogram family; `counts` has one more than there are bounds."""
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


class HealthResults:
    """What the checks of `/healthz`, `/livez` and `/readyz` last said, and how often: for `/metrics/slis`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        labels = ("name", "type")
        self._last = Counts("kubernetes_healthcheck", "Whether a check passed (1) or not (0).", labels, gauge=True)
        self._all = Counts("kubernetes_healthchecks", "Results of checks.", (*labels, "status"))
        self.registry.register(self._last)
        self.registry.register(self._all)

    def observe(self, name: str, endpoint: str, *, passed: bool) -> None:
        self._last.set(name, endpoint, to=int(passed))
        self._all.add(name, endpoint, "success" if passed else "error")


class _Build(Collector):
    def __init__(self, version: JSONObject) -> None:
        self._version = version

    def collect(self) -> Iterable[Metric]:
        told = self._version
        build = GaugeMetricFamily("kubernetes_build_info", "The build that runs; always 1.", labels=tuple(_BUILD))
        build.add_metric(tuple(told[name] for name in _BUILD.values()), 1)
        spoken = GaugeMetricFamily("version_info", "The version that is served; always 1.", labels=tuple(_SPOKEN))
        binary, _, _ = told["gitVersion"].removeprefix("v").partition("+")
        emulated = f"{told['emulationMajor']}.{told['emulationMinor']}"
        least = f"{told['minCompatibilityMajor']}.{told['minCompatibilityMinor']}"
        spoken.add_metric((binary, "kube", emulated, least), 1)
        return [build, spoken]


class Metrics:
    """The process's metrics; other parts of the server may register collectors of their own in `registry`."""

    def __init__(self, *, process: bool = True) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self.health = HealthResults()
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
        # The former is of the time when names of counters did not end in `_total`.
        self.authentications = Attempts(
            "authentication", "Authentications by result: success, failure or error.", UnknownMetricFamily
        )
        self.authorizations = Attempts(
            "authorization", "Authorizations: allowed, denied, no-opinion or error.", CounterMetricFamily
        )
        self.watch_events = Counts(
            "apiserver_watch_events", "Events sent in watches.", ("group", "version", "resource")
        )
        self.certificate_expiration = Histogram(
            "apiserver_client_certificate_expiration_seconds",
            "How long the certificates are still good that requests are authenticated with.",
            (),
            tuple(hours * 3600 for hours in _HOURS),
        )
        self.authenticated_users = Counts(
            "authenticated_user_requests",
            "Authenticated requests by user name, unknown ones together.",
            ("username",),
            bare=True,
        )
        for collector in (
            self.requests,
            self.long_running,
            self.terminations,
            self.dropped,
            self.authentications,
            self.authenticated_users,
            self.authorizations,
            self.watch_events,
            self.certificate_expiration,
        ):
            self.registry.register(collector)
        if process:
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)

    def watch_in_flight(self, running: Callable[[], Mapping[str, int]]) -> None:
        """Show how many requests of each kind (readOnly, mutating) run, asked for at each scrape."""
        self.registry.register(_InFlight(running))

    def show_build(self, version: JSONObject) -> None:
        """What `/version` says, for whoever looks for servers of different versions."""
        self.registry.register(_Build(version))

    def render(self, accept: str = "") -> tuple[bytes, bytes]:
        """The exposition and its content type, in the format a scraper's Accept header asks for."""
        return rendered(self.registry, accept)


def rendered(registry: CollectorRegistry, accept: str) -> tuple[bytes, bytes]:
    """As `Metrics.render`."""
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type.encode()
