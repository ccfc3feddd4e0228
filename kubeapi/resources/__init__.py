"""The built-in kinds: one table line each, and how they become Resources.

Called by `kubeapi/server.py`. Columns, defaults, validation, strategies and conversions are in the folders
beside the tables, a file per API group. Mirrors `pkg/registry` and `pkg/apis`.
"""

from collections.abc import Sequence
from dataclasses import replace

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
from kubeapi.resources.strategies.core import EVENT_TTL, EventStrategy

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


def all_kinds(*, event_ttl: float = EVENT_TTL) -> Sequence[BuiltinKind]:
    """Every built-in kind that is stored, in every version it is served in. Events are kept so many seconds."""
    return [
        replace(kind, strategy=kind.strategy.keeping(event_ttl)) if isinstance(kind.strategy, EventStrategy) else kind
        for group in _GROUPS
        for kind in group.KINDS
    ]
