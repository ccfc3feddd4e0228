"""Owner references, and which owners are known not to exist.

Used by `graph.py` and `collecting.py`. Mirrors `pkg/controller/garbagecollector/uid_cache.go` (ReferenceCache).
"""

from collections import OrderedDict
from typing import NamedTuple, Self

from generic.meta.gvk import GroupVersion, GroupVersionKind
from generic.types import JSONObject

REMEMBERED = 500
"""As many absent owners as Kubernetes remembers."""


class Reference(NamedTuple):
    """What an owner reference says. `blocks`: the owner waits for the dependent in foreground deletion."""

    api_version: str
    kind: str
    name: str
    uid: str
    blocks: bool

    @classmethod
    def of(cls, ref: JSONObject) -> Self:
        """From the object in metadata.ownerReferences."""
        api_version, kind = ref.get("apiVersion") or "", ref.get("kind") or ""
        return cls(
            api_version, kind, ref.get("name") or "", ref.get("uid") or "", ref.get("blockOwnerDeletion") is True
        )

    @property
    def gvk(self) -> GroupVersionKind:
        """Raises ValueError if the apiVersion is none."""
        return GroupVersion.parse(self.api_version).with_kind(self.kind)


class Absent:
    """The last owners that were found not to exist. A UID comes once only: what is absent stays so."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._held: OrderedDict[tuple[GroupVersionKind, str, str, str], None] = OrderedDict()

    def add(self, gvk: GroupVersionKind, namespace: str, name: str, uid: str) -> None:
        """`namespace` is empty for a kind without."""
        key = (gvk, namespace, name, uid)
        self._held[key] = None
        self._held.move_to_end(key)
        if len(self._held) > self._limit:
            self._held.popitem(last=False)

    def has(self, ref: Reference, namespace: str) -> bool:
        """Whether the owner of a dependent in `namespace` is one of them, be its kind namespaced or not."""
        try:
            gvk = ref.gvk
        except ValueError:
            return False
        return any((gvk, place, ref.name, ref.uid) in self._held for place in {"", namespace})
