"""APIExtensionsServer: the third tier. Owns apiextensions.k8s.io and every custom resource.

Built by `trikube.controlplane` on the empty delegate, before the servers that delegate to it; works alone as well.
Mirrors `apiextensions-apiserver/pkg/apiserver/apiserver.go`.

    definitions (Store, Cacher) --every change, in step--> CustomResources --> GenericServer.install / uninstall
          ^                      \\--> controllers: naming, establishing, approving, structure, finalizing
          '------ status, finalizer -------'
"""

import asyncio
import logging
from itertools import islice

from extensions.controllers.approving import ApprovalController
from extensions.controllers.definitions import Definitions
from extensions.controllers.establishing import EstablishingController
from extensions.controllers.finalizing import FinalizingController
from extensions.controllers.naming import NamingController
from extensions.controllers.structure import StructureController
from extensions.controllers.writing import DefinitionWriter
from extensions.definitions.resource import GROUP_VERSION, RESOURCE
from extensions.serving import CustomResources
from generic.client.controller import Controller
from generic.client.webhook import WebhookCaller
from generic.config import ServerConfig
from generic.delegation import DelegationTarget, Signal
from generic.endpoints.discovery.aggregated import Source
from generic.endpoints.openapi.build import document
from generic.hooks import PostStartHook
from generic.meta import errors
from generic.server import GenericServer
from generic.types import JSONObject

_LOG = logging.getLogger(__name__)
_RETRY = 1.0
"""Seconds between attempts to load the definitions at the start."""
_AT_ONCE = 20
"""Definitions installed in one go at the start, some milliseconds of work: requests are answered in between."""


class APIExtensionsServer:
    """Wraps a GenericServer; `generic` is what others delegate to.

    `grace`: seconds that requests under way may go on with how a definition was before a change; watches end after it.
    """

    def __init__(self, config: ServerConfig, delegate: DelegationTarget, *, grace: float = 1.0) -> None:
        self.generic = GenericServer(
            "extensions",
            delegate,
            discovery=config.discovery,
            discovery_source=Source.CRD,
            owns_group_versions=False,
        )
        # Custom resources may share a group-version with other servers; this one is ours alone.
        self.generic.claim(GROUP_VERSION)
        installed = config.install(RESOURCE)
        self.generic.install([installed])
        self.generic.publish_openapi(
            f"apis/{GROUP_VERSION}",
            document(GROUP_VERSION, lambda: self.generic.installed_in(GROUP_VERSION), config.types),
        )
        self._webhooks = WebhookCaller(config.loopback)
        self._resources = CustomResources(self.generic, config, self._webhooks, grace=grace)
        self._definitions = Definitions(config.backings.of(RESOURCE).cacher, self._observe)
        self._loading: dict[str, JSONObject] | None = None
        self._controllers = self._make_controllers(DefinitionWriter(installed))
        self._loaded = asyncio.Event()
        self._synced = Signal("CRDInformerHasNotSynced")
        self.generic.add_mux_complete_signal(self._synced)
        self.generic.add_post_start_hook(PostStartHook("start-apiextensions-controllers", self._start))
        self.generic.add_post_start_hook(PostStartHook("crd-informer-synced", self._wait_loaded))
        self.generic.add_pre_shutdown_hook("stop-apiextensions-controllers", self._stop_controllers)
        self.generic.add_destroyer(self._destroy)

    def _make_controllers(self, writer: DefinitionWriter) -> list[Controller[str]]:
        return [
            NamingController(self._definitions, writer).controller,
            EstablishingController(self._definitions, writer).controller,
            ApprovalController(self._definitions, writer).controller,
            StructureController(self._definitions, writer).controller,
            FinalizingController(self._definitions, writer, self._resources).controller,
        ]

    def _observe(self, name: str, definition: JSONObject | None) -> None:
        if self._loading is not None and definition is not None:
            self._loading[name] = definition
        elif definition is None:
            if self._loading is not None:
                self._loading.pop(name, None)
            self._resources.remove(name)
        else:
            self._resources.apply(definition)

    async def _start(self) -> None:
        await self._load()
        for controller in self._controllers:
            controller.start()

    async def _load(self) -> None:
        """Serve what is defined already; a storage that is not up yet is waited for."""
        while True:
            self._loading = {}
            try:
                await self._definitions.start()
                break
            except errors.StatusError as error:
                _LOG.warning("custom resource definitions cannot be loaded yet: %s", error)
                await asyncio.sleep(_RETRY)
        # Group by group: a group-version's document is made anew whenever definitions of it are installed.
        self._loading = dict(sorted(self._loading.items(), key=lambda item: item[1]["spec"]["group"]))
        while self._loading:
            batch = list(islice(self._loading, _AT_ONCE))
            self._resources.apply_all([self._loading.pop(name) for name in batch])
            await asyncio.sleep(0)
        self._loading = None
        self._loaded.set()

    async def _wait_loaded(self) -> None:
        await self._loaded.wait()
        self._synced.set()

    async def _stop_controllers(self) -> None:
        for controller in self._controllers:
            await controller.stop()

    async def _destroy(self) -> None:
        await self._stop_controllers()
        self._definitions.stop()
        await self._resources.stop()
        await self._webhooks.aclose()
