"""How many objects are stored, by resource, looked up in the watch caches when somebody scrapes.

Registered by whoever composes a process. Mirrors apiserver_resource_objects of
`apiserver/pkg/storage/etcd3/metrics/metrics.go`.
"""

from collections.abc import Iterable

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from generic.registry.backings import Backings


class StoredObjects(Collector):
    """-1, as in Kubernetes: not known, for nobody has asked for any yet."""

    def __init__(self, backings: Backings) -> None:
        self._backings = backings

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("apiserver_resource_objects", "Objects stored.", labels=("group", "resource"))
        for resource, cacher in self._backings.cachers():
            family.add_metric((resource.group, resource.resource), len(cacher.peek_all()) if cacher.revision else -1)
        return [family]
