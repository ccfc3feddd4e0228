"""Which Services of APIServices are found in another way than by their endpoints."""

from typing import Any

import pytest

from aggregator.resolving import ClusterIPResolver, LoopbackResolver
from generic.client.resolving import Address, ResolveError, ServiceReference
from tests.unit.aggregator.objects import Objects, service

API = ServiceReference("default", "api", 443)


def test_by_cluster_ip_where_something_else_forwards() -> None:
    assert ClusterIPResolver(Objects(service(clusterIP="10.96.0.9"))).resolve(API) == [Address("10.96.0.9", 443)]
    outside = service(type="ExternalName", externalName="aa.example.com")
    assert ClusterIPResolver(Objects(outside)).resolve(API) == [Address("aa.example.com", 443)]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"clusterIP": "None"}, 'no service ClusterIP address found for service "api"'),
        ({"clusterIP": "10.96.0.9", "ports": (("https", 8443),)}, 'no service port 443 found for service "api"'),
        ({"type": "Odd"}, 'unsupported service type "Odd"'),
    ],
)
def test_why_a_cluster_ip_does_not_help(spec: dict[str, Any], why: str) -> None:
    with pytest.raises(ResolveError) as refused:
        ClusterIPResolver(Objects(service(**spec))).resolve(API)
    assert str(refused.value) == why


def test_service_kubernetes_is_ourselves() -> None:
    resolver = LoopbackResolver(ClusterIPResolver(Objects()), lambda: 6443)
    assert resolver.resolve(ServiceReference("default", "kubernetes", 443)) == [Address("localhost", 6443)]
    with pytest.raises(ResolveError):
        resolver.resolve(ServiceReference("other", "kubernetes", 443))
