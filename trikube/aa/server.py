"""AggregatedServer: a GenericServer of its own with everything of a Plan installed.

Called by `run.py`. Mirrors `apiserver-runtime/internal/sample-apiserver/pkg/apiserver/apiserver.go`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from generic.admission.interface import AdmissionPlugin
from generic.admission.namespace_lifecycle import NamespaceLifecycle
from generic.admission.policy.following import RemotePolicies
from generic.admission.remote_namespaces import RemoteNamespaces
from generic.admission.webhook.following import RemoteWebhooks
from generic.authorization.interface import Authorizer
from generic.client.informer import Informer
from generic.config import ServerConfig
from generic.delegation import NothingBehind
from generic.endpoints.openapi import build
from generic.health import HealthCheck
from generic.hooks import PostStartHook
from generic.meta.gvk import GroupVersion
from generic.paths import endpoint
from generic.registry.backings import Backings
from generic.request import context
from generic.server import GenericServer
from generic.types import ASGIApp, Receive, Scope, Send
from trikube.aa import install
from trikube.aa.access import EVERYBODY
from trikube.aa.admission import HookAdmission
from trikube.aa.conversion import HubConverter
from trikube.aa.definition import DefinitionError
from trikube.aa.hooks import ResourceHooks
from trikube.aa.install import Source
from trikube.aa.plan import Plan, Served, Setup
from trikube.aa.resource import Resource
from trikube.aa.storages import NotStored, StorageChoice

BackingsOf = Callable[[StorageChoice | None], Backings]


class NotSyncedError(Exception):
    """Why `/readyz` is red until everything is there."""


class AggregatedServer:
    """`backings`: of the server's own storage (None), and of each choice of an author."""

    def __init__(
        self,
        plan: Plan,
        config: ServerConfig,
        setup: Setup,
        backings: BackingsOf,
        *,
        authorizer: Authorizer = EVERYBODY,
    ) -> None:
        """`authorizer`: for the expressions of webhooks and policies. Raises DefinitionError, OptionsError."""
        install.check_versions(served.cls for served in plan.resources)
        self._setup = setup
        self.generic = GenericServer(plan.name, NothingBehind(), discovery=config.discovery)
        self._hooks = {served.cls: ResourceHooks(served.cls, setup.main) for served in plan.resources}
        converters = _converters([served.cls for served in plan.resources])
        for served in plan.resources:
            source = _source(served, converters)
            choice = self._choice(plan.resources, served)
            entry = install.install(source, self._hooks[served.cls], config, backings(choice))
            self.generic.install([entry])
        for group_version in self.generic.installed_group_versions():
            document = build.document(group_version, partial(self.generic.installed_in, group_version))
            self.generic.publish_openapi(group_version.path.removeprefix("/"), document)
        for path, answer in plan.handlers:
            add = self.generic.mux.handle_prefix if path.endswith("/") else self.generic.mux.handle
            add(path, endpoint(answer))
        self._add_hooks(plan, setup)
        self.namespaces = RemoteNamespaces(setup.main) if setup.main is not None else None
        self.webhooks = (
            RemoteWebhooks(setup.main, self.namespaces, authorizer)
            if setup.main is not None and self.namespaces is not None
            else None
        )
        self.policies = (
            RemotePolicies(setup.main, self.namespaces, authorizer)
            if setup.main is not None and self.namespaces is not None
            else None
        )
        config.admission.use(self._plugins(plan, setup))
        self._follow(setup)
        for function in plan.servers:
            function(self.generic)

    @staticmethod
    def _choice(resources: Sequence[Served], served: Served) -> StorageChoice | None:
        """Versions share what their hub is stored in."""
        hub = served.cls.hub or served.cls
        found = next(each.storage for each in resources if each.cls is hub)
        return found if isinstance(found, StorageChoice) else None

    def _plugins(self, plan: Plan, setup: Setup) -> list[AdmissionPlugin]:
        found: list[AdmissionPlugin] = [NamespaceLifecycle(self.namespaces)] if self.namespaces is not None else []
        found.append(HookAdmission({cls.definition.gvk: hooks for cls, hooks in self._hooks.items()}))
        found += (_plugin(make(setup)) for make in plan.admission)
        found += () if self.policies is None else self.policies.plugins
        return [*found, *self.webhooks.plugins] if self.webhooks is not None else found

    def _add_hooks(self, plan: Plan, setup: Setup) -> None:
        for name, check in plan.health:
            self.generic.add_health_check(HealthCheck(name, check))
        for name, run in plan.post_start:
            self.generic.add_post_start_hook(PostStartHook(name, partial(run, setup)))
        for name, hook in plan.pre_shutdown:
            self.generic.add_pre_shutdown_hook(name, hook)

    def _follow(self, setup: Setup) -> None:
        """Informers begin before anybody can ask; more may come while the server runs."""

        async def start() -> None:
            setup.started = True
            for each in self._followed():
                each.start()

        async def synced() -> None:
            if not all(each.has_synced for each in self._followed()):
                raise NotSyncedError("what it follows is not known yet")

        self.generic.add_preparation(start)
        # Before streams end: what follows this server itself would take that for a failure.
        self.generic.add_pre_shutdown_hook("stop-own-informers", setup.stop_own_informers)
        self.generic.add_ready_check(HealthCheck("informer-sync", synced))

    def _followed(self) -> Sequence[RemoteNamespaces | RemotePolicies | RemoteWebhooks | Informer]:
        return (
            *self._setup.informers,
            *self._setup.own_informers,
            *(() if self.namespaces is None else (self.namespaces,)),
            *(() if self.policies is None else (self.policies,)),
            *(() if self.webhooks is None else (self.webhooks,)),
        )

    async def stop_informers(self) -> None:
        """Follow nobody any longer. Idempotent."""
        for each in self._followed():
            await each.stop()

    def exempting_streams(self, app: ASGIApp) -> ASGIApp:
        """The handler chain, told which requests may take as long as they like."""
        streams = {(*cls.definition.gvr, name) for cls in self._hooks for name in install.connects(cls)}

        if not streams:
            return app

        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.ensure(scope)
            info = request.info
            if (info.group, info.version, info.resource, info.subresource) in streams:
                request.info = replace(info, streams=True)
            await app(scope, receive, send)

        return handle


def _plugin(made: Any) -> AdmissionPlugin:
    """Raises DefinitionError if it is none."""
    if not hasattr(made, "handles") or not (hasattr(made, "admit") or hasattr(made, "validate")):
        why = "it has no handles(attributes), or neither admit nor validate"
        raise DefinitionError(f"{type(made).__name__} is no admission plugin: {why}")
    plugin: AdmissionPlugin = made
    return plugin


def _source(served: Served, converters: Mapping[type[Resource], HubConverter]) -> Source:
    storage = served.storage
    return Source(
        cls=served.cls,
        strategy=served.strategy,
        storage=None if isinstance(storage, StorageChoice | NotStored) else storage,
        transient=isinstance(storage, NotStored),
        converter=converters.get(served.cls.hub or served.cls),
    )


def _converters(classes: Sequence[type[Resource]]) -> dict[type[Resource], HubConverter]:
    """By hub, for kinds with more than one version."""
    versions: dict[type[Resource], dict[str, type[Resource]]] = {}
    for cls in classes:
        hub = cls.hub or cls
        api_version: GroupVersion = cls.definition.group_version
        versions.setdefault(hub, {})[str(api_version)] = cls
    return {hub: HubConverter(found) for hub, found in versions.items() if len(found) > 1}
