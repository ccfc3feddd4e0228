"""What makes the aggregator send a group to an API server beside the cluster: Service, EndpointSlice, APIService.

Called by `plane.ControlPlane.register_aa` and `trikube boot run local`. The Service has no selector: the server is a
process, not a pod, so its address is given by the EndpointSlice.
"""

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from generic.types import JSONObject
from trikube.testing.errors import ControlPlaneError


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """An API server of a group. `ca` (PEM) has signed its serving certificate for `server_name`."""

    group: str
    versions: Sequence[str]
    """The preferred one first."""
    port: int
    ca: bytes
    address: str = "127.0.0.1"
    service: str = "api"
    namespace: str = "default"
    group_priority: int = 1000

    @property
    def server_name(self) -> str:
        """What the aggregator asks for, whatever address it dials."""
        return f"{self.service}.{self.namespace}.svc"

    @property
    def api_services(self) -> list[str]:
        """The names of its APIServices."""
        return [f"{version}.{self.group}" for version in self.versions]

    def objects(self) -> list[JSONObject]:
        """To apply, in order. Raises ControlPlaneError if the address is none."""
        try:
            family = ipaddress.ip_address(self.address).version
        except ValueError as error:
            raise ControlPlaneError(f"the API server's address must be an IP address: {error}") from error
        where = {"name": self.service, "namespace": self.namespace}
        port = {"name": "https", "protocol": "TCP"}
        service: JSONObject = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": where,
            "spec": {"ports": [{**port, "port": 443, "targetPort": self.port}]},
        }
        endpoints: JSONObject = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**where, "labels": {"kubernetes.io/service-name": self.service}},
            "addressType": f"IPv{family}",
            "ports": [{**port, "port": self.port}],
            "endpoints": [{"addresses": [self.address], "conditions": {"ready": True}}],
        }
        return [service, endpoints, *(self._api_service(at) for at in range(len(self.versions)))]

    def _api_service(self, at: int) -> JSONObject:
        return {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": self.api_services[at]},
            "spec": {
                "group": self.group,
                "version": self.versions[at],
                "groupPriorityMinimum": self.group_priority,
                "versionPriority": 10 + len(self.versions) - at,
                "caBundle": base64.b64encode(self.ca).decode(),
                "service": {"name": self.service, "namespace": self.namespace, "port": 443},
            },
        }
