"""AutoRegister: keeps the APIServices of what the control plane itself serves.

Built-in group-versions are put right once a start, so a deleted one returns with the next; those of custom resources
always. APIServices without the label are never touched. Fed by `server.py` and `crd_registration.py`. Mirrors
`kube-aggregator/pkg/controllers/autoregister/autoregister_controller.go`, whose table of cases it follows.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator

from aggregator.apiservices import conditions, resource
from aggregator.apiservices.registration import name_of
from aggregator.priorities import Priority
from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.health import HealthCheck
from generic.meta import errors
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

LABEL = "kube-aggregator.kubernetes.io/automanaged"
ON_START = "onstart"
ALWAYS = "true"
COMPLETION_CHECK = "autoregister-completion"
_WORKERS = 5


class NotRegistered(Exception):
    """Some built-in group-versions have no available APIService yet."""


class AutoRegister:
    """`wait_complete` returns once everything that is wanted at the start has been added.

    Until then nothing is deleted for not being wanted.
    """

    def __init__(self, client: Client, apiservices: Informer, wait_complete: Callable[[], Awaitable[None]]) -> None:
        self._client = client
        self._apiservices = apiservices
        self._wait_complete = wait_complete
        self._desired: dict[str, JSONObject] = {}
        self._at_start: frozenset[str] | None = None
        self._synced: set[str] = set()
        self._pending: set[str] = set()
        self._controller: Controller[str] = Controller("autoregister", self._reconcile, workers=_WORKERS)
        apiservices.add_handler(self._changed)

    # What is wanted.

    def add_on_start(self, group_version: GroupVersion, priority: Priority) -> None:
        """Have an APIService for it; readiness waits until it is available."""
        self._pending.add(name_of(group_version))
        self._want(_apiservice(group_version, priority, ON_START))

    def add(self, group_version: GroupVersion, priority: Priority) -> None:
        """Have an APIService for it until `remove`."""
        self._want(_apiservice(group_version, priority, ALWAYS))

    def remove(self, group_version: GroupVersion) -> None:
        name = name_of(group_version)
        self._desired.pop(name, None)
        self._controller.enqueue(name)

    def _want(self, apiservice: JSONObject) -> None:
        name = apiservice["metadata"]["name"]
        self._desired[name] = apiservice
        self._controller.enqueue(name)

    # Life.

    def start(self) -> None:
        self._controller.start()

    async def stop(self) -> None:
        await self._controller.stop()

    def check(self) -> HealthCheck:
        """Fails until every built-in APIService has been seen available once."""

        async def complete() -> None:
            if self._pending:
                raise NotRegistered(f"missing APIService: {sorted(self._pending)}")

        return HealthCheck(COMPLETION_CHECK, complete)

    # Making it so.

    def _changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        seen = new or old
        if seen is None:
            return
        name = seen["metadata"]["name"]
        if new is not None and conditions.is_available(new):
            self._pending.discard(name)
        self._controller.enqueue(name)

    async def _reconcile(self, name: str) -> None:
        await self._wait_complete()
        await self._apiservices.wait_synced()
        if self._at_start is None:
            self._at_start = frozenset(one["metadata"]["name"] for one in self._apiservices.list())
        await self._sync(name, was_at_start=name in self._at_start)
        self._synced.add(name)

    async def _sync(self, name: str, *, was_at_start: bool) -> None:
        desired, current = self._desired.get(name), self._apiservices.get(name)
        once_done = name in self._synced
        if desired is not None and _managed(desired) == ON_START and once_done:
            return
        if current is None:
            if desired is not None:
                with _unless_overtaken(409):
                    await self._client.create(resource.GVR, desired)
            return
        managed = _managed(current)
        if managed not in (ON_START, ALWAYS):
            return
        if managed == ON_START and (once_done or not was_at_start):
            return
        with _unless_overtaken(404, 409):
            if desired is None:
                await self._client.delete(resource.GVR, name, uid=current["metadata"]["uid"])
            elif _said(current["spec"]) != desired["spec"]:
                await self._client.update(resource.GVR, {**current, "spec": desired["spec"]})


@contextlib.contextmanager
def _unless_overtaken(*codes: int) -> Iterator[None]:
    """Answers that say that somebody else was faster: the informer will tell, and the name comes again."""
    try:
        yield
    except errors.StatusError as error:
        if error.code not in codes:
            raise


def _apiservice(group_version: GroupVersion, priority: Priority, managed: str) -> JSONObject:
    group = {"group": group_version.group} if group_version.group else {}
    return {
        "apiVersion": str(resource.GROUP_VERSION),
        "kind": resource.KIND,
        "metadata": {"name": name_of(group_version), "labels": {LABEL: managed}},
        "spec": {
            **group,
            "version": group_version.version,
            "groupPriorityMinimum": priority.group,
            "versionPriority": priority.version,
        },
    }


def _managed(apiservice: JSONObject) -> str:
    return str((apiservice["metadata"].get("labels") or {}).get(LABEL) or "")


def _said(spec: JSONObject) -> JSONObject:
    """Without members that say nothing."""
    return {key: value for key, value in spec.items() if value not in (None, "", False)}
