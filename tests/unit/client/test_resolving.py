"""From a Service to the addresses behind it."""

import pytest

from generic.client.resolving import Address, EndpointResolver, ResolveError, ServiceReference
from generic.types import JSONObject
from tests.unit.aggregator.objects import Objects, endpoint_slice, endpoints, service

API = ServiceReference("default", "api", 443)


def resolve(found: JSONObject, *slices: JSONObject, legacy: JSONObject | None = None) -> set[Address]:
    held = Objects() if legacy is None else Objects(legacy)
    return set(EndpointResolver(Objects(found), Objects(*slices), held).resolve(API))


def test_ready_endpoints_of_the_named_port_also_with_a_cluster_ip() -> None:
    found = resolve(
        service(clusterIP="10.96.0.9", ports=(("metrics", 80), ("https", 443))),
        endpoint_slice("127.0.0.1", "127.0.0.2"),
        endpoint_slice("127.0.0.3", ready=True),
        endpoint_slice("127.0.0.4", ready=False),
        endpoint_slice("127.0.0.5", port=("metrics", 1)),
    )
    assert found == {Address(f"127.0.0.{number}", 8443) for number in (1, 2, 3)}


def test_a_headless_service_has_endpoints_but_no_cluster_ip() -> None:
    assert resolve(service(clusterIP="None"), endpoint_slice("127.0.0.1")) == {Address("127.0.0.1", 8443)}


def test_every_endpoint_gets_its_turn_ipv4_before_ipv6() -> None:
    resolver = EndpointResolver(Objects(service()), Objects(endpoint_slice("::1", "127.0.0.1", "127.0.0.2")), Objects())
    orders = {tuple(address.host for address in resolver.resolve(API)) for _ in range(100)}
    assert orders == {("127.0.0.1", "127.0.0.2", "::1"), ("127.0.0.2", "127.0.0.1", "::1")}


def test_endpoints_count_where_there_is_no_slice() -> None:
    legacy = endpoints("127.0.0.7")
    assert resolve(service(), legacy=legacy) == {Address("127.0.0.7", 9443)}
    assert resolve(service(), endpoint_slice("127.0.0.1"), legacy=legacy) == {Address("127.0.0.1", 8443)}


def test_an_external_name_is_where_the_service_is() -> None:
    assert resolve(service(type="ExternalName", externalName="aa.example.com")) == {Address("aa.example.com", 443)}


@pytest.mark.parametrize(
    ("found", "slices", "why"),
    [
        (service(), [], 'no endpoints available for service "api"'),
        (service(), [endpoint_slice("127.0.0.1", ready=False)], 'no endpoints available for service "api"'),
        (service(ports=(("https", 8443),)), [], 'no service port 443 found for service "api"'),
        ({"metadata": {"name": "other", "namespace": "default"}}, [], 'service "api" not found'),
        (service(type="ExternalName"), [], 'service "api" has no external name'),
    ],
)
def test_why_there_is_nobody(found: JSONObject, slices: list[JSONObject], why: str) -> None:
    with pytest.raises(ResolveError) as refused:
        resolve(found, *slices)
    assert str(refused.value) == why


def test_an_address_is_written_as_in_a_url() -> None:
    assert (str(Address("::1", 443)), str(Address("a.example.com", 443))) == ("[::1]:443", "a.example.com:443")
