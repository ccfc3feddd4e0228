"""What has to be asked of a node: logs, exec, attach, port-forward and the proxies.

Made by `subresources.py`. This server has no way to a kubelet or into the network of pods, so each answers as
kube-apiserver does where there is no node to ask, and with 503 where there would be one. Mirrors
`pkg/registry/core/{pod,node,service}` ResourceLocation and `pkg/registry/core/pod/rest`.
"""

from urllib.parse import parse_qs

from generic.endpoints import responses
from generic.meta import errors
from generic.registry.options import GetOptions
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.types import JSONObject, Receive, Scope, Send

_PROXIED = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STREAMED = frozenset({"GET", "POST"})


class PodConnection:
    """`exec`, `attach` and `portforward`; with a container to choose where `chooses_container` says so."""

    def __init__(self, pods: Store, nodes: Store, *, chooses_container: bool) -> None:
        self._pods = pods
        self._nodes = nodes
        self._chooses_container = chooses_container

    @property
    def connect_methods(self) -> frozenset[str]:
        return _STREAMED

    async def connect(
        self, request: RequestContext, namespace: str, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Raises StatusError, always."""
        pod = (await self._pods.get(request, namespace, name, GetOptions())).decoded()
        if self._chooses_container:
            _check_container(pod, scope)
        node = pod["spec"].get("nodeName")
        if not node:
            raise errors.bad_request(f"pod {name} does not have a host assigned")
        raise await _unreachable_node(self._nodes, request, node)


class PodLog:
    """`log`: empty as long as there is no node that could have written one."""

    def __init__(self, pods: Store, nodes: Store) -> None:
        self._pods = pods
        self._nodes = nodes

    @property
    def connect_methods(self) -> frozenset[str]:
        return frozenset({"GET"})

    async def connect(
        self, request: RequestContext, namespace: str, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        pod = (await self._pods.get(request, namespace, name, GetOptions())).decoded()
        _check_container(pod, scope)
        node = pod["spec"].get("nodeName")
        if node:
            raise await _unreachable_node(self._nodes, request, node)
        await responses.send_bytes(scope, send, b"", status=204)


class PodProxy:
    """`pods/proxy`."""

    def __init__(self, pods: Store) -> None:
        self._pods = pods

    @property
    def connect_methods(self) -> frozenset[str]:
        return _PROXIED

    async def connect(
        self, request: RequestContext, namespace: str, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Raises StatusError, always."""
        pod = (await self._pods.get(request, namespace, _middle(name), GetOptions())).decoded()
        if not (pod.get("status") or {}).get("podIP"):
            raise errors.bad_request("address not allowed")
        raise errors.service_unavailable(f"pod {name} cannot be reached: this server is not in the pod network")


class ServiceProxy:
    """`services/proxy`."""

    def __init__(self, services: Store, endpoints: Store) -> None:
        self._services = services
        self._endpoints = endpoints

    @property
    def connect_methods(self) -> frozenset[str]:
        return _PROXIED

    async def connect(
        self, request: RequestContext, namespace: str, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Raises StatusError, always."""
        service = _middle(name)
        await self._services.get(request, namespace, service, GetOptions())
        found = await self._endpoints.backing.cacher.get(namespace, service)
        subsets = (found.decoded().get("subsets") or ()) if found is not None else ()
        if not any(subset.get("addresses") for subset in subsets):
            raise errors.service_unavailable(f'no endpoints available for service "{name}"')
        raise errors.service_unavailable(f"service {service} cannot be reached: this server is not in the pod network")


class NodeProxy:
    """`nodes/proxy`."""

    def __init__(self, nodes: Store) -> None:
        self._nodes = nodes

    @property
    def connect_methods(self) -> frozenset[str]:
        return _PROXIED

    async def connect(
        self, request: RequestContext, namespace: str, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Raises StatusError, always."""
        raise await _unreachable_node(self._nodes, request, _middle(name))


async def _unreachable_node(nodes: Store, request: RequestContext, name: str) -> errors.StatusError:
    """Why there is no way to the kubelet of a node. Raises 404 if there is no such node."""
    found = (await nodes.get(request, "", name, GetOptions())).decoded()
    addresses = (found.get("status") or {}).get("addresses") or []
    if not addresses:
        return errors.StatusError(500, "", "no preferred addresses found; known addresses: []")
    return errors.service_unavailable(f"error dialing backend: this server does not connect to the kubelet of {name}")


def _check_container(pod: JSONObject, scope: Scope) -> None:
    """Raises 400 if it is not said which of several containers is meant, or one that is not there."""
    asked = parse_qs(scope["query_string"].decode("latin-1")).get("container", [""])[0]
    spec, name = pod["spec"], pod["metadata"]["name"]
    keys = ("containers", "initContainers", "ephemeralContainers")
    names = [container["name"] for key in keys for container in spec.get(key) or ()]
    if asked:
        if asked not in names:
            raise errors.bad_request(f"container {asked} is not valid for pod {name}")
    elif len(spec.get("containers") or ()) > 1:
        mains = " ".join(container["name"] for container in spec["containers"])
        inits = " ".join(container["name"] for container in spec.get("initContainers") or ())
        why = f"a container name must be specified for pod {name}, choose one of: [{mains}]"
        raise errors.bad_request(f"{why} or one of the init containers: [{inits}]" if inits else why)


def _middle(name: str) -> str:
    """The name in `scheme:name:port`."""
    parts = name.split(":")
    return parts[1] if len(parts) == 3 else parts[0]
