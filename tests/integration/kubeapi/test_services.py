"""Services through the whole server: what they are given, keep, and give back."""

import asyncio
from typing import Any

import pytest

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from kubeapi.bootstrap.service_cidr import ensure_service_cidr
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

SERVICES = GroupVersionResource("", "v1", "services")
CIDRS = GroupVersionResource("networking.k8s.io", "v1", "servicecidrs")
ADDRESSES = GroupVersionResource("networking.k8s.io", "v1", "ipaddresses")


async def _serve(plane: Plane, name: str = "web", *, dry_run: bool = False, **spec: object) -> JSONObject:
    spec.setdefault("ports", [{"port": 80}])
    return await plane.client.create(SERVICES, {"metadata": {"name": name}, "spec": spec}, "default", dry_run=dry_run)


async def _refused(plane: Plane, name: str = "web", **spec: Any) -> StatusError:
    with pytest.raises(StatusError) as refused:
        await _serve(plane, name, **spec)
    return refused.value


async def _patch(plane: Plane, **spec: object) -> JSONObject:
    return await plane.client.patch(SERVICES, "web", {"spec": spec}, namespace="default")


async def _claimed(plane: Plane) -> dict[str, str]:
    """Owner by address, the service `kubernetes` aside."""
    found = (await plane.client.list(ADDRESSES))["items"]
    owners = {item["metadata"]["name"]: item["spec"]["parentRef"]["name"] for item in found}
    return {address: owner for address, owner in owners.items() if owner != "kubernetes"}


def _node_ports(service: JSONObject) -> list[Any]:
    return [port.get("nodePort") for port in service["spec"]["ports"]]


async def test_a_plain_service_reads_as_kubernetes_returns_it(plane: Plane) -> None:
    made = await _serve(plane, selector={"app": "web"})
    spec = made["spec"]
    address = spec["clusterIP"]
    assert spec == {
        "clusterIP": address,
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "selector": {"app": "web"},
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }
    claim = await plane.client.get(ADDRESSES, address)
    assert claim["spec"] == {"parentRef": {"resource": "services", "namespace": "default", "name": "web"}}
    assert claim["metadata"]["labels"] == {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }


async def test_an_address_is_given_once_and_free_again_when_its_service_is_gone(plane: Plane) -> None:
    wanted = "10.96.7.7"
    assert (await _serve(plane, "first", clusterIP=wanted))["spec"]["clusterIPs"] == [wanted]
    refused = await _refused(plane, "second", clusterIP=wanted)
    assert (refused.code, refused.message) == (
        422,
        'Service "second" is invalid: spec.clusterIPs: Invalid value: ["10.96.7.7"]: '
        "failed to allocate IP 10.96.7.7: provided IP is already allocated",
    )
    await plane.client.delete(SERVICES, "first", "default")
    assert await _claimed(plane) == {}
    await _serve(plane, "second", clusterIP=wanted)


async def test_an_address_outside_the_range_is_refused(plane: Plane) -> None:
    assert (await _refused(plane, clusterIP="192.0.2.1")).message.endswith(
        "failed to allocate IP 192.0.2.1: the provided IP (192.0.2.1) is not in the valid range. "
        "The range of valid IPs is 10.96.0.0/12"
    )


@pytest.mark.parametrize(
    ("spec", "families", "policy"),
    [
        ({"clusterIP": "None", "selector": {"app": "web"}}, ["IPv4"], "SingleStack"),
        ({"clusterIP": "None"}, ["IPv4", "IPv6"], "RequireDualStack"),
    ],
)
async def test_a_headless_service_claims_nothing(
    plane: Plane, spec: JSONObject, families: list[str], policy: str
) -> None:
    made = (await _serve(plane, **spec))["spec"]
    assert made["clusterIPs"] == ["None"]
    assert (made["ipFamilies"], made["ipFamilyPolicy"]) == (families, policy)
    assert await _claimed(plane) == {}


async def test_what_a_cluster_of_one_family_cannot_give_is_refused(plane: Plane) -> None:
    two = await _refused(plane, ipFamilyPolicy="RequireDualStack")
    assert two.message == (
        'Service "web" is invalid: spec.ipFamilyPolicy: Invalid value: "RequireDualStack": '
        "this cluster is not configured for dual-stack services"
    )
    other = await _refused(plane, ipFamilies=["IPv6"])
    assert other.message.endswith('spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster')


async def test_a_refused_service_leaves_no_claim_behind(plane: Plane) -> None:
    await _serve(plane, "taken", type="NodePort", ports=[{"port": 80, "nodePort": 30100}])
    before = await _claimed(plane)
    twice = await _refused(plane, type="NodePort", ports=[{"port": 80, "nodePort": 30100}])
    assert twice.message == (
        'Service "web" is invalid: spec.ports[0].nodePort: Invalid value: 30100: provided port is already allocated'
    )
    # Found only by validation, when address and node port are claimed already.
    await _refused(plane, type="NodePort", ports=[{"port": 81, "nodePort": 30101}], sessionAffinity="Sometimes")
    exists = await _refused(plane, "taken", type="NodePort", ports=[{"port": 80, "nodePort": 30101}])
    assert exists.reason == "AlreadyExists"
    assert await _claimed(plane) == before
    await _serve(plane, "free", type="NodePort", ports=[{"port": 80, "nodePort": 30101}])


