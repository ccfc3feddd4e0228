"""The roles and bindings every cluster begins with: data, no code.

Reconciled at start by `rbac.py` beside this file. Mirrors
`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/{policy,namespace_policy}.go`; what the controllers of a
kube-controller-manager may do is in `rbac_controllers.py`.
"""

from generic.request.user import ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, PRIVILEGED_GROUP
from generic.types import JSONObject
from kubeapi.bootstrap.rbac_controllers import CONTROLLER_RULES
from kubeapi.bootstrap.rbac_rules import (
    EVENTS,
    READ,
    READ_UPDATE,
    READ_WRITE,
    WRITE,
    aggregated_role,
    binding,
    cluster_binding,
    cluster_role,
    groups,
    role,
    rule,
    service_accounts,
    urls,
    users,
)

_SYSTEM, _PUBLIC = "kube-system", "kube-public"
_CONTROLLER = "system:controller:"
_SERVICE_ACCOUNTS = "system:serviceaccounts"
_MANAGER, _SCHEDULER, _PROXY = "system:kube-controller-manager", "system:kube-scheduler", "system:kube-proxy"
_RBAC, _CERTIFICATES, _COORDINATION = "rbac.authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io"
_AUTHENTICATION, _AUTHORIZATION = "authentication.k8s.io", "authorization.k8s.io"
_NETWORKING, _DISCOVERY, _STORAGE, _RESOURCE = (
    "networking.k8s.io",
    "discovery.k8s.io",
    "storage.k8s.io",
    "resource.k8s.io",
)
_HEALTH = "/livez /readyz /healthz"
_SIGNERS = ("legacy-unknown", "kubelet-serving", "kube-apiserver-client", "kube-apiserver-client-kubelet")

_DELEGATION = (
    rule("create", _AUTHENTICATION, "tokenreviews"),
    rule("create", _AUTHORIZATION, "subjectaccessreviews"),
)

