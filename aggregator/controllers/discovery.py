"""DiscoveryController: the group-versions of remote servers in the aggregated discovery document.

Started by `server.py`. Fetches beside the requests, when an APIService changes and every minute; a server that does not
answer leaves what it said last, marked stale. Also orders every group-version as its APIService says. Mirrors
`kube-aggregator/pkg/apiserver/handler_discovery.go` and KEP-3352.
"""

import logging
from dataclasses import dataclass

from aggregator.apiservices.registration import Registration
from aggregator.controllers import discovery_documents
from aggregator.controllers.availability_checks import OURSELVES
from aggregator.proxy.fetching import Fetcher, FetchError
from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.endpoints.discovery.aggregated import DiscoveryManager, Entry, Source
from generic.types import JSONObject

NAME = "apiservice-discovery-controller"
REFRESH_SECONDS = 60.0
_WORKERS = 5

AGGREGATED = "as=APIGroupDiscoveryList"
ACCEPT = ",".join(f"application/json;g=apidiscovery.k8s.io;v={version};{AGGREGATED}" for version in ("v2", "v2beta1"))

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """What a server said last, and the ETag it said it under."""

    resources: discovery_documents.Resources = ()
    etag: str = ""


class DiscoveryController:
    """Keeps the entries of Source.AGGREGATOR."""

    def __init__(self, apiservices: Informer, fetcher: Fetcher, manager: DiscoveryManager) -> None:
        self._apiservices = apiservices
        self._fetcher = fetcher
        self._manager = manager
        self._held: dict[str, _Held] = {}
        self._controller: Controller[str] = Controller(NAME, self._refresh, workers=_WORKERS)
        apiservices.add_handler(self._changed)

    def start(self) -> None:
        self._controller.start()

    async def stop(self) -> None:
        await self._controller.stop()

    def _changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is not None:
            now = Registration.of(new)
            self._manager.set_priorities(
                now.group_version, group_priority=now.group_priority, version_priority=now.version_priority
            )
            if now.service is not None:
                self._controller.enqueue(now.name)
                return
        if old is not None:
            was = Registration.of(old)
            self._held.pop(was.name, None)
            self._manager.remove(was.group_version, Source.AGGREGATOR)

    async def _refresh(self, name: str) -> None:
        asked = self._registration(name)
        if asked is None:
            return
        self._controller.enqueue_after(name, REFRESH_SECONDS)
        held = self._held.get(name, _Held())
        try:
            held, fresh = await self._fetch(asked, held), True
        except (FetchError, ValueError) as error:
            _LOG.info("discovery of %s is stale: %s", asked.group_version, error)
            fresh = False
        if self._registration(name) is None:
            # Gone, or local, in the meantime.
            return
        self._held[name] = held
        self._manager.put(
            Entry(
                asked.group_version,
                held.resources,
                Source.AGGREGATOR,
                group_priority=asked.group_priority,
                version_priority=asked.version_priority,
                fresh=fresh,
            )
        )

    def _registration(self, name: str) -> Registration | None:
        """The APIService as it is now, if it is remote."""
        found = self._apiservices.get(name)
        registration = None if found is None else Registration.of(found)
        return registration if registration is not None and registration.service is not None else None

    async def _fetch(self, asked: Registration, held: _Held) -> _Held:
        """Raises FetchError, ValueError."""
        more = {"accept": ACCEPT} | ({"if-none-match": held.etag} if held.etag else {})
        answer = await self._fetcher.get(asked, "/apis", user=OURSELVES, more=more)
        if answer.status == 304 and held.etag:
            return held
        if answer.status == 200 and AGGREGATED in answer.headers.get("content-type", ""):
            found = discovery_documents.aggregated(answer.body, asked.group_version)
            return _Held(found, answer.headers.get("etag", ""))
        # It does not know the aggregated form.
        answer = await self._fetcher.get(
            asked, asked.discovery_path, user=OURSELVES, more={"accept": "application/json"}
        )
        if answer.status != 200:
            raise FetchError(f"bad status from {answer.url}: {answer.status}", answer.url)
        return _Held(discovery_documents.legacy(answer.body, asked.group_version))
