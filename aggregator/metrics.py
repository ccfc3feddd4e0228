"""What the first tier counts, under kube-aggregator's metric names, for `/metrics`.

Made by `server.py`, registered by whoever makes the `Metrics` of the process. Counted is only what changes; the rest is
looked up when somebody scrapes. Mirrors `kube-aggregator/pkg/controllers/status/metrics` and
`apiserver/pkg/endpoints/discovery/aggregated/metrics.go`. Two `aggregator_openapi_v2_regeneration` metrics that
Kubernetes declares are never filled there, so they are not here.
"""

from collections.abc import Iterable

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aggregator.apiservices import conditions
from generic.client.informer import Informer
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.metrics import Counts

_UNAVAILABLE = "aggregator_unavailable_apiservice"


class AggregatorMetrics(Collector):
    """Does not describe itself to the registry: one name is that of a gauge and, with `_total`, of a counter."""

    def __init__(self, apiservices: Informer, discovery: DiscoveryManager) -> None:
        self._apiservices = apiservices
        self._discovery = discovery
        self._lost = Counts(
            _UNAVAILABLE, "How often an APIService became unavailable, by name and reason.", ("name", "reason")
        )

    def became_unavailable(self, name: str, reason: str) -> None:
        """An APIService that was available is not any more."""
        self._lost.add(name, reason)

    def collect(self) -> Iterable[Metric]:
        now = GaugeMetricFamily(_UNAVAILABLE, "Whether an APIService is unavailable (1) or not (0).", labels=("name",))
        for one in self._apiservices.list():
            now.add_metric((one["metadata"]["name"],), 0 if conditions.is_available(one) else 1)
        made = CounterMetricFamily(
            "aggregator_discovery_aggregation_count", "How often the aggregated discovery document was made anew."
        )
        made.add_metric((), self._discovery.renderings)
        return [now, *self._lost.collect(), made]
