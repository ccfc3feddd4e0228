"""The built-in kinds: one table line each, and how they become Resources.

Called by `kubeapi/server.py`. Columns, defaults, validation, strategies and conversions are in the folders
beside the tables, a file per API group. Mirrors `pkg/registry` and `pkg/apis`.
"""

from collections.abc import Sequence

from kubeapi.resources import (
    admissionregistration,
    apps,
    autoscaling,
    batch,
    certificates,
    core,
    discovery,
    events,
    flowcontrol,
    networking,
    policy,
    rbac,
    resource,
    scheduling,
    storage,
)
from kubeapi.resources.kinds import BuiltinKind

_GROUPS = (
    core,
    apps,
    batch,
    autoscaling,
    policy,
    networking,
    discovery,
    events,
    rbac,
    storage,
    scheduling,
    admissionregistration,
    flowcontrol,
    certificates,
    resource,
)


def all_kinds() -> Sequence[BuiltinKind]:
    """Every built-in kind that is stored, in every version it is served in."""
    return [kind for group in _GROUPS for kind in group.KINDS]