_VIEW = (
    rule(
        READ,
        "core",
        "pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status endpoints "
        "persistentvolumeclaims persistentvolumeclaims/status configmaps",
    ),
    rule(
        READ,
        "core",
        "limitranges resourcequotas bindings pods/status resourcequotas/status namespaces/status "
        "replicationcontrollers/status pods/log",
    ),
    rule(READ, "core", "namespaces"),
    rule(READ, "core events.k8s.io", "events"),
    rule(READ, _DISCOVERY, "endpointslices"),
    rule(
        READ,
        "apps",
        "controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets daemonsets/status "
        "deployments deployments/status deployments/scale replicasets replicasets/status replicasets/scale",
    ),
    rule(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
    rule(READ, "batch", "jobs cronjobs cronjobs/status jobs/status"),
    rule(
        READ,
        "extensions",
        "daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status "
        "replicasets replicasets/scale replicasets/status replicationcontrollers/scale networkpolicies",
    ),
    rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
    rule(READ, _NETWORKING, "networkpolicies ingresses ingresses/status"),
    rule(READ, _RESOURCE, "resourceclaims resourceclaims/status resourceclaimtemplates"),
)

_EDIT = (
    # Reading these is more than looking on: whoever may use them acts with the rights of others.
    rule(READ, "core", "pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy"),
    rule("impersonate", "core", "serviceaccounts"),
    rule(WRITE, "core", "pods pods/attach pods/proxy pods/exec pods/portforward"),
    rule("create", "core", "pods/eviction"),
    rule(
        WRITE,
        "core",
        "replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy "
        "persistentvolumeclaims configmaps secrets",
    ),
    rule("create", "core", "serviceaccounts/token"),
    rule(WRITE, "core events.k8s.io", "events"),
    rule(
        WRITE,
        "apps",
        "statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback replicasets "
        "replicasets/scale",
    ),
    rule(WRITE, "autoscaling", "horizontalpodautoscalers"),
    rule(WRITE, "batch", "jobs cronjobs"),
    rule(
        WRITE,
        "extensions",
        "daemonsets deployments deployments/scale deployments/rollback ingresses replicasets replicasets/scale "
        "replicationcontrollers/scale networkpolicies",
    ),
    rule(WRITE, "policy", "poddisruptionbudgets"),
    rule(WRITE, _NETWORKING, "networkpolicies ingresses"),
    rule(READ_WRITE, _COORDINATION, "leases"),
    rule(WRITE, _RESOURCE, "resourceclaims resourceclaimtemplates"),
)

_NODE = (
    rule("create", _AUTHENTICATION, "tokenreviews"),
    rule("create", _AUTHORIZATION, "subjectaccessreviews localsubjectaccessreviews"),
    rule(READ, "core", "services"),
    rule("create get list watch", "core", "nodes"),
    rule("update patch", "core", "nodes/status"),
    rule("update patch", "core", "nodes"),
    EVENTS,
    rule(READ, "core", "pods"),
    rule("create delete", "core", "pods"),
    rule("update patch", "core", "pods/status"),
    rule("create", "core", "pods/eviction"),
    rule(READ, "core", "secrets configmaps"),
    rule("get", "core", "persistentvolumeclaims persistentvolumes"),
    rule("get", "core", "endpoints"),
    rule("create get list watch", _CERTIFICATES, "certificatesigningrequests"),
    rule("get create update patch delete", _COORDINATION, "leases"),
    rule("get", _STORAGE, "volumeattachments"),
    rule("create", "core", "serviceaccounts/token"),
    rule("get update patch", "core", "persistentvolumeclaims/status"),
    rule(READ, _STORAGE, "csidrivers"),
    rule("get create update patch delete", _STORAGE, "csinodes"),
    rule(READ, "node.k8s.io", "runtimeclasses"),
    rule("get", _RESOURCE, "resourceclaims"),
    rule("deletecollection", _RESOURCE, "resourceslices"),
    rule(READ, _CERTIFICATES, "clustertrustbundles"),
    rule("get", "core", "serviceaccounts"),
    rule("get list watch create", _CERTIFICATES, "podcertificaterequests"),
)

_KUBE_SCHEDULER = (
    EVENTS,
    rule("create", _COORDINATION, "leases"),
    rule("get update list watch", _COORDINATION, "leases", names="kube-scheduler"),
    rule(READ_WRITE, _COORDINATION, "leasecandidates"),
    rule(READ, "core", "nodes"),
    rule("get list watch delete", "core", "pods"),
    rule("create", "core", "pods/binding bindings"),
    rule("patch update", "core", "pods/status"),
    rule(READ, "core", "services replicationcontrollers"),
    rule(READ, "apps extensions", "replicasets"),
    rule(READ, "apps", "statefulsets"),
    rule(READ, "policy", "poddisruptionbudgets"),
    rule(READ, "core", "persistentvolumeclaims persistentvolumes"),
    *_DELEGATION,
    rule(READ, _STORAGE, "csinodes"),
    rule(READ, _STORAGE, "volumeattachments"),
    rule(READ, "core", "namespaces"),
    rule(READ, _STORAGE, "csidrivers"),
    rule(READ, _STORAGE, "csistoragecapacities"),
    rule(READ, _RESOURCE, "deviceclasses"),
    rule(READ_UPDATE, _RESOURCE, "resourceclaims"),
    rule(READ_UPDATE, _RESOURCE, "resourceclaims/status"),
    rule("update", "core", "pods/finalizers"),
    rule(READ, _RESOURCE, "resourceslices"),
    rule("create delete", _RESOURCE, "resourceclaims"),
    rule(READ, _RESOURCE, "devicetaintrules"),
    rule("patch update", _RESOURCE, "resourceclaims/binding"),
)

_CONTROLLER_MANAGER = (
    EVENTS,
    rule("create", _COORDINATION, "leases"),
    rule("get update", _COORDINATION, "leases", names="kube-controller-manager"),
    rule("create", "core", "secrets serviceaccounts"),
    rule("delete", "core", "secrets"),
    rule("get", "core", "namespaces secrets serviceaccounts configmaps"),
    rule("update", "core", "secrets serviceaccounts"),
    *_DELEGATION,
    rule("list watch", "*", "*"),
    rule("create", "core", "serviceaccounts/token"),
)

CLUSTER_ROLES: tuple[JSONObject, ...] = (
    cluster_role("cluster-admin", rule("*", "*", "*"), urls("*", "*")),
    cluster_role(
        "system:discovery",
        urls("get", f"{_HEALTH} /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*"),
    ),
    cluster_role(
        "system:monitoring",
        urls("get", f"/metrics /metrics/slis {_HEALTH} /livez/* /readyz/* /healthz/* /statusz /flagz"),
        rule("get", "core", "nodes/metrics"),
    ),
    cluster_role(
        "system:basic-user",
        rule("create", _AUTHORIZATION, "selfsubjectaccessreviews selfsubjectrulesreviews"),
        rule("create", _AUTHENTICATION, "selfsubjectreviews"),
    ),
    cluster_role("system:public-info-viewer", urls("get", f"{_HEALTH} /version /version/")),
    aggregated_role("admin"),
    aggregated_role("edit", aggregate_to="admin"),
    aggregated_role("view", aggregate_to="edit"),
    cluster_role(
        "system:aggregate-to-admin",
        rule("create", _AUTHORIZATION, "localsubjectaccessreviews"),
        rule(READ_WRITE, _RBAC, "roles rolebindings"),
        aggregate_to="admin",
    ),
    cluster_role("system:aggregate-to-edit", *_EDIT, aggregate_to="edit"),
    cluster_role("system:aggregate-to-view", *_VIEW, aggregate_to="view"),
    cluster_role(
        "system:heapster",
        rule(READ, "core", "events pods nodes namespaces"),
        rule(READ, "extensions", "deployments"),
    ),
    cluster_role("system:node", *_NODE),
    cluster_role(
        "system:node-problem-detector", rule("get", "core", "nodes"), rule("patch", "core", "nodes/status"), EVENTS
    ),
    cluster_role(
        "system:node-bootstrapper", rule("create get list watch", _CERTIFICATES, "certificatesigningrequests")
    ),
    cluster_role("system:auth-delegator", *_DELEGATION),
    cluster_role("system:kube-aggregator", rule(READ, "core", "services endpoints")),
    cluster_role(_MANAGER, *_CONTROLLER_MANAGER),
    cluster_role("system:kube-dns", rule("list watch", "core", "endpoints services")),
    cluster_role(
        "system:persistent-volume-provisioner",
        rule("get list watch create delete", "core", "persistentvolumes"),
        rule("get list watch update", "core", "persistentvolumeclaims"),
        rule(READ, _STORAGE, "storageclasses"),
        rule("watch", "core", "events"),
        EVENTS,
    ),
    *(
        cluster_role(
            f"system:{_CERTIFICATES}:certificatesigningrequests:{kind}",
            rule("create", _CERTIFICATES, f"certificatesigningrequests/{kind}"),
        )
        for kind in ("nodeclient", "selfnodeclient")
    ),
    cluster_role(
        "system:volume-scheduler",
        rule(READ_UPDATE, "core", "persistentvolumes"),
        rule(READ, _STORAGE, "storageclasses"),
        rule(READ_UPDATE, "core", "persistentvolumeclaims"),
    ),
    *(
        cluster_role(
            f"system:{_CERTIFICATES}:{signer}-approver",
            rule("approve", _CERTIFICATES, "signers", names=f"kubernetes.io/{signer}"),
        )
        for signer in _SIGNERS
    ),
    cluster_role(
        "system:service-account-issuer-discovery",
        urls(
            "get",
            "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/",
        ),
    ),
    cluster_role(
        "system:kubelet-api-admin",
        rule(READ, "core", "nodes"),
        rule("proxy", "core", "nodes"),
        rule("*", "core", "nodes/proxy nodes/metrics nodes/stats nodes/log"),
        rule("*", "core", "nodes/pods nodes/healthz nodes/configz"),
    ),
    cluster_role(
        "system:node-proxier",
        rule("list watch", "core", "services endpoints"),
        rule(READ, "core", "nodes"),
        EVENTS,
        rule("list watch", _NETWORKING, "servicecidrs"),
        rule("list watch", _DISCOVERY, "endpointslices"),
    ),
    cluster_role(_SCHEDULER, *_KUBE_SCHEDULER),
    cluster_role("system:cluster-trust-bundle-discovery", rule(READ, _CERTIFICATES, "clustertrustbundles")),
    *(cluster_role(f"{_CONTROLLER}{name}", *rules) for name, rules in CONTROLLER_RULES.items()),
)

CLUSTER_ROLE_BINDINGS: tuple[JSONObject, ...] = (
    cluster_binding("cluster-admin", groups(PRIVILEGED_GROUP)),
    cluster_binding("system:monitoring", groups("system:monitoring")),
    cluster_binding("system:discovery", groups(ALL_AUTHENTICATED)),
    cluster_binding("system:basic-user", groups(ALL_AUTHENTICATED)),
    cluster_binding("system:public-info-viewer", groups(ALL_AUTHENTICATED, ALL_UNAUTHENTICATED)),
    cluster_binding("system:node-proxier", users(_PROXY)),
    cluster_binding(_MANAGER, users(_MANAGER)),
    cluster_binding("system:kube-dns", service_accounts(_SYSTEM, "kube-dns")),
    cluster_binding(_SCHEDULER, users(_SCHEDULER)),
    cluster_binding("system:volume-scheduler", users(_SCHEDULER)),
    # Bound to nobody: the Node authorizer does what this once did.
    cluster_binding("system:node", ()),
    cluster_binding("system:service-account-issuer-discovery", groups(_SERVICE_ACCOUNTS)),
    cluster_binding("system:cluster-trust-bundle-discovery", groups(_SERVICE_ACCOUNTS)),
    *(cluster_binding(f"{_CONTROLLER}{name}", service_accounts(_SYSTEM, name)) for name in CONTROLLER_RULES),
)

_AUTHENTICATION_READER = "extension-apiserver-authentication-reader"
_LOCKS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("kube-controller-manager", _MANAGER, ("leader-election-controller",)),
    ("kube-scheduler", _SCHEDULER, ()),
)

