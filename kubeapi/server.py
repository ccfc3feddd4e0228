"""KubeAPIServer: the second tier. Owns authentication, authorization, admission and the built-in kinds.

Built by `trikube.controlplane` on the extensions server; the aggregator is built on it. Mirrors
`pkg/controlplane/instance.go` and `pkg/controlplane/apiserver`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from generic.authentication.anonymous import AnonymousAuthenticator
from generic.authentication.authority import CertificateAuthority
from generic.authentication.bearer import (
    BearerAuthenticator,
    LoopbackAuthenticator,
    TokenAuthenticator,
    WebSocketAuthenticator,
)
from generic.authentication.request_header import RequestHeaderAuthenticator, RequestHeaderOptions
from generic.authentication.union import UnionAuthenticator
from generic.authentication.x509 import X509Authenticator
from generic.authorization.privileged import PrivilegedGroups
from generic.authorization.rbac import RBACAuthorizer
from generic.authorization.rbac_index import RBACIndex
from generic.authorization.union import UnionAuthorizer
from generic.config import ServerConfig
from generic.delegation import DelegationTarget
from generic.endpoints.discovery import legacy
from generic.endpoints.discovery.handlers import RootHandler
from generic.endpoints.openapi import build as openapi
from generic.endpoints.openapi.v3 import Document
from generic.endpoints.representation import MEDIA_TYPES
from generic.hooks import PostStartHook
from generic.meta.gvk import GroupResource, GroupVersion
from generic.registry.rest import InstalledResource
from generic.server import GenericServer
from generic.storage.cacher import Cacher
from kubeapi import resources, reviews
from kubeapi.admission import build as admission
from kubeapi.admission.namespace_lifecycle import CachedNamespaces
from kubeapi.admission.order import PluginSelection
from kubeapi.admission.policies import AdmissionPolicies
from kubeapi.admission.webhooks import AdmissionWebhooks
from kubeapi.allocation import build as allocation
from kubeapi.allocation.repair import AllocationRepair
from kubeapi.bootstrap import attempts
from kubeapi.bootstrap.authentication_info import AuthenticationInfo
from kubeapi.bootstrap.flow_control import KIND as FLOW_SCHEMA
from kubeapi.bootstrap.flow_control import ensure_flow_control
from kubeapi.bootstrap.namespaces import ensure_namespaces
from kubeapi.bootstrap.priority_classes import ensure_priority_classes
from kubeapi.bootstrap.rbac import ensure_rbac
from kubeapi.bootstrap.service_cidr import KIND as SERVICE_CIDR
from kubeapi.bootstrap.service_cidr import ensure_service_cidr
from kubeapi.controllers import selection as names
from kubeapi.controllers import storage_protection
from kubeapi.controllers.authentication_info import AuthenticationInfoController
from kubeapi.controllers.default_accounts import DefaultAccounts
from kubeapi.controllers.ensured import Ensured
from kubeapi.controllers.garbagecollector.collector import GarbageCollector
from kubeapi.controllers.kubernetes_service import KubernetesService
from kubeapi.controllers.legacy_token_tracking import LegacyTokenTracking
from kubeapi.controllers.namespace import NamespaceController
from kubeapi.controllers.policy_status import KIND as VALIDATING_POLICY
from kubeapi.controllers.policy_status import PolicyStatus
from kubeapi.controllers.resource_quota import ResourceQuotaController
from kubeapi.controllers.role_aggregation import RoleAggregation
from kubeapi.controllers.root_ca import RootCAPublisher
from kubeapi.controllers.selection import ControllerSelection
from kubeapi.controllers.storage_protection import StorageProtection
from kubeapi.controllers.token_secrets import TokenSecrets
from kubeapi.emulation import older
from kubeapi.rbac.escalation import GROUP as RBAC_GROUP
from kubeapi.rbac.escalation import EscalationCheck
from kubeapi.rbac.source import KINDS as RBAC_RESOURCES
from kubeapi.rbac.source import RBACSource
from kubeapi.resources import build
from kubeapi.resources.strategies.core import EVENT_TTL
from kubeapi.reviews import Reviewers
from kubeapi.schemas import Schemas
from kubeapi.serviceaccounts import openid
from kubeapi.serviceaccounts.authenticator import ServiceAccountAuthenticator
from kubeapi.serviceaccounts.legacy import LegacyTokenAuthenticator
from kubeapi.serviceaccounts.lookup import Lookup
from kubeapi.serviceaccounts.options import ServiceAccountOptions


@dataclass(frozen=True, slots=True)
class KubeAPIOptions:
    """What the second tier can be told.

    `server_address` is `host:port` as clients reach the server; a function where the port is known only once
    it listens. `loopback_token` is the one this process's own client presents.
    """

    schemas: Schemas
    server_address: str | Callable[[], str]
    client_ca: CertificateAuthority
    front_proxy_ca: CertificateAuthority
    loopback_token: str
    service_accounts: ServiceAccountOptions
    front_proxy: RequestHeaderOptions = field(default_factory=RequestHeaderOptions)
    token_authenticators: tuple[TokenAuthenticator, ...] = field(default=())
    anonymous: bool = True
    service_cluster_ip_range: str = "10.96.0.0/12"
    event_ttl: float = EVENT_TTL
    controllers: ControllerSelection = field(default_factory=ControllerSelection)
    admission: PluginSelection = field(default_factory=PluginSelection)
    certificate_seen: Callable[[float], None] | None = None
    """To be told of each client certificate how many seconds it is still good."""

    def address(self) -> str:
        """`server_address` as it is now."""
        return self.server_address if isinstance(self.server_address, str) else self.server_address()

    def kubernetes_cluster_ip(self) -> str:
        """The address of service `kubernetes`: the first of the range. Raises ValueError on a range that is none."""
        return str(allocation.networks(self.service_cluster_ip_range)[0][1])


class Startable(Protocol):
    """A controller: started once the server listens, stopped before it goes down. Both may be called twice."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


