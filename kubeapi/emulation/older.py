"""What an older Kubernetes had of our tables: its kinds, its subresources and its fields.

Called by `kubeapi/server.py` when `Schemas` are of an older version than this server's own; otherwise nothing here
runs. What existed then and is no line of our tables any more stays unserved: alpha and beta versions above all.
Mirrors `apiserver/pkg/server/resource_expiry.go` and the feature gates of KEP-4330.
"""

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from generic.meta.gvk import GroupResource
from generic.registry.rest import InstalledResource
from generic.registry.strategy import Strategy
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.schemas import Schemas, Version

_SINCE = re.compile(r"\bv(\d+)\.(\d+)\+").search
_SUBRESOURCES_SINCE: Mapping[tuple[GroupResource, str], Version] = {
    (GroupResource("", "pods"), "resize"): (1, 33),
}
"""Of kinds that are older: which version brought them. Definitions name no paths."""


def kinds(tables: Iterable[BuiltinKind], schemas: Schemas) -> Sequence[BuiltinKind]:
    """The tables, whose objects get no fields their version did not have: our defaults are those of today.

    Kinds that did not exist yet are among them still: what is not served may be needed within, as the addresses of
    Services are.
    """
    if not schemas.is_emulated:
        return list(tables)
    return [
        replace(
            kind,
            strategy=_fitted(kind.strategy, schemas.object_schema(kind.gvk)),
            subresources=frozenset(name for name in kind.subresources if _existed(kind, name, schemas)),
            deprecation_warning=kind.deprecation_warning if _was_deprecated(kind, schemas) else "",
        )
        for kind in tables
    ]


def served(installed: Iterable[InstalledResource], schemas: Schemas) -> list[InstalledResource]:
    """Those of kinds that existed."""
    return [entry for entry in installed if schemas.has(entry.resource.gvk)]


def _existed(kind: BuiltinKind, subresource: str, schemas: Schemas) -> bool:
    since = _SUBRESOURCES_SINCE.get((kind.gvr.group_resource, subresource), (0, 0))
    return schemas.version >= since


def _was_deprecated(kind: BuiltinKind, schemas: Schemas) -> bool:
    """Warnings name the version since which they are told: `v1 Endpoints is deprecated in v1.33+`."""
    since = _SINCE(kind.deprecation_warning)
    return since is None or (int(since[1]), int(since[2])) <= schemas.version


def _fitted(strategy: Strategy, schema: ObjectSchema) -> Strategy:
    """The same strategy, which drops the fields that the schema does not know from what it made.

    A subclass made on the way, so that whoever asks what kind of strategy it is gets the same answer.
    """
    base = type(strategy)

    def default(self: Strategy, obj: JSONObject) -> None:
        base.default(self, obj)
        schema.prune(obj)

    def canonicalize(self: Strategy, obj: JSONObject) -> None:
        base.canonicalize(self, obj)
        schema.prune(obj)

    fitted = copy.copy(strategy)
    fitted.__class__ = type(base.__name__, (base,), {"default": default, "canonicalize": canonicalize})
    return fitted
