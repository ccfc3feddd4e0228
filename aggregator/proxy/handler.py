"""ProxyHandler: answers everything below a remote group-version by asking the server behind its APIService.

One for each remote APIService, put into the mux by the registration controller. Reads as a list of refusals, then the
proxy, which is an `Exchange`. Mirrors `kube-aggregator/pkg/apiserver/handler_proxy.go`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from aggregator.proxy import headers
from aggregator.proxy.backends import Backends
from aggregator.proxy.exchange import DISCOVERY_SECONDS, Exchange, refuse
from aggregator.routes import RoutingTable
from generic.delegation import DelegationTarget
from generic.meta import errors
from generic.request import context
from generic.request.info import RequestInfo
from generic.types import Receive, Scope, Send

_DISCOVERY_PARTS = 3
"""`/apis/<group>/<version>`."""
_MOST_HOPS = 16
"""Proxies a request may have come through. An APIService whose Service is this server would never end."""


@dataclass(frozen=True, slots=True)
class ProxyTools:
    """What all handlers share. `on_refused` is told which APIService somebody has just asked in vain.

    `redirects`: servers may send clients elsewhere.
    """

    table: RoutingTable
    backends: Backends
    delegate: DelegationTarget
    on_refused: Callable[[str], None]
    redirects: bool = False


class ProxyHandler:
    """The proxy of one APIService, by name: what that says is looked up at each request."""

    def __init__(self, name: str, tools: ProxyTools) -> None:
        self._name = name
        self._tools = tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        registration = self._tools.table.get(self._name)
        if registration is None or registration.service is None:
            await self._tools.delegate(scope, receive, send)
            return
        request = context.ensure(scope)
        request.trace.add("aggregator", f"proxy:{self._name}")
        if not registration.available:
            self._tools.on_refused(self._name)
            await refuse(scope, send, "service unavailable", status=503)
            return
        if request.user is None:
            await refuse(scope, send, "missing user", status=500)
            return
        if request.initialized is not None:
            request.initialized()
        if headers.hops(scope) > _MOST_HOPS:
            raise errors.StatusError(508, "LoopDetected", f"APIService {self._name} leads back to this server")
        exchange = Exchange(
            partial(self._tools.backends.answer, registration),
            headers.identity(request.user),
            patience=DISCOVERY_SECONDS if _is_discovery(request.info) else None,
            redirects=self._tools.redirects,
            on_unreachable=partial(self._tools.on_refused, self._name),
        )
        await exchange.run(scope, receive, send)


def _is_discovery(info: RequestInfo) -> bool:
    return not info.is_resource_request and len(info.path.strip("/").split("/")) == _DISCOVERY_PARTS
