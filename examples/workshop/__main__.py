"""`python -m examples.workshop --standalone-debug-mode`: presses, reservations of them and gauges, in three ways.

A Press is scaled and has a rule that asks the main server. A Reservation has a strategy of its own: it vanishes after a
while. A Gauge has storage of its own: nothing is stored, it is measured when somebody asks.
"""

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from generic.registry.options import GetOptions, ListOptions
from generic.request.context import RequestContext
from generic.storage.cacher import ListResult
from generic.storage.objects import StoredObject
from generic.types import JSONObject
from trikube import aa

GROUP = "workshop.demo.io"
CONFIG_MAPS = aa.GroupVersionResource("", "v1", "configmaps")


class PressSpec(aa.Model):
    """PressSpec is what is wanted of a press."""

    replicas: int = 1
    """How many of them there shall be."""
    paper: str = "A4"
    """What it prints on."""


class PressStatus(aa.Model):
    """PressStatus is how a press is."""

    replicas: int = 0
    """How many of them there are."""
    selector: str = ""
    """The labels of them, as in a query."""


class Press(
    aa.Resource,
    group=GROUP,
    version="v1",
    plural="presses",
    categories=("machines",),
    subresources=("status", "scale"),
    selectable_fields=(".spec.paper",),
):
    """Press prints."""

    spec: PressSpec = PressSpec()
    """What is wanted of it."""
    status: PressStatus = PressStatus()
    """How it is."""


class Reservation(aa.Resource, group=GROUP, version="v1", categories=("machines",)):
    """Reservation keeps a press for somebody, for some seconds."""

    press: str
    """The name of the press."""
    seconds: int = 60
    """How long it is kept."""


class Vanishing(aa.Strategy):
    """Of reservations: in place of hooks of the class."""

    def ttl(self, obj: JSONObject) -> float | None:
        """The storage drops them by itself."""
        return float(obj["seconds"])

    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[aa.FieldError]:
        return [] if obj["seconds"] > 0 else [aa.fields.invalid("seconds", obj["seconds"], "must be positive")]

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[aa.FieldError]:
        return [] if obj["press"] == old["press"] else [aa.fields.forbidden("press", "may not be changed")]


class Gauge(aa.Resource, group=GROUP, version="v1", namespaced=False):
    """Gauge shows something about this process."""

    value: float = 0
    """What it shows."""


class Gauges:
    """Two methods, so two verbs: `kubectl get gauges`, and nothing else."""

    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject:
        measured = {"load": os.getloadavg()[0], "pid": os.getpid()}
        if name not in measured:
            raise aa.errors.not_found(Gauge.definition.gvr.group_resource, name)
        return aa.stored(Gauge(metadata=aa.Metadata(name=name), value=measured[name]).to_object())

    async def list(self, request: RequestContext, namespace: str, options: ListOptions) -> ListResult:
        found = [await self.get(request, namespace, name, GetOptions()) for name in ("load", "pid")]
        return ListResult(found, revision=1)


class Permits:
    """An admission plugin: there are presses only in namespaces with a ConfigMap `permit`, where a main server is."""

    name = "Permits"

    def __init__(self, setup: aa.Setup) -> None:
        self._maps = setup.informer(CONFIG_MAPS) if setup.main is not None else None

    def handles(self, attributes: aa.Attributes) -> bool:
        return attributes.operation == "CREATE" and attributes.kind == Press.definition.gvk

    async def validate(self, attributes: aa.Attributes) -> None:
        """Raises StatusError, 403."""
        if self._maps is not None and self._maps.get("permit", attributes.namespace) is None:
            why = "there is no ConfigMap permit in its namespace"
            raise aa.errors.forbidden(attributes.resource.group_resource, attributes.name, why)


class Door:
    """The state that hooks, health check and handler share."""

    def __init__(self) -> None:
        self.open = False

    async def unlock(self, setup: aa.Setup) -> None:
        """Post-start: serves what there is, through the server itself."""
        await setup.loopback.list(Press.definition.gvr)
        self.open = True

    async def lock(self) -> None:
        """Pre-shutdown."""
        self.open = False

    async def check(self) -> None:
        """Health: unwell with an exception."""
        if not self.open:
            raise RuntimeError("the door is locked")

    async def bell(self, request: Request) -> Response:
        """Any method of `/bell`."""
        return PlainTextResponse(f"{request.method}: {'come in' if self.open else 'closed'}\n")


def flags(parser: argparse.ArgumentParser) -> None:
    """Flags of our own, found again in `Options.extra`."""
    parser.add_argument("--quick", action="store_true", help="do not wait for clients when it stops")


def options(given: aa.Options) -> aa.Options:
    """What ours mean for those there are."""
    return replace(given, shutdown_drain=0.0) if getattr(given.extra, "quick", False) else given


def server() -> aa.APIServer:
    """A new one."""
    door = Door()
    return (
        aa
        .APIServer("workshop")
        .with_resource(Press)
        .with_resource(Reservation, strategy=Vanishing(), storage=aa.sqlite("reservations.db"))
        .with_resource(Gauge, storage=Gauges())
        .with_handler("/bell", door.bell)
        .with_admission(Permits)
        .with_flags(flags)
        .with_options(options)
        .with_health_check("door", door.check)
        .with_post_start_hook("unlock", door.unlock)
        .with_pre_shutdown_hook("lock", door.lock)
        .with_local_debug_extension()
    )


if __name__ == "__main__":
    server().execute()