ROLES: tuple[JSONObject, ...] = (
    role(
        _SYSTEM,
        _AUTHENTICATION_READER,
        rule(READ, "core", "configmaps", names="extension-apiserver-authentication"),
    ),
    role(_SYSTEM, f"{_CONTROLLER}bootstrap-signer", rule(READ, "core", "secrets")),
    role(_SYSTEM, f"{_CONTROLLER}cloud-provider", rule("create get list watch", "core", "configmaps")),
    role(_SYSTEM, f"{_CONTROLLER}token-cleaner", rule("get list watch delete", "core", "secrets"), EVENTS),
    *(
        role(
            _SYSTEM,
            f"system::leader-locking-{name}",
            rule("create get list update watch", _COORDINATION, "leases"),
            rule("create get list update watch", _COORDINATION, "leasecandidates"),
        )
        for name, *_ in _LOCKS
    ),
    role(
        _PUBLIC,
        f"{_CONTROLLER}bootstrap-signer",
        rule(READ, "core", "configmaps"),
        rule("update", "core", "configmaps", names="cluster-info"),
        EVENTS,
    ),
)

ROLE_BINDINGS: tuple[JSONObject, ...] = (
    binding(_SYSTEM, f"system::{_AUTHENTICATION_READER}", _AUTHENTICATION_READER, users(_MANAGER, _SCHEDULER)),
    *(
        binding(
            _SYSTEM,
            f"system::leader-locking-{name}",
            f"system::leader-locking-{name}",
            [*users(user), *service_accounts(_SYSTEM, name, *others)],
        )
        for name, user, others in _LOCKS
    ),
    *(
        binding(_SYSTEM, f"{_CONTROLLER}{name}", f"{_CONTROLLER}{name}", service_accounts(_SYSTEM, name))
        for name in ("bootstrap-signer", "cloud-provider", "token-cleaner")
    ),
    binding(
        _PUBLIC,
        f"{_CONTROLLER}bootstrap-signer",
        f"{_CONTROLLER}bootstrap-signer",
        service_accounts(_SYSTEM, "bootstrap-signer"),
    ),
)
