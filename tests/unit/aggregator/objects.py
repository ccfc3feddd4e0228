"""Stand-ins for informers, and the objects in them."""

from collections.abc import Callable
from typing import Any

from generic.types import JSONObject


class Objects:
    """What a resolver or a check reads."""

    def __init__(self, *objects: JSONObject) -> None:
        self._objects = list(objects)

    def get(self, name: str, namespace: str = "") -> JSONObject | None:
        return next((one for one in self.list(namespace) if one["metadata"]["name"] == name), None)

    def list(self, namespace: str = "") -> list[JSONObject]:
        return [one for one in self._objects if one["metadata"].get("namespace", "") == namespace]


class Informer:
    """Tells its handlers what a test says."""

    def __init__(self) -> None:
        self._handlers: list[Callable[[JSONObject | None, JSONObject | None], None]] = []

    def add_handler(self, handler: Callable[[JSONObject | None, JSONObject | None], None]) -> None:
        self._handlers.append(handler)

    def tell(self, old: JSONObject | None, new: JSONObject | None) -> None:
        for handler in self._handlers:
            handler(old, new)


class Informers:
    """What a controller of remote servers follows; the Services are known."""

    def __init__(self, apiservices: Any) -> None:
        self.apiservices = apiservices

    async def wait_synced_backends(self) -> None: ...


def service(*, ports: Any = (("https", 443),), **spec: Any) -> JSONObject:
    listed = [{"name": name, "port": port} for name, port in ports]
    return {"metadata": {"name": "api", "namespace": "default"}, "spec": {"ports": listed, **spec}}


def endpoint_slice(*addresses: str, port: tuple[str, int] = ("https", 8443), ready: bool | None = None) -> JSONObject:
    conditions = {} if ready is None else {"ready": ready}
    return {
        "metadata": {"name": "api-1", "namespace": "default", "labels": {"kubernetes.io/service-name": "api"}},
        "endpoints": [{"addresses": [address], "conditions": conditions} for address in addresses],
        "ports": [{"name": port[0], "port": port[1]}],
    }


def endpoints(*addresses: str) -> JSONObject:
    subset = {"addresses": [{"ip": address} for address in addresses], "ports": [{"name": "https", "port": 9443}]}
    return {"metadata": {"name": "api", "namespace": "default"}, "subsets": [subset]}


def apiservice(
    group: str, version: str = "v1", *, priorities: tuple[int, int] = (1000, 100), **spec: Any
) -> JSONObject:
    group_priority, version_priority = priorities
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": f"{version}.{group}"},
        "spec": {
            "group": group,
            "version": version,
            "groupPriorityMinimum": group_priority,
            "versionPriority": version_priority,
            **spec,
        },
    }


SERVICE = {"namespace": "default", "name": "api", "port": 443}
