"""The objects that register an API server beside the cluster."""

import base64

import pytest

from trikube.testing.errors import ControlPlaneError
from trikube.testing.registration import Registration


def registration(address: str = "127.0.0.1") -> Registration:
    return Registration(
        group="demo.io",
        versions=("v1", "v1beta1"),
        port=9443,
        ca=b"PEM",
        address=address,
        service="zoo",
        namespace="ns",
    )


def test_the_aggregator_is_led_to_address_and_port() -> None:
    service, endpoints, *api_services = registration().objects()
    assert service["spec"]["ports"][0] | {"port": 443, "targetPort": 9443} == service["spec"]["ports"][0]
    assert "selector" not in service["spec"]
    assert (endpoints["addressType"], endpoints["endpoints"][0]["addresses"]) == ("IPv4", ["127.0.0.1"])
    assert endpoints["metadata"]["labels"] == {"kubernetes.io/service-name": "zoo"}
    assert endpoints["ports"][0]["port"] == 9443
    # The port is found by its name.
    assert endpoints["ports"][0]["name"] == service["spec"]["ports"][0]["name"]
    assert [each["metadata"]["name"] for each in api_services] == ["v1.demo.io", "v1beta1.demo.io"]


def test_the_first_version_is_the_preferred_one() -> None:
    _, _, first, second = registration().objects()
    assert first["spec"]["versionPriority"] > second["spec"]["versionPriority"]
    assert base64.b64decode(first["spec"]["caBundle"]) == b"PEM"
    assert first["spec"]["service"] == {"name": "zoo", "namespace": "ns", "port": 443}


def test_an_address_of_the_other_family_and_one_that_is_none() -> None:
    assert registration("::1").objects()[1]["addressType"] == "IPv6"
    with pytest.raises(ControlPlaneError, match=r"must be an IP address: 'zoo\.local'"):
        registration("zoo.local").objects()
