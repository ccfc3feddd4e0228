"""GenericServer: what each tier of the chain, and every aggregated API server, is built around.

It looks a request up in its own API groups and paths, and otherwise awaits its delegate. Wrapped by
`aggregator.server`, `kubeapi.server`, `extensions.server` and `trikube.aa`; run by `generic/run.py`.
Mirrors `apiserver/pkg/server/{genericapiserver,handler}.go`.
"""

import asyncio
import gzip
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial

from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response

from generic import health
from generic.delegation import DelegationTarget, NothingBehind, Signal
from generic.endpoints import dispatch, representation, routes, writing
from generic.endpoints.discovery import aggregated, handlers, legacy
from generic.endpoints.discovery.aggregated import DiscoveryManager, Source
from generic.endpoints.openapi import v2, v3
from generic.health import HealthCheck
from generic.hooks import PostStartHook, PreShutdownHook
from generic.meta import errors, negotiation
from generic.meta.gvk import GroupVersion
from generic.metrics import HealthResults, Metrics, rendered
from generic.mux import PathMux
from generic.paths import endpoint
from generic.registry.rest import InstalledResource
from generic.request import context
from generic.types import ASGIApp, JSONObject, Receive, Scope, Send
from generic.version import VersionInfo

_SLASH_OR_NOT = ("/api/", "/apis/")
_LISTED_WITH_SLASH = ("/apis/", "/openapi/v3/")
"""Other paths that end so are no more than another spelling, or lead to other servers."""


