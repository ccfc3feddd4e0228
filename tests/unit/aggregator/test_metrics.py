"""The metrics of kube-aggregator, as a scraper reads them."""

from typing import Any

from aggregator.metrics import AggregatorMetrics
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.metrics import Metrics
from tests.unit.aggregator.objects import Objects, apiservice


def scraped(made: AggregatorMetrics) -> list[str]:
    metrics = Metrics(process=False)
    metrics.registry.register(made)
    text = metrics.render()[0].decode()
    return [line for line in text.splitlines() if line.startswith("aggregator_")]


def test_which_apiservices_are_available_how_often_they_were_lost_and_how_often_discovery_was_made() -> None:
    well, ill = apiservice("a.example.com"), apiservice("b.example.com")
    well["status"] = {"conditions": [{"type": "Available", "status": "True"}]}
    informer: Any = Objects(well, ill)
    discovery = DiscoveryManager()
    made = AggregatorMetrics(informer, discovery)
    discovery.document(core=False)
    discovery.document(core=False)
    made.became_unavailable("v1.b.example.com", "FailedDiscoveryCheck")
    assert scraped(made) == [
        'aggregator_unavailable_apiservice{name="v1.a.example.com"} 0.0',
        'aggregator_unavailable_apiservice{name="v1.b.example.com"} 1.0',
        'aggregator_unavailable_apiservice_total{name="v1.b.example.com",reason="FailedDiscoveryCheck"} 1.0',
        "aggregator_discovery_aggregation_count_total 1.0",
    ]
