"""BuiltinKind: one line of the tables of built-in kinds, and what a table line is made with.

Each file of an API group beside this one holds `KINDS`, a tuple of these; `kubeapi.resources.all_kinds()` joins
them and `build.py` turns them into Resources. Mirrors `pkg/registry/<group>/rest/storage_<group>.go`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from generic.meta.gvk import GroupVersion, GroupVersionKind, GroupVersionResource
from generic.meta.tables import Column, default_columns
from generic.registry.resource import Converter
from generic.registry.strategy import Strategy
from generic.storage.objects import FieldGetter
from generic.types import JSONObject
from kubeapi.resources.strategies.base import KindStrategy

PLAIN = KindStrategy()
"""For kinds that have nothing of their own."""


@dataclass(frozen=True, slots=True)
class BuiltinKind:
    """What is known of a built-in kind in one version, beyond its schema."""

    group_version: GroupVersion
    kind: str
    plural: str
    namespaced: bool
    singular: str = ""
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()
    strategy: Strategy = PLAIN
    columns: Sequence[Column] = field(default_factory=default_columns)
    selectable_fields: Mapping[str, FieldGetter] = field(default_factory=dict)
    """How to read each field label off the stored object, whatever version that is in."""
    subresources: frozenset[str] = frozenset()
    """Those that are served: `status`, `scale`, `finalize`, ..."""
    storage_version: GroupVersion | None = None
    """None: stored in this very version. Its group counts too: events.k8s.io shares the core group's store."""
    converter: Converter | None = None
    deprecation_warning: str = ""
    deletes_collections: bool = True
    """Whether the collection can be deleted with one request."""

    @property
    def gvk(self) -> GroupVersionKind:
        return self.group_version.with_kind(self.kind)

    @property
    def gvr(self) -> GroupVersionResource:
        return self.group_version.with_resource(self.plural)


def text_at(*path: str) -> FieldGetter:
    """Reads a selectable field: strings as they are, booleans as `true` and `false`, anything missing as empty."""

    def get(obj: JSONObject) -> str:
        value: object = obj
        for key in path:
            if not isinstance(value, dict):
                return ""
            value = value.get(key)
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    return get


STATUS = frozenset({"status"})
STATUS_AND_SCALE = frozenset({"status", "scale"})
