"""RegistrationController: puts what each APIService says into the routing table and the mux, at once.

Started by `server.py`; requests are refused with 503 instead of 404 until it has seen every APIService there is. There
is nothing to retry, so there is no queue. Mirrors `kube-aggregator/pkg/apiserver/{apiservice_controller,apiserver}.go`.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from aggregator.apiservices import resource
from aggregator.apiservices.registration import Registration
from aggregator.routes import RoutingTable
from generic.client.informer import Informer
from generic.delegation import Signal
from generic.mux import PathMux
from generic.types import ASGIApp, JSONObject

NAME = "apiservice-registration-controller"

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RouteMakers:
    """The handlers to put into the mux. `forget` is told of APIServices that are no longer remote."""

    proxy: Callable[[str], ASGIApp]
    """By the name of an APIService."""
    group: Callable[[str], ASGIApp]
    """By the name of a group."""
    forget: Callable[[str], None]


class RegistrationController:
    """Paths of remote APIServices and of groups come and go with them; local ones need no path, the delegate has it."""

    def __init__(self, apiservices: Informer, table: RoutingTable, mux: PathMux, makers: RouteMakers) -> None:
        self.initiated = Signal("APIServiceRegistrationControllerInitiated")
        self._apiservices = apiservices
        self._table = table
        self._mux = mux
        self._makers = makers
        self._proxied: dict[str, str] = {}
        apiservices.add_handler(self._changed)

    async def run(self) -> None:
        """Return when every APIService there was at the start has its routes."""
        await self._apiservices.wait_synced()
        self.initiated.set()

    def _changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is not None:
            self._put(Registration.of(new))
        elif old is not None:
            self._remove(Registration.of(old))

    def _put(self, registration: Registration) -> None:
        # The table first: a handler finds what it stands for from its first request on.
        self._table.put(registration)
        if registration.service is None:
            self._unroute(registration.name)
        else:
            self._route(registration)
        group, path = registration.group_version.group, f"/apis/{registration.group_version.group}"
        if group and group != resource.GROUP_VERSION.group and self._mux.find_exact(path) is None:
            handler = self._makers.group(group)
            self._mux.handle(path, handler)
            self._mux.handle(f"{path}/", handler)

    def _remove(self, registration: Registration) -> None:
        self._unroute(registration.name)
        self._table.remove(registration.name)
        group = registration.group_version.group
        if group != resource.GROUP_VERSION.group and not self._table.group(group):
            self._mux.unhandle(f"/apis/{group}")
            self._mux.unhandle(f"/apis/{group}/")

    def _route(self, registration: Registration) -> None:
        name, path = registration.name, registration.path
        if name in self._proxied:
            return
        if self._mux.find_exact(path) is not None:
            _LOG.warning("APIService %s is not proxied: this server itself answers %s", name, path)
            return
        handler = self._makers.proxy(name)
        self._mux.handle(path, handler)
        self._mux.handle_prefix(f"{path}/", handler)
        self._proxied[name] = path

    def _unroute(self, name: str) -> None:
        path = self._proxied.pop(name, None)
        if path is not None:
            self._mux.unhandle(path)
            self._mux.unhandle(f"{path}/")
            self._makers.forget(name)
