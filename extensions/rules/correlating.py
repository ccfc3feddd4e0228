"""Which part of an old object a part of the new one was, and whether it changed. Called by `evaluating.py`.

Mirrors CorrelatedObject of `apiserver/pkg/cel/common/equality.go` and ratchetingOptions of
`apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from generic.schema.json_equal import same

ABSENT: Any = object()
"""There was no such part."""


class Correlation:
    """A new value and the old one in its place."""

    def __init__(self, value: Any, old: Any) -> None:
        self.value = value
        self.old = old

    @cached_property
    def unchanged(self) -> bool:
        return same(self.value, self.old)


@dataclass(frozen=True, slots=True)
class Ratchet:
    """Decides for one part whether its errors are old ones. `nearest`: of the closest part above with an old value."""

    current: Correlation | None
    nearest: Correlation | None
    at_root: bool = False

    @property
    def unchanged(self) -> bool:
        held = self.current if self.current is not None else self.nearest
        return held is not None and held.unchanged

    def member(self, name: str, *, correlates: bool) -> "Ratchet":
        """For a member of an object or a map."""
        if self.current is None:
            return Ratchet(None, self.nearest)
        if self.at_root and name in ("apiVersion", "kind"):
            # Both are of the same version by now: whether the version changed cannot be seen.
            return Ratchet(None, None)
        old, value = self.current.old, self.current.value
        if not correlates or not isinstance(old, dict) or name not in old:
            return Ratchet(None, self.current)
        return Ratchet(Correlation(value[name], old[name]), self.current)

    def item(self, value: Any, old: Any) -> "Ratchet":
        """For an item of a list and the old one that has its key, if there is one."""
        if self.current is None:
            return Ratchet(None, self.nearest)
        return Ratchet(Correlation(value, old) if old is not ABSENT else None, self.current)