class GenericServer:
    """One server of a chain. Serves without protection: the handler chain is put around the outermost only.

    `owns_group_versions`: a group-version installed here is this server's wholly, so an unknown
    resource in it is a 404 `Status` and does not fall through (built-ins); otherwise it goes on to
    the delegate (custom resources).
    """

    def __init__(
        self,
        name: str,
        delegate: DelegationTarget,
        *,
        discovery: DiscoveryManager,
        discovery_source: Source = Source.BUILTIN,
        owns_group_versions: bool = True,
    ) -> None:
        self.name = name
        self.delegate = delegate
        self.mux = PathMux()
        self.discovery = discovery
        self._source = discovery_source
        self._owns = owns_group_versions
        self._claimed: set[GroupVersion] = set()
        self._routed: list[str] = []
        self._roots: tuple[str, ...] = ()
        self._installed: dict[GroupVersion, dict[str, InstalledResource]] = {}
        self._openapi: dict[str, v3.Document] = {}
        self._post_start: dict[str, PostStartHook] = dict(delegate.post_start_hooks())
        self._pre_shutdown: dict[str, PreShutdownHook] = dict(delegate.pre_shutdown_hooks())
        self._checks: list[HealthCheck] = [health.PING]
        self._ready_checks: list[HealthCheck] = []
        self._boot_checks: list[HealthCheck] = []
        self._signals: dict[str, Signal] = dict(delegate.mux_complete_signals())
        if isinstance(delegate, NothingBehind):
            delegate.list_paths_of(self.listed_paths)
        self._preparations: list[Callable[[], Awaitable[None]]] = []
        self._destroyers: list[Callable[[], Awaitable[None]]] = []
        self._health_results: HealthResults | None = None
        self._prepared = False

    # Serving.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The director: own resources, then own paths, then the delegate. Raises StatusError."""
        request = context.ensure(scope)
        info = request.info
        if info.is_resource_request:
            resources = self._installed.get(info.group_version)
            if resources is not None:
                target = resources.get(info.resource)
                if target is not None and dispatch.in_scope(request, target):
                    request.trace.add(self.name, "serve")
                    await dispatch.serve(scope, receive, send, context=request, target=target)
                    return
                if self._owns or info.group_version in self._claimed:
                    request.trace.add(self.name, "not-found")
                    raise errors.route_not_found()
        handler = self._path_handler(info.path)
        if handler is not None:
            request.trace.add(self.name, "path")
            await handler(scope, receive, send)
            return
        if info.path.startswith(self._roots):
            request.trace.add(self.name, "not-found")
            raise errors.route_not_found()
        request.trace.add(self.name, "delegate")
        await self.delegate(scope, receive, send)

    def _path_handler(self, path: str) -> ASGIApp | None:
        # As the routes of go-restful: discovery answers with a slash at the end, too.
        if path.endswith("/") and path.startswith(_SLASH_OR_NOT):
            handler = self.mux.find_exact(path) or self.mux.find_exact(path[:-1])
            if handler is not None:
                return handler
        return self.mux.find(path)

    def add_route(self, path: str, app: ASGIApp, produces: Sequence[str], *, consumes: Sequence[str] = ()) -> None:
        """Serve a document at `path`, with a slash or not, to GET alone; what is below it is a 404 `Status`.

        `consumes`: as of `routes.get_only`. Raises ValueError if something is served there already.
        """
        route = routes.get_only(app, produces, consumes=consumes)
        self.mux.handle(path, route)
        self.mux.handle(f"{path}/", route)
        self._routed.append(path)
        self._find_roots()

    def claim(self, group_version: GroupVersion) -> None:
        """Answer for this one and its group wholly, whatever `owns_group_versions` says of the others."""
        self._claimed.add(group_version)
        self._find_roots()

    def _find_roots(self) -> None:
        """What a path begins with that nobody behind this server is asked for."""
        owned = self._installed if self._owns else self._claimed
        groups = (f"/apis/{version.group}" if version.group else "/api" for version in owned)
        self._roots = tuple(f"{path}/" for path in dict.fromkeys((*self._routed, *groups)))

    # Installing API groups, before or while serving.

    def install(self, resources: Iterable[InstalledResource]) -> None:
        """Serve these resources from now on, in discovery too; replaces ones of the same name."""
        touched: dict[GroupVersion, None] = {}
        for entry in resources:
            group_version = entry.resource.group_version
            held = dict(self._installed.get(group_version, {}))
            held[entry.resource.gvr.resource] = entry
            self._installed[group_version] = held
            touched[group_version] = None
        for group_version in touched:
            self._publish(group_version)
        self._find_roots()

    def uninstall(self, group_version: GroupVersion, resource: str) -> None:
        """Stop serving a resource; the last one of a group-version takes that with it."""
        held = dict(self._installed.get(group_version, {}))
        if held.pop(resource, None) is None:
            return
        if held:
            self._installed[group_version] = held
        else:
            del self._installed[group_version]
            self._find_roots()
        self._publish(group_version)

    def _publish(self, group_version: GroupVersion) -> None:
        if group_version in self._installed:
            entries = self._installed[group_version].values()
            self.discovery.put(aggregated.Entry(group_version, aggregated.describe(entries), self._source))
            if self.mux.find_exact(group_version.path) is None:
                handler = self._document(group_version.group, lambda: self._resource_list(group_version))
                self.mux.handle(group_version.path, handler)
        else:
            self.discovery.remove(group_version, self._source)
            self.mux.unhandle(group_version.path)
        self._publish_group(group_version.group)

    def _publish_group(self, group: str) -> None:
        path = f"/apis/{group}"
        if not group:
            return
        served = self.served_versions(group)
        if served and self.mux.find_exact(path) is None:
            self.mux.handle(path, self._document(group, lambda: self._group(group)))
        elif not served:
            self.mux.unhandle(path)

    def _document(self, group: str, make: Callable[[], JSONObject]) -> ASGIApp:
        """Routed, but for custom resources: those are served by a handler that looks at the path alone."""
        handler = handlers.DocumentHandler(make)
        routed = self._owns or any(claimed.group == group for claimed in self._claimed)
        return _route(handler) if routed else handler

    def served_versions(self, group: str) -> list[str]:
        """Versions of a group installed here, most preferred first."""
        return legacy.in_version_order(gv.version for gv in self._installed if gv.group == group)

    def installed_group_versions(self) -> list[GroupVersion]:
        """Every group-version installed here, as they are now."""
        return list(self._installed)

    def installed_in(self, group_version: GroupVersion) -> Sequence[InstalledResource]:
        """The resources of a group-version installed here."""
        return list(self._installed.get(group_version, {}).values())

    def groups(self) -> list[JSONObject]:
        """The APIGroup of every named group installed here."""
        names = {gv.group: None for gv in self._installed if gv.group}
        return [self._group(name) for name in sorted(names)]

    def _group(self, group: str) -> JSONObject:
        return legacy.api_group(group, self.served_versions(group))

    def _resource_list(self, group_version: GroupVersion) -> JSONObject:
        return legacy.api_resource_list(group_version, self.installed_in(group_version))

    # OpenAPI.

    def publish_openapi(self, path: str, document: v3.Document | None) -> None:
        """Publish (or with None withdraw) the document of a path such as `apis/apps/v1`."""
        if document is None:
            self._openapi.pop(path, None)
        else:
            self._openapi[path] = document

    def openapi_v3(self) -> Mapping[str, v3.Document]:
        return {**self.delegate.openapi_v3(), **self._openapi}

    # Hooks, checks and signals: merged along the chain.

    def add_post_start_hook(self, hook: PostStartHook) -> None:
        """Raises ValueError if a server of the chain has one of that name, or if it is too late."""
        self._still_open(f"post-start hook {hook.name}")
        if hook.name in self._post_start:
            raise ValueError(f"a post-start hook named {hook.name} is already registered")
        self._post_start[hook.name] = hook

    def add_pre_shutdown_hook(self, name: str, hook: PreShutdownHook) -> None:
        """Raises ValueError if a server of the chain has one of that name, or if it is too late."""
        self._still_open(f"pre-shutdown hook {name}")
        if name in self._pre_shutdown:
            raise ValueError(f"a pre-shutdown hook named {name} is already registered")
        self._pre_shutdown[name] = hook

    def add_health_check(self, check: HealthCheck) -> None:
        """Raises ValueError once the checks are installed."""
        self._still_open(f"health check {check.name}")
        self._checks.append(check)

    def add_ready_check(self, check: HealthCheck) -> None:
        """A check of `/readyz` alone. Raises ValueError once the checks are installed."""
        self._still_open(f"ready check {check.name}")
        self._ready_checks.append(check)

    def add_boot_check(self, check: HealthCheck) -> None:
        """A check of all three that is part of starting. Raises ValueError once the checks are installed."""
        self._still_open(f"boot check {check.name}")
        self._boot_checks.append(check)

    def add_mux_complete_signal(self, signal: Signal) -> None:
        """Raises ValueError if a server of the chain has one of that name."""
        if signal.name in self._signals:
            raise ValueError(f"a mux-complete signal named {signal.name} is already registered")
        self._signals[signal.name] = signal

    def add_preparation(self, prepare: Callable[[], Awaitable[None]]) -> None:
        """Await this before the server listens, first added first: what every request relies on (RBAC rules)."""
        self._still_open("preparation")
        self._preparations.append(prepare)

    def add_destroyer(self, destroy: Callable[[], Awaitable[None]]) -> None:
        """Await this when the server is destroyed, last added first."""
        self._destroyers.append(destroy)

    def post_start_hooks(self) -> Mapping[str, PostStartHook]:
        return self._post_start

    def pre_shutdown_hooks(self) -> Mapping[str, PreShutdownHook]:
        return self._pre_shutdown

    def health_checks(self) -> Sequence[HealthCheck]:
        return health.merge(self._checks, self.delegate.health_checks())

    def mux_complete_signals(self) -> Mapping[str, Signal]:
        return self._signals

    def is_mux_complete(self) -> bool:
        """Every owner of the chain knows all its paths: a miss may be a 404."""
        return all(signal.done for signal in self._signals.values())

    def listed_paths(self) -> list[str]:
        own = {path for path in self.mux.paths() if not path.endswith("/") or path in _LISTED_WITH_SLASH}
        return sorted(own | set(self.delegate.listed_paths()))

    # Life.

    async def prepare_to_run(self) -> None:
        """Innermost first; the outermost server then installs what is served once for the whole chain."""
        await self.delegate.prepare_to_run()
        for prepare in self._preparations:
            await prepare()
        self._prepared = True

    def install_shared_paths(
        self, *, extra_ready_checks: Sequence[HealthCheck] = (), livez_grace_period: float = 0.0
    ) -> None:
        """On the outermost server, when prepared: `/`, health, discovery and OpenAPI for the whole chain.

        `livez_grace_period`: seconds from now on in which `/livez` does not mind that something is still starting.
        """
        boot = [*(hook.check() for hook in self._post_start.values()), *self._boot_checks]
        checks = health.merge(self.health_checks(), boot)
        live = health.merge(self.health_checks(), health.delayed(boot, livez_grace_period))
        ready = health.merge(checks, self._ready_checks, extra_ready_checks)
        for name, asked in (("healthz", checks), ("livez", live), ("readyz", ready)):
            health.install(self.mux, name, asked, results=self._health_results)
        if self.mux.find_exact("/apis") is None:
            # The aggregator has its own, made of APIServices.
            root = handlers.RootHandler(self.discovery, self._group_list, core=False)
            self.mux.handle("/apis", _route(root))
        self.mux.handle(v2.PATH, v2.OpenAPIV2Handler(self.openapi_v3))
        self.mux.handle("/openapi/v3", v3.RootHandler(self.openapi_v3))
        self.mux.handle_prefix("/openapi/v3/", v3.DocumentHandler(self.openapi_v3))
        index = handlers.RawHandler(lambda: {"paths": self.listed_paths()})
        self.mux.handle("/", index)
        self.mux.handle("/index.html", index, listed=False)

    def install_version(self, version: VersionInfo) -> None:
        """On the outermost server: `/version`."""
        only_json = (negotiation.JSON,)
        self.add_route("/version", handlers.RawHandler(version.to_object), only_json, consumes=only_json)

    def install_metrics(self, metrics: Metrics) -> None:
        """On the outermost server: `/metrics` and `/metrics/slis`, in the format the scraper accepts."""
        self._health_results = metrics.health
        for path, registry in (("/metrics", metrics.registry), ("/metrics/slis", metrics.health.registry)):
            self.mux.handle(path, endpoint(partial(_scrape, registry)))

    async def destroy(self) -> None:
        for destroyer in reversed(self._destroyers):
            await destroyer()
        await self.delegate.destroy()

    def _group_list(self) -> JSONObject:
        return legacy.api_group_list(self.groups())

    def _still_open(self, what: str) -> None:
        if self._prepared:
            raise ValueError(f"unable to add {what}: the server is already prepared to run")


async def _scrape(registry: CollectorRegistry, request: Request) -> Response:
    text, content_type = rendered(registry, request.headers.get("accept", ""))
    headers = {"content-type": content_type.decode()}
    if writing.accepts_gzip(request.headers.get("accept-encoding", "")):
        text = await asyncio.to_thread(gzip.compress, text, 1)
        headers["content-encoding"] = "gzip"
    return Response(text, headers=headers)


def _route(app: ASGIApp) -> ASGIApp:
    return routes.get_only(app, representation.MEDIA_TYPES, consumes=representation.MEDIA_TYPES)
