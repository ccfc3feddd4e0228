"""Where a running expression finds its variables. Used by `evaluate.py` and `folds.py`."""

from collections.abc import Callable
from typing import Any

Frame = list[Any]
"""The meter first, then one place per variable."""
Run = Callable[[Frame], Any]
"""A compiled node: its value in a frame. Raises EvaluationError and BudgetExceeded."""


class Scope:
    """Gives each variable of an expression its place in the frame."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._open: dict[str, list[int]] = {name: [at] for at, name in enumerate(names, 1)}
        self.size = len(names) + 1

    def find(self, name: str) -> int | None:
        slots = self._open.get(name)
        return slots[-1] if slots else None

    def enter(self, name: str) -> int:
        """A place for a variable that hides others of its name until `leave`."""
        slot = self.size
        self.size += 1
        self._open.setdefault(name, []).append(slot)
        return slot

    def leave(self, name: str) -> None:
        self._open[name].pop()
