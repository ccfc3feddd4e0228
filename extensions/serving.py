"""CustomResources: what the definitions define, served as they come, change and go.

Told of every change by the cache of definitions, in step with it: a definition that reads Established is served.
Called by `server.py`; the finalizing controller asks it for the instances. Mirrors crdHandler of
`apiextensions-apiserver/pkg/apiserver/customresource_handler.go` and its discovery and OpenAPI controllers.
"""

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

import orjson

from extensions.custom_resources import build
from extensions.custom_resources.build import Built
from extensions.definitions import conditions
from extensions.definitions.resource import DEFINITIONS
from generic.client.webhook import WebhookCaller
from generic.config import ServerConfig
from generic.endpoints.openapi.build import document
from generic.meta.gvk import GroupResource, GroupVersion
from generic.registry.write_path import Backing
from generic.server import GenericServer
from generic.types import JSONObject

_LOG = logging.getLogger(__name__)

OVERLAPPING = frozenset({
    DEFINITIONS.group_resource,
    GroupResource("apiregistration.k8s.io", "apiservices"),
})
"""Built-in resources that a definition's objects would share their place in storage with."""


@dataclass(frozen=True, slots=True)
class _Served:
    built: Built
    shape: bytes
    """Stands for everything that decides how objects are stored and shown."""
    terminating: bool

    @property
    def group_versions(self) -> list[GroupVersion]:
        return [entry.resource.group_version for entry in self.built.installed]


class CustomResources:
    """Installs into `server`. `grace`: seconds that requests under way may still use a cache that is being replaced."""

    def __init__(self, server: GenericServer, config: ServerConfig, webhooks: WebhookCaller, *, grace: float) -> None:
        self._server = server
        self._config = config
        self._webhooks = webhooks
        self._grace = grace
        self._served: dict[str, _Served] = {}
        self._retiring: dict[asyncio.Task[None], Backing] = {}

    def get(self, name: str) -> Built | None:
        """What the definition of that name defines, if it is established."""
        served = self._served.get(name)
        return served.built if served is not None else None

    def apply(self, definition: JSONObject) -> None:
        """Serve what the definition says now."""
        self.apply_all([definition])

    def apply_all(self, definitions: Iterable[JSONObject]) -> None:
        """`apply` of many at once, at the price of one discovery document per group-version."""
        before = dict(self._served)
        for definition in definitions:
            try:
                self._put(definition)
            except Exception:  # one that somebody wrote past our validation must not keep the others from being served
                _LOG.exception("%s cannot be served", definition["metadata"]["name"])
        changed = [name for name, served in self._served.items() if before.get(name) is not served]
        self._server.install(entry for name in changed for entry in self._served[name].built.installed)
        touched = {version for name in changed for version in self._served[name].group_versions}
        for name in changed:
            gone = before.get(name)
            if gone is not None:
                touched.update(gone.group_versions)
                for version in set(gone.group_versions) - set(self._served[name].group_versions):
                    self._server.uninstall(version, gone.built.group_resource.resource)
        self._publish(touched)

    def remove(self, name: str) -> None:
        """The definition is gone: serve its resources no longer."""
        gone = self._served.pop(name, None)
        if gone is None:
            return
        for version in gone.group_versions:
            self._server.uninstall(version, gone.built.group_resource.resource)
        self._retire(gone)
        self._publish(gone.group_versions)

    async def stop(self) -> None:
        """Stop the caches that were replaced. Those in use are `config.backings`' to stop."""
        retiring, self._retiring = self._retiring, {}
        for task in retiring:
            task.cancel()
        await asyncio.gather(*retiring, return_exceptions=True)
        for backing in retiring.values():
            await backing.cacher.stop()

    def _put(self, definition: JSONObject) -> None:
        name, held = definition["metadata"]["name"], self._served.get(definition["metadata"]["name"])
        if not conditions.is_true(definition, conditions.ESTABLISHED):
            return
        if build.group_resource_of(definition) in OVERLAPPING:
            return
        shape, terminating = _shape(definition), conditions.is_true(definition, conditions.TERMINATING)
        if held is not None and held.shape == shape and held.terminating == terminating:
            return
        if held is not None and held.shape != shape:
            # Objects in the old cache were pruned, defaulted and encoded by the old schemas.
            self._retire(held)
        built = build.build(definition, self._config, self._webhooks, terminating=terminating)
        self._served[name] = _Served(built, shape, terminating)

    def _retire(self, served: _Served) -> None:
        backing = self._config.backings.take(served.built.group_resource)
        if backing is not None:
            task = asyncio.get_running_loop().create_task(self._stop_later(backing), name="retire a watch cache")
            self._retiring[task] = backing
            task.add_done_callback(lambda done: self._retiring.pop(done, None) and None)

    async def _stop_later(self, backing: Backing) -> None:
        await asyncio.sleep(self._grace)
        await backing.cacher.stop()

    def _publish(self, group_versions: Iterable[GroupVersion]) -> None:
        for group_version in group_versions:
            installed = self._server.installed_in(group_version)
            resources = partial(self._server.installed_in, group_version)
            made = document(group_version, resources, self._config.types) if installed else None
            self._server.publish_openapi(f"apis/{group_version}", made)


def _shape(definition: JSONObject) -> bytes:
    said = [definition["metadata"].get("uid"), definition["spec"], definition["status"]["acceptedNames"]]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()
