"""FinalizingController: takes a definition that is being deleted to its end: first its objects, then itself.

Started by `extensions/server.py`. Mirrors `apiextensions-apiserver/pkg/controller/finalizer/crd_finalizer.go`.
"""

import asyncio

from extensions.controllers.definitions import Definitions, Summary
from extensions.controllers.writing import DefinitionWriter, internal_request
from extensions.definitions import conditions
from extensions.definitions.conditions import Condition
from extensions.definitions.strategy import FINALIZER
from extensions.serving import OVERLAPPING, CustomResources
from generic.client.controller import Controller
from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.meta.selectors import FieldSelector, LabelSelector
from generic.registry.options import DeleteOptions, ListOptions
from generic.registry.store import Store
from generic.storage.cacher import Cacher
from generic.storage.watch_stream import WatchEvent
from generic.types import JSONObject

_WORKERS = 5
_LONGEST_DELAY = 30.0


def _terminating(status: str, reason: str, message: str) -> Condition:
    return Condition(conditions.TERMINATING, status, reason, message)


_IN_PROGRESS = _terminating("True", "InstanceDeletionInProgress", "CustomResource deletion is in progress")
_COMPLETED = _terminating("False", "InstanceDeletionCompleted", "removed all instances")
_NEVER = _terminating("False", "NeverEstablished", "resource was never established")
_OVERLAPPING = _terminating(
    "False", "OverlappingBuiltInResource", "instances overlap with built-in resources in storage"
)


class DeletionStuck(Exception):
    """Objects could not be deleted, or are not gone yet; `condition` says so to others."""

    def __init__(self, condition: Condition) -> None:
        super().__init__(condition.message)
        self.condition = condition


class FinalizingController:
    """Sets Terminating, deletes instances, takes the finalizer off. `patience`: seconds to wait for finalizers of
    instances before saying so and trying again."""

    def __init__(
        self, definitions: Definitions, writer: DefinitionWriter, resources: CustomResources, *, patience: float = 60.0
    ) -> None:
        self._definitions = definitions
        self._writer = writer
        self._resources = resources
        self._patience = patience
        self.controller: Controller[str] = Controller(
            "crd-finalizer", self._reconcile, workers=_WORKERS, max_delay=_LONGEST_DELAY
        )
        definitions.add_handler(self._hear)

    def _hear(self, before: Summary | None, after: Summary | None) -> None:
        # What we write ourselves while at it must not set us off again: failures come back by the queue.
        if after is not None and after.deleting and (before is None or not before.deleting):
            self.controller.enqueue(after.name)

    async def _reconcile(self, name: str) -> None:
        summary = self._definitions.get(name)
        if summary is None or not summary.deleting:
            return
        await self._say(name, _IN_PROGRESS)
        try:
            outcome = await self._clean_up(summary)
        except DeletionStuck as stuck:
            await self._say(name, stuck.condition)
            raise errors.timeout(str(stuck)) from None
        await self._say(name, outcome)
        await self._writer.change(name, _take_finalizer_off)

    async def _say(self, name: str, condition: Condition) -> None:
        await self._writer.change_status(name, lambda definition: conditions.put(definition, condition))

    async def _clean_up(self, summary: Summary) -> Condition:
        if GroupResource(summary.group, summary.wanted_names.get("plural") or "") in OVERLAPPING:
            return _OVERLAPPING
        if not summary.established:
            return _NEVER
        built = self._resources.get(summary.name)
        if built is None:
            raise DeletionStuck(_failed("could not list instances: the resource is not served"))
        await _delete_all(built.instances)
        if not await _emptied(built.instances.backing.cacher, self._patience):
            why = "could not confirm zero CustomResources remaining: timed out waiting for the condition"
            raise DeletionStuck(_terminating("True", "InstanceDeletionCheck", why))
        return _COMPLETED


def _failed(message: str) -> Condition:
    return _terminating("True", "InstanceDeletionFailed", message)


async def _delete_all(store: Store) -> None:
    gvr = store.resource.gvr
    request = internal_request("DELETE", f"{gvr.group_version.path}/{gvr.resource}")
    everything = ListOptions(labels=LabelSelector.parse(""), fields=FieldSelector.parse(""))
    try:
        await store.delete_collection(request, "", DeleteOptions(), everything)
    except errors.StatusError as error:
        raise DeletionStuck(_failed(f"could not issue all deletes: {error}")) from None


async def _emptied(cacher: Cacher, patience: float) -> bool:
    """Whether no instance is left, at the latest after `patience` seconds."""
    empty = asyncio.Event()

    def hear(event: WatchEvent) -> None:
        if event.type == "DELETED" and not cacher.peek_all():
            empty.set()

    end = cacher.subscribe(hear)
    try:
        if not cacher.peek_all():
            return True
        async with asyncio.timeout(patience):
            await empty.wait()
    except TimeoutError:
        return not cacher.peek_all()
    finally:
        end()
    return True


def _take_finalizer_off(definition: JSONObject) -> None:
    held = definition["metadata"].get("finalizers") or ()
    definition["metadata"]["finalizers"] = [name for name in held if name != FINALIZER]
