"""Plan: what a builder was told, and Setup: what the author's own functions get to work with.

Filled by `builder.py`, carried out by `server.py` and `run.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from generic.admission.interface import AdmissionPlugin
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.hooks import PreShutdownHook
from generic.meta.gvk import GroupVersionResource
from generic.paths import Endpoint
from generic.registry.strategy import Strategy
from generic.server import GenericServer
from trikube.aa.options import FlagsFunction, Options, OptionsError, OptionsFunction
from trikube.aa.resource import Resource


@dataclass(slots=True)
class Setup:
    """Given to admission factories and post-start hooks. `loopback` reaches this server as its own system:apiserver.

    `main` reaches the main server; None in standalone debug mode.
    """

    options: Options
    loopback: Client
    main: Client | None
    informers: list[Informer] = field(default_factory=list)
    own_informers: list[Informer] = field(default_factory=list)
    started: bool = False
    """The server is about to listen: what is asked for from now on is followed at once."""

    def informer(self, gvr: GroupVersionResource, *, namespace: str = "") -> Informer:
        """A copy of what the main server has of a resource, kept up to date while this server runs.

        The server is not ready while one is incomplete. Raises OptionsError without a main server.
        """
        if self.main is None:
            raise OptionsError(f"an informer of {gvr.resource} needs a main server: there is none in debug mode")
        return self._follow(self.informers, Informer(self.main, gvr, namespace=namespace))

    def own_informer(self, gvr: GroupVersionResource, *, namespace: str = "") -> Informer:
        """The same of a resource this server serves itself."""
        return self._follow(self.own_informers, Informer(self.loopback, gvr, namespace=namespace))

    async def stop_own_informers(self) -> None:
        """They know what they know, and follow no longer. Idempotent."""
        for each in self.own_informers:
            await each.stop()

    def _follow(self, followed: list[Informer], made: Informer) -> Informer:
        followed.append(made)
        if self.started:
            made.start()
        return made


AdmissionFactory = Callable[[Setup], AdmissionPlugin]
PostStart = Callable[[Setup], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Served:
    """A class and what the author said of how to serve it. `storage`: a StorageChoice, NOT_STORED or REST storage."""

    cls: type[Resource]
    strategy: Strategy | None = None
    storage: Any = None


@dataclass(slots=True)
class Plan:
    """Everything a server is made of, beside its options."""

    name: str
    resources: list[Served] = field(default_factory=list)
    handlers: list[tuple[str, Endpoint]] = field(default_factory=list)
    admission: list[AdmissionFactory] = field(default_factory=list)
    flags: list[FlagsFunction] = field(default_factory=list)
    options: list[OptionsFunction] = field(default_factory=list)
    servers: list[Callable[[GenericServer], object]] = field(default_factory=list)
    health: list[tuple[str, Callable[[], Awaitable[None]]]] = field(default_factory=list)
    post_start: list[tuple[str, PostStart]] = field(default_factory=list)
    pre_shutdown: list[tuple[str, PreShutdownHook]] = field(default_factory=list)
    authorization: bool = True
    local_debug: bool = False
