"""The kinds of apps/v1. Mirrors `pkg/registry/apps/rest/storage_apps.go`."""

from functools import partial

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import workloads as columns
from kubeapi.resources.kinds import STATUS, STATUS_AND_SCALE, BuiltinKind
from kubeapi.resources.strategies import workloads as strategies

_kind = partial(BuiltinKind, GroupVersion("apps", "v1"), namespaced=True)
_ALL = ("all",)

KINDS: tuple[BuiltinKind, ...] = (
    _kind(
        "ControllerRevision",
        "controllerrevisions",
        strategy=strategies.CONTROLLER_REVISION,
        columns=columns.CONTROLLER_REVISION,
    ),
    _kind(
        "DaemonSet",
        "daemonsets",
        short_names=("ds",),
        categories=_ALL,
        strategy=strategies.DAEMON_SET,
        columns=columns.DAEMON_SET,
        subresources=STATUS,
    ),
    _kind(
        "Deployment",
        "deployments",
        short_names=("deploy",),
        categories=_ALL,
        strategy=strategies.DEPLOYMENT,
        columns=columns.DEPLOYMENT,
        subresources=STATUS_AND_SCALE,
    ),
    _kind(
        "ReplicaSet",
        "replicasets",
        short_names=("rs",),
        categories=_ALL,
        strategy=strategies.REPLICA_SET,
        columns=columns.REPLICA_SET,
        subresources=STATUS_AND_SCALE,
    ),
    _kind(
        "StatefulSet",
        "statefulsets",
        short_names=("sts",),
        categories=_ALL,
        strategy=strategies.STATEFUL_SET,
        columns=columns.STATEFUL_SET,
        subresources=STATUS_AND_SCALE,
    ),
)
