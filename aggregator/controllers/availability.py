"""AvailabilityController: finds out whether each APIService can be used, and writes it into its status.

Started by `server.py`. Looks when an APIService, its Service or what is behind it changes, every half minute, and soon
after the proxy was let down or had to turn somebody away, which Kubernetes does not. Mirrors
`kube-aggregator/pkg/controllers/status/{local,remote}`.
"""

import asyncio
import logging
import random
from collections import defaultdict

from aggregator.apiservices import conditions, resource
from aggregator.apiservices.registration import Registration
from aggregator.controllers import availability_checks
from aggregator.controllers.backoff import Backoff
from aggregator.informers import Informers
from aggregator.metrics import AggregatorMetrics
from aggregator.proxy.fetching import Fetcher
from generic.client.controller import Controller
from generic.client.resolving import SERVICE_NAME_LABEL
from generic.client.rest import Client
from generic.types import JSONObject

REMOTE = "apiservice-status-remote-available-controller"
LOCAL = "apiservice-status-local-available-controller"
RESYNC_SECONDS = 30.0
_FIRST_DELAY = 0.005
_RECHECK_SECONDS = 1.0
_WORKERS = 10

_LOG = logging.getLogger(__name__)


class AvailabilityController:
    """Two queues: a server that takes five seconds to say nothing must not keep the local ones waiting."""

    def __init__(self, client: Client, informers: Informers, fetcher: Fetcher, *, metrics: AggregatorMetrics) -> None:
        self._client = client
        self._informers = informers
        self._fetcher = fetcher
        self._metrics = metrics
        self._by_service: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._checked: dict[str, float] = {}
        self._backoff = Backoff(first=_FIRST_DELAY, most=RESYNC_SECONDS)
        self._written: dict[str, JSONObject] = {}
        self._remote: Controller[str] = Controller(REMOTE, self._check, workers=_WORKERS, max_delay=RESYNC_SECONDS)
        self._local: Controller[str] = Controller(LOCAL, self._mark_local, max_delay=RESYNC_SECONDS)
        informers.apiservices.add_handler(self._apiservice_changed)
        informers.services.add_handler(self._service_changed)
        informers.endpoints.add_handler(self._service_changed)
        informers.endpoint_slices.add_handler(self._slice_changed)

    def start_local(self) -> None:
        self._local.start()

    def start_remote(self) -> None:
        self._remote.start()

    async def stop(self) -> None:
        await asyncio.gather(self._local.stop(), self._remote.stop())

    def recheck_all(self) -> None:
        """All servers may look at us otherwise now."""
        for names in self._by_service.values():
            for name in names:
                self._remote.enqueue(name)

    def recheck(self, name: str) -> None:
        """Somebody was just let down by this APIService, or turned away: look again, at most once a second."""
        since = asyncio.get_running_loop().time() - self._checked.get(name, float("-inf"))
        self._remote.enqueue_after(name, max(0.0, _RECHECK_SECONDS - since))

    # What happened.

    def _apiservice_changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        was, now = (None if one is None else Registration.of(one) for one in (old, new))
        if was is not None and was.service is not None:
            self._by_service[was.service.namespace, was.service.name].discard(was.name)
        if now is None:
            if was is not None:
                self._checked.pop(was.name, None)
                self._backoff.forget(was.name)
                self._written.pop(was.name, None)
            return
        if now.service is not None:
            self._by_service[now.service.namespace, now.service.name].add(now.name)
        if now.service is None:
            self._local.enqueue(now.name)
        elif old is None or new is None or old.get("spec") != new.get("spec"):
            self._remote.enqueue(now.name)
        elif new != self._written.get(now.name):
            # Somebody else has changed the status. Another replica may see things in another way, so not at once.
            self.recheck(now.name)

    def _service_changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        metadata = (new or old or {})["metadata"]
        self._enqueue_behind(metadata.get("namespace") or "", metadata["name"])

    def _slice_changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        for one in (old, new):
            if one is not None:
                service = (one["metadata"].get("labels") or {}).get(SERVICE_NAME_LABEL) or ""
                self._enqueue_behind(one["metadata"].get("namespace") or "", service)

    def _enqueue_behind(self, namespace: str, service: str) -> None:
        for name in self._by_service.get((namespace, service), ()):
            self._remote.enqueue(name)

    # What to do about it.

    async def _mark_local(self, name: str) -> None:
        apiservice = self._newest(name)
        if apiservice is not None and apiservice["spec"].get("service") is None:
            await self._write(apiservice, conditions.LOCAL)

    async def _check(self, name: str) -> None:
        informers = self._informers
        await informers.wait_synced_backends()
        apiservice = self._newest(name)
        if apiservice is None or apiservice["spec"].get("service") is None:
            return
        condition = await availability_checks.check(
            Registration.of(apiservice),
            self._fetcher,
            services=informers.services,
            slices=informers.endpoint_slices,
            endpoints=informers.endpoints,
        )
        self._checked[name] = asyncio.get_running_loop().time()
        self._remote.enqueue_after(name, self._patience(name, condition))
        if await self._write(apiservice, condition):
            # What befell its server befell the other versions it serves.
            for other in self._behind(apiservice) - {name}:
                self.recheck(other)

    def _newest(self, name: str) -> JSONObject | None:
        """The APIService as it is now: the informer is not always told yet of what we wrote last."""
        found, written = self._informers.apiservices.get(name), self._written.get(name)
        if found is None or written is None or found["metadata"]["uid"] != written["metadata"]["uid"]:
            return found
        return max(found, written, key=lambda one: int(one["metadata"]["resourceVersion"]))

    def _patience(self, name: str, condition: conditions.Condition) -> float:
        """Seconds until the next look. Of a server that does not answer nobody tells us when it is back."""
        if condition.reason == "FailedDiscoveryCheck":
            return self._backoff.failed(name)
        self._backoff.forget(name)
        # Not all at the same moment.
        return RESYNC_SECONDS * random.uniform(0.9, 1.1)

    def _behind(self, apiservice: JSONObject) -> set[str]:
        """The APIServices with the same Service."""
        service = apiservice["spec"]["service"]
        return self._by_service.get((service.get("namespace") or "", service.get("name") or ""), set())

    async def _write(self, apiservice: JSONObject, condition: conditions.Condition) -> bool:
        """Put the condition into the status. True if it is available now and was not, or the other way round."""
        status = conditions.status_with(apiservice, condition)
        if status is None:
            return False
        written = await self._client.update_status(resource.GVR, {**apiservice, "status": status})
        self._written[written["metadata"]["name"]] = written
        name, held = apiservice["metadata"]["name"], conditions.find(apiservice) or {}
        if held.get("status") == "True" != condition.status:
            self._metrics.became_unavailable(name, condition.reason)
        _LOG.info("APIService %s: available %s (%s): %s", name, condition.status, condition.reason, condition.message)
        return held.get("status") != condition.status