async def test_a_dry_run_shows_what_would_be_given_and_claims_nothing(plane: Plane) -> None:
    shown = await _serve(plane, dry_run=True, type="NodePort", clusterIP="10.96.7.8")
    assert shown["spec"]["clusterIP"] == "10.96.7.8"
    port = _node_ports(shown)[0]
    assert 30000 <= port <= 32767
    assert await _claimed(plane) == {}
    await _serve(plane, type="NodePort", clusterIP="10.96.7.8", ports=[{"port": 80, "nodePort": port}])
    await plane.client.delete(SERVICES, "web", "default")
    assert await _claimed(plane) == {}


async def test_a_port_of_two_protocols_is_one_port_of_the_nodes(plane: Plane) -> None:
    ports = [{"name": name, "port": 53, "protocol": name.upper()} for name in ("udp", "tcp")]
    first, second = _node_ports(await _serve(plane, type="NodePort", ports=ports))
    assert first == second


async def test_a_port_outside_the_range_is_refused(plane: Plane) -> None:
    refused = await _refused(plane, type="NodePort", ports=[{"port": 80, "nodePort": 80}])
    assert refused.message.endswith(
        "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. "
        "The range of valid ports is 30000-32767"
    )


async def test_a_change_of_type_gives_back_what_only_the_old_type_has(plane: Plane) -> None:
    made = await _serve(plane, type="NodePort")
    address, port = made["spec"]["clusterIP"], _node_ports(made)[0]
    inner = await _patch(plane, type="ClusterIP")
    assert inner["spec"]["clusterIP"] == address
    assert _node_ports(inner) == [None]
    assert "externalTrafficPolicy" not in inner["spec"]
    await _serve(plane, "other", type="NodePort", ports=[{"port": 80, "nodePort": port}])
    outer = await _patch(plane, type="ExternalName", externalName="example.com")
    assert {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"}.isdisjoint(outer["spec"])
    assert address not in await _claimed(plane)
    again = await _patch(plane, type="ClusterIP")
    assert (await _claimed(plane))[again["spec"]["clusterIP"]] == "web"


async def test_what_was_given_stays_when_a_client_leaves_it_out(plane: Plane) -> None:
    made = await _serve(plane, type="NodePort", ports=[{"name": "a", "port": 80}])
    body: JSONObject = {"metadata": {"name": "web"}, "spec": {"type": "NodePort"}}
    body["spec"]["ports"] = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    changed = await plane.client.update(SERVICES, body, "default")
    assert changed["spec"]["clusterIPs"] == made["spec"]["clusterIPs"]
    kept, new = _node_ports(changed)
    assert kept == _node_ports(made)[0]
    assert new != kept
    changed["spec"]["ports"].pop()
    await plane.client.update(SERVICES, changed)
    await _serve(plane, "other", type="NodePort", ports=[{"port": 80, "nodePort": new}])


async def test_the_address_of_a_service_does_not_change(plane: Plane) -> None:
    await _serve(plane, clusterIP="10.96.7.9")
    with pytest.raises(StatusError) as refused:
        await _patch(plane, clusterIP="10.96.7.10", clusterIPs=["10.96.7.10"])
    assert refused.value.message.endswith('Invalid value: ["10.96.7.10"]: may not change once set')


async def test_a_load_balancer_that_keeps_traffic_local_gets_a_port_for_its_health_check(plane: Plane) -> None:
    made = await _serve(plane, type="LoadBalancer", externalTrafficPolicy="Local", allocateLoadBalancerNodePorts=False)
    health = made["spec"]["healthCheckNodePort"]
    assert 30000 <= health <= 32767
    assert _node_ports(made) == [None]
    with pytest.raises(StatusError) as refused:
        await _patch(plane, healthCheckNodePort=30999)
    assert refused.value.message.endswith("spec.healthCheckNodePort: Invalid value: 30999: field is immutable")
    assert "healthCheckNodePort" not in (await _patch(plane, externalTrafficPolicy="Cluster"))["spec"]
    await _serve(plane, "other", type="NodePort", ports=[{"port": 80, "nodePort": health}])


async def test_services_made_at_once_get_different_addresses_and_ports(plane: Plane) -> None:
    made = await asyncio.gather(*(_serve(plane, f"web-{number}", type="NodePort") for number in range(12)))
    assert len({service["spec"]["clusterIP"] for service in made}) == 12
    assert len({_node_ports(service)[0] for service in made}) == 12
    await plane.client.delete_collection(SERVICES, "default", field_selector="metadata.name!=kubernetes")
    assert await _claimed(plane) == {}


async def test_a_service_that_waits_for_a_finalizer_keeps_its_address_until_it_is_gone(plane: Plane) -> None:
    made = await plane.client.create(
        SERVICES,
        {"metadata": {"name": "web", "finalizers": ["example.com/wait"]}, "spec": {"ports": [{"port": 80}]}},
        "default",
    )
    await plane.client.delete(SERVICES, "web", "default")
    assert await _claimed(plane) == {made["spec"]["clusterIP"]: "web"}
    await plane.client.patch(SERVICES, "web", {"metadata": {"finalizers": None}}, namespace="default")
    assert await _claimed(plane) == {}


async def test_the_range_addresses_come_from_can_be_read(plane: Plane) -> None:
    found = await plane.client.get(CIDRS, "kubernetes")
    assert found["spec"] == {"cidrs": ["10.96.0.0/12"]}
    (condition,) = found["status"]["conditions"]
    assert (condition["type"], condition["status"]) == ("Ready", "True")


async def test_a_range_that_others_were_told_differently_is_not_ready(plane: Plane) -> None:
    await ensure_service_cidr(plane.client, ["10.0.0.0/24"])
    found = await plane.client.get(CIDRS, "kubernetes")
    assert found["spec"] == {"cidrs": ["10.96.0.0/12"]}
    (condition,) = found["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("False", "KubernetesDefaultServiceCIDRInconsistent")
