"""DiscoveryController: the group-versions of remote servers in the aggregated discovery document.

Started by `server.py`. Fetches beside the requests, when an APIService changes and every minute, once for all versions
that a server has; one that does not answer has no resources, and is marked stale. Also orders every group-version as
its APIService says. Mirrors `kube-aggregator/pkg/apiserver/handler_discovery.go` and KEP-3352.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from aggregator.apiservices.registration import Registration
from aggregator.controllers import discovery_documents
from aggregator.controllers.availability_checks import OURSELVES
from aggregator.controllers.backoff import Backoff
from aggregator.controllers.discovery_documents import Resources
from aggregator.informers import Informers
from aggregator.proxy.fetching import Fetched, Fetcher, FetchError
from generic.client.controller import Controller
from generic.client.resolving import ServiceReference
from generic.endpoints.discovery.aggregated import DiscoveryManager, Entry, Source
from generic.meta import untrusted
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

NAME = "apiservice-discovery-controller"
REFRESH_SECONDS = 60.0
_FIRST_DELAY = 0.5
_WORKERS = 5

AGGREGATED = "as=APIGroupDiscoveryList"
ACCEPT = ",".join(f"application/json;g=apidiscovery.k8s.io;v={version};{AGGREGATED}" for version in ("v2", "v2beta1"))

_Server = tuple[ServiceReference | None, str, bool]
"""Its Service, and how it is trusted."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """What a server said last of the group-versions it is registered for, under which ETag, and when it was asked."""

    listed: Mapping[GroupVersion, Resources]
    etag: str
    asked_at: float


class DiscoveryController:
    """Keeps the entries of Source.AGGREGATOR."""

    def __init__(self, informers: Informers, fetcher: Fetcher, manager: DiscoveryManager) -> None:
        self._informers = informers
        self._fetcher = fetcher
        self._manager = manager
        self._remote: dict[str, Registration] = {}
        self._held: dict[_Server, _Held] = {}
        self._outdated_at: dict[str, float] = {}
        self._backoff = Backoff(first=_FIRST_DELAY, most=REFRESH_SECONDS)
        self._controller: Controller[str] = Controller(NAME, self._refresh, workers=_WORKERS)
        informers.apiservices.add_handler(self._changed)

    async def run(self) -> None:
        """Start; return when every remote group-version there is now is in the document, if only as stale."""
        await self._informers.apiservices.wait_synced()
        # What fails here is tried again, and told of, by the controller.
        await asyncio.gather(*(self._refresh(name) for name in list(self._remote)), return_exceptions=True)
        self._controller.start()

    async def stop(self) -> None:
        await self._controller.stop()

    def refresh_all(self) -> None:
        """Ask every server again: it may answer otherwise now."""
        for name in self._remote:
            self._outdate(name)

    def _outdate(self, name: str) -> None:
        self._outdated_at[name] = time.monotonic()
        self._controller.enqueue(name)

    def _changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        if new is not None:
            now = Registration.of(new)
            self._manager.set_priorities(
                now.group_version, group_priority=now.group_priority, version_priority=now.version_priority
            )
            if now.service is not None:
                self._remote[now.name] = now
                self._drop_unused()
                self._outdate(now.name)
                return
        if old is not None:
            was = Registration.of(old)
            self._remote.pop(was.name, None)
            self._outdated_at.pop(was.name, None)
            self._backoff.forget(was.name)
            self._drop_unused()
            self._manager.remove(was.group_version, Source.AGGREGATOR)

    def _drop_unused(self) -> None:
        for server in self._held.keys() - {_server(one) for one in self._remote.values()}:
            del self._held[server]

    async def _refresh(self, name: str) -> None:
        await self._informers.wait_synced_backends()
        asked = self._remote.get(name)
        if asked is None:
            return
        resources: Resources = ()
        fresh = True
        try:
            resources = await self._fetch(asked)
        except (FetchError, ValueError) as error:
            _LOG.info("discovery of %s is stale: %s", asked.group_version, error)
            fresh = False
        now = self._remote.get(name)
        if now is None:
            # Gone, or local, in the meantime.
            return
        self._manager.put(
            Entry(
                now.group_version,
                resources,
                Source.AGGREGATOR,
                group_priority=now.group_priority,
                version_priority=now.version_priority,
                fresh=fresh,
            )
        )
        if fresh:
            self._backoff.forget(name)
        self._controller.enqueue_after(name, REFRESH_SECONDS if fresh else self._backoff.failed(name))

    async def _fetch(self, asked: Registration) -> Resources:
        """Raises FetchError, ValueError."""
        server, group_version, now = _server(asked), asked.group_version, time.monotonic()
        held = self._held.get(server)
        if held is not None and group_version not in held.listed:
            held = None
        if held is not None and held.asked_at > self._outdated_at[asked.name]:
            # On behalf of another version of the same server.
            self._outdated_at[asked.name] = now
            return held.listed[group_version]
        more = {"accept": ACCEPT} | ({"if-none-match": held.etag} if held is not None and held.etag else {})
        answer = await self._fetcher.get(asked, "/apis", user=OURSELVES, more=more)
        if answer.status == 503:
            raise _bad_status(answer)
        if answer.status == 304 and held is not None:
            listed, etag = held.listed, held.etag
        elif answer.status == 200 and AGGREGATED in answer.headers.get("content-type", ""):
            listed, etag = self._listed(answer, asked), answer.headers.get("etag", "")
        else:
            return await self._fetch_legacy(asked)
        if self._remote.get(asked.name) == asked:
            self._held[server] = _Held(listed, etag, now)
            self._outdated_at[asked.name] = max(now, self._outdated_at[asked.name])
        return listed[group_version]

    def _listed(self, answer: Fetched, asked: Registration) -> Mapping[GroupVersion, Resources]:
        """What the document says of this version and of the others of its server. Raises ValueError."""
        document = untrusted.decoded(answer.body)
        listed = {asked.group_version: discovery_documents.aggregated(document, asked.group_version)}
        for one in self._remote.values():
            if _server(one) == _server(asked):
                with contextlib.suppress(ValueError):
                    listed[one.group_version] = discovery_documents.aggregated(document, one.group_version)
        return listed

    async def _fetch_legacy(self, asked: Registration) -> Resources:
        """Of a server that does not know the aggregated form: of this one version, so nothing is kept for others."""
        answer = await self._fetcher.get(
            asked, asked.discovery_path, user=OURSELVES, more={"accept": "application/json"}
        )
        if answer.status != 200:
            raise _bad_status(answer)
        return discovery_documents.legacy(untrusted.decoded(answer.body))


def _server(registration: Registration) -> _Server:
    return registration.service, registration.ca_bundle, registration.insecure


def _bad_status(answer: Fetched) -> FetchError:
    return FetchError(f"bad status from {answer.url}: {answer.status}", answer.url)
