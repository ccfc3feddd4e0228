"""What service `kubernetes` and its endpoints have to say."""

import ipaddress

import pytest

from kubeapi.controllers import kubernetes_service


@pytest.mark.parametrize(
    ("address", "found"),
    [("192.0.2.1:6443", ("192.0.2.1", 6443)), ("[2001:db8::1]:443", ("2001:db8::1", 443)), ("host:1", ("host", 1))],
)
def test_an_address_is_host_and_port(address: str, found: tuple[str, int]) -> None:
    assert kubernetes_service.split(address) == found


@pytest.mark.parametrize("address", ["192.0.2.1", ":6443", "host:https"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"host:port|invalid literal"):
        kubernetes_service.split(address)


def test_a_service_that_is_there_keeps_its_address_and_gets_our_port() -> None:
    first = kubernetes_service.service({}, "10.96.0.1", 6443)
    assert kubernetes_service.service(first, "10.0.0.1", 6443) == first
    moved = kubernetes_service.service(first, "10.0.0.1", 7443)
    assert moved["spec"]["clusterIP"] == "10.96.0.1"
    assert moved["spec"]["ports"][0]["targetPort"] == 7443


def test_endpoints_say_where_the_server_is_in_either_family() -> None:
    address = ipaddress.ip_address("2001:db8::1")
    piece = kubernetes_service.endpoint_slice({"metadata": {"labels": {"a": "b"}}}, address, 443)
    assert piece["addressType"] == "IPv6"
    assert piece["metadata"]["labels"] == {"a": "b", "kubernetes.io/service-name": "kubernetes"}
    whole = kubernetes_service.endpoints({}, address, 443)
    assert whole["subsets"][0]["addresses"] == [{"ip": "2001:db8::1"}]
