"""KubernetesService: Service default/kubernetes and its endpoints, by which pods find this server.

Started and stopped by hooks of `kubeapi/server.py`. Every server names itself alone; where several serve one store,
the last one to look is listed, until leases among them come. Mirrors
`pkg/controlplane/controller/kubernetesservice` and `pkg/controlplane/reconcilers`.
"""

import ipaddress
import logging
from collections.abc import Callable

from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from kubeapi.bootstrap import namespaces
from kubeapi.controllers.periodic import Periodic

NAMESPACE, NAME = "default", "kubernetes"
SERVICES = GroupVersionResource("", "v1", "services")
ENDPOINTS = GroupVersionResource("", "v1", "endpoints")
ENDPOINT_SLICES = GroupVersionResource("discovery.k8s.io", "v1", "endpointslices")
LOOK_EVERY = 10.0
"""Seconds, as in Kubernetes."""

_LOG = logging.getLogger(__name__)

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Wanted = Callable[[JSONObject], JSONObject]
"""From what is there (empty: nothing) to what ought to be."""


class KubernetesService:
    """`server_address` is asked each time: `host:port` as clients reach this server."""

    def __init__(self, client: Client, *, cluster_ip: str, server_address: Callable[[], str]) -> None:
        self._client = client
        self._cluster_ip = cluster_ip
        self._server_address = server_address
        self._work = Periodic("kubernetes-service", self._reconcile, every=LOOK_EVERY)

    async def start(self) -> None:
        self._work.start()

    async def stop(self) -> None:
        await self._work.stop()

    async def _reconcile(self) -> None:
        host, port = split(self._server_address())
        await self._ensure(SERVICES, lambda found: service(found, self._cluster_ip, port))
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            # Endpoints are addresses; a name would have to be resolved, and kept so.
            _LOG.info("%s is not an IP address: service %s/%s gets no endpoints", host, NAMESPACE, NAME)
            return
        await self._ensure(ENDPOINTS, lambda found: endpoints(found, address, port))
        await self._ensure(ENDPOINT_SLICES, lambda found: endpoint_slice(found, address, port))

    async def _ensure(self, gvr: GroupVersionResource, wanted: Wanted) -> None:
        try:
            found = await self._client.get(gvr, NAME, NAMESPACE)
        except errors.StatusError as error:
            if error.reason != "NotFound":
                raise
            await self._create(gvr, wanted({}))
            return
        made = wanted(found)
        if made != found:
            await self._client.update(gvr, made)

    async def _create(self, gvr: GroupVersionResource, obj: JSONObject) -> None:
        obj["metadata"] |= {"name": NAME, "namespace": NAMESPACE}
        try:
            await self._client.create(gvr, obj)
        except errors.StatusError as error:
            if error.reason != "NotFound":
                raise
            await namespaces.ensure_namespace(self._client, NAMESPACE)
            await self._client.create(gvr, obj)


def split(server_address: str) -> tuple[str, int]:
    """Host and port of `host:port` or `[v6]:port`. Raises ValueError."""
    host, colon, port = server_address.rpartition(":")
    if not colon or not host:
        raise ValueError(f"{server_address!r} is not host:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def service(found: JSONObject, cluster_ip: str, port: int) -> JSONObject:
    """A service keeps the address it was given; its ports and type are ours."""
    addresses: JSONObject = {
        "clusterIP": cluster_ip,
        "clusterIPs": [cluster_ip],
        "ipFamilies": [family(ipaddress.ip_address(cluster_ip))],
        "ipFamilyPolicy": "SingleStack",
        "sessionAffinity": "None",
    }
    ports = [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": port}]
    labels = {"component": "apiserver", "provider": "kubernetes"}
    made = _with_labels(found, "v1", "Service", {} if found else labels)
    return {**made, "spec": {**(found.get("spec") or addresses), "type": "ClusterIP", "ports": ports}}


def endpoints(found: JSONObject, address: IPAddress, port: int) -> JSONObject:
    made = _with_labels(found, "v1", "Endpoints", {"endpointslice.kubernetes.io/skip-mirror": "true"})
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    return {**made, "subsets": [{"addresses": [{"ip": str(address)}], "ports": ports}]}


def endpoint_slice(found: JSONObject, address: IPAddress, port: int) -> JSONObject:
    made = _with_labels(found, "discovery.k8s.io/v1", "EndpointSlice", {"kubernetes.io/service-name": NAME})
    return {
        **made,
        "addressType": family(address),
        "endpoints": [{"addresses": [str(address)], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }


def family(address: IPAddress) -> str:
    return f"IPv{address.version}"


def _with_labels(found: JSONObject, api_version: str, kind: str, labels: dict[str, str]) -> JSONObject:
    metadata = found.get("metadata") or {}
    merged = {**(metadata.get("labels") or {}), **labels}
    return {**found, "apiVersion": api_version, "kind": kind, "metadata": {**metadata, "labels": merged}}