class KubeAPIServer:
    """Wraps a GenericServer with the built-in API groups installed.

    `authenticator` and `authorizer` are for the handler chain, which stands around the outermost server.
    """

    def __init__(self, config: ServerConfig, options: KubeAPIOptions, delegate: DelegationTarget) -> None:
        """Raises ValueError on options that cannot be."""
        self.generic = GenericServer("kubeapi", delegate, discovery=config.discovery)
        self._types = config.types
        rules = RBACIndex()
        rbac = RBACAuthorizer(rules)
        self.authorizer = UnionAuthorizer([PrivilegedGroups(), rbac])

        services = allocation.allocator(config, options.schemas, options.service_cluster_ip_range)
        kinds = build.build(
            config,
            options.schemas,
            older.kinds(resources.all_kinds(event_ttl=options.event_ttl), options.schemas),
            makers=allocation.stores(services),
            service_accounts=options.service_accounts,
        )
        caches = {entry.resource.group_resource: entry.storage.backing.cacher for entry in kinds}
        lookup = _lookup(caches)
        tokens = (
            *options.token_authenticators,
            LegacyTokenAuthenticator(options.service_accounts, lookup),
            ServiceAccountAuthenticator(options.service_accounts, lookup),
        )
        self.authenticator = _authenticator(options, tokens)
        reviewers = Reviewers(tokens, self.authorizer, rbac, options.service_accounts.audiences)
        bindings = build.bindings(config, options.schemas, kinds)
        installed = [*kinds, bindings, *reviews.install(options.schemas, reviewers)]
        self._install(older.served(installed, options.schemas), options)
        if options.service_accounts.is_discoverable:
            openid.install(self.generic, options.service_accounts, options.address)
        namespaces = CachedNamespaces(caches[GroupResource("", "namespaces")])
        self.webhooks = AdmissionWebhooks(caches, namespaces, config.loopback, self.authorizer)
        self.policies = policies = AdmissionPolicies(caches, namespaces, config.loopback, self.authorizer)
        version = options.schemas.minor_version
        own = admission.plugins(caches, lookup, config.loopback, authorizer=self.authorizer, version=version)
        plugins = [*own, *policies.plugins, *self.webhooks.plugins]
        # What Kubernetes checks in its storage comes last.
        chain = options.admission.chain(plugins)
        config.admission.use([policies.check, *chain, EscalationCheck(rules, self.authorizer)])
        self.generic.add_preparation(self.webhooks.start)
        self.generic.add_destroyer(self.webhooks.stop)
        self.generic.add_preparation(policies.start)
        self.generic.add_destroyer(policies.stop)
        self._follow_rbac(rules, caches)
        self._add_hooks(config, options)
        repair = AllocationRepair(services, held=caches[allocation.SERVICES], claimed=caches[allocation.ADDRESSES])
        self._keep_running("start-service-ip-repair-controllers", repair)

    def _install(self, resources: list[InstalledResource], options: KubeAPIOptions) -> None:
        self.generic.install(resources)
        root = RootHandler(self.generic.discovery, lambda: legacy.api_versions(options.address()), core=True)
        self.generic.add_route("/api", root, MEDIA_TYPES, consumes=MEDIA_TYPES)
        for group_version in self.generic.installed_group_versions():
            self.generic.publish_openapi(group_version.path.removeprefix("/"), self._document(group_version))

    def _document(self, group_version: GroupVersion) -> Document:
        return openapi.document(group_version, lambda: self.generic.installed_in(group_version), self._types)

    def _follow_rbac(self, index: RBACIndex, caches: dict[GroupResource, Cacher]) -> None:
        source = RBACSource(index, {plural: caches[GroupResource(RBAC_GROUP, plural)] for plural in RBAC_RESOURCES})

        async def stop() -> None:
            source.stop()

        # Before the first request: without its rules the server would refuse what it has to allow.
        self.generic.add_preparation(source.start)
        self.generic.add_destroyer(stop)

    def _add_hooks(self, config: ServerConfig, options: KubeAPIOptions) -> None:
        """Named as in Kubernetes."""
        client = config.loopback
        info = AuthenticationInfo(options.client_ca, options.front_proxy_ca, options.front_proxy)
        service = KubernetesService(client, cluster_ip=options.kubernetes_cluster_ip(), server_address=options.address)
        self._once("rbac/bootstrap-roles", lambda: ensure_rbac(client))
        self._once("scheduling/bootstrap-system-priority-classes", lambda: ensure_priority_classes(client))
        ranges = [str(network) for network in allocation.networks(options.service_cluster_ip_range)]
        if options.schemas.has(SERVICE_CIDR):
            self._once("start-kubernetes-service-cidr-controller", lambda: ensure_service_cidr(client, ranges))
        if options.schemas.has(FLOW_SCHEMA):
            levels = Ensured("priority-and-fairness-config", lambda: ensure_flow_control(client))
            self._keep_running("priority-and-fairness-config-producer", levels)
        spaces = Ensured("system-namespaces", lambda: ensure_namespaces(client))
        self._keep_running("start-system-namespaces-controller", spaces)
        self._keep_running("start-cluster-authentication-info-controller", AuthenticationInfoController(client, info))
        self._keep_running("start-legacy-token-tracking-controller", LegacyTokenTracking(client))
        self._keep_running("bootstrap-controller", service)
        self._run_selected(config, options)

    def _run_selected(self, config: ServerConfig, options: KubeAPIOptions) -> None:
        """What Kubernetes has in its controller manager, which may be there to take over."""
        client = config.loopback
        tokens = TokenSecrets(client, options.service_accounts, options.client_ca.pem)
        found: list[tuple[str, Startable]] = [
            (names.NAMESPACE, NamespaceController(client)),
            (names.RESOURCE_QUOTA, ResourceQuotaController(client, config.backings)),
            (names.CLAIM_PROTECTION, StorageProtection(client, config.backings, storage_protection.CLAIMS)),
            (names.VOLUME_PROTECTION, StorageProtection(client, config.backings, storage_protection.VOLUMES)),
            (names.CLASS_PROTECTION, StorageProtection(client, config.backings, storage_protection.CLASSES)),
            (names.CLUSTER_ROLE_AGGREGATION, RoleAggregation(client)),
            (names.SERVICE_ACCOUNT, DefaultAccounts(client)),
            (names.SERVICE_ACCOUNT_TOKEN, tokens),
            (names.ROOT_CA_PUBLISHER, RootCAPublisher(client, options.client_ca.pem)),
        ]
        if config.garbage_collection:
            found.append((names.GARBAGE_COLLECTOR, GarbageCollector(client, config.backings)))
        if options.schemas.has(VALIDATING_POLICY):
            found.append((names.VALIDATING_ADMISSION_POLICY_STATUS, PolicyStatus(client)))
        for name, controller in found:
            if options.controllers.runs(name):
                self._keep_running(f"start-{name}", controller)

    def _once(self, name: str, action: Callable[[], Awaitable[None]]) -> None:
        self.generic.add_post_start_hook(PostStartHook(name, lambda: attempts.until_done(action)))

    def _keep_running(self, name: str, controller: Startable) -> None:
        self.generic.add_post_start_hook(PostStartHook(name, controller.start))
        self.generic.add_pre_shutdown_hook(name, controller.stop)


def _lookup(caches: dict[GroupResource, Cacher]) -> Lookup:
    return Lookup(
        accounts=caches[GroupResource("", "serviceaccounts")],
        pods=caches[GroupResource("", "pods")],
        secrets=caches[GroupResource("", "secrets")],
        nodes=caches[GroupResource("", "nodes")],
    )


def _authenticator(options: KubeAPIOptions, tokens: Sequence[TokenAuthenticator]) -> UnionAuthenticator:
    return UnionAuthenticator(
        [
            LoopbackAuthenticator(options.loopback_token),
            RequestHeaderAuthenticator(options.front_proxy_ca, options.front_proxy),
            X509Authenticator(options.client_ca, seen=options.certificate_seen),
            BearerAuthenticator(tokens),
            WebSocketAuthenticator(tokens),
        ],
        anonymous=AnonymousAuthenticator() if options.anonymous else None,
    )
