"""The trace of one request: who looked at it, what they decided, and when.

Appending a step costs one tuple; nothing is formatted until somebody asks (`Trikube-Trace: 1`, the
console, `trikube explain-request`). DESIGN.md section 7.
"""

from time import perf_counter
from typing import NamedTuple


class Step(NamedTuple):
    """One thing that happened: `component` is a server or filter, `decision` what it did; `at` in seconds."""

    component: str
    decision: str
    at: float


class Trace:
    """The steps of one request, in order."""

    __slots__ = ("started", "steps")

    def __init__(self) -> None:
        self.started = perf_counter()
        self.steps: list[Step] = []

    def add(self, component: str, decision: str) -> None:
        self.steps.append(Step(component, decision, perf_counter()))

    def hops(self) -> list[tuple[str, str]]:
        """Component and decision of each step, without times: what tests of the delegation order compare."""
        return [(step.component, step.decision) for step in self.steps]

    def summary(self) -> str:
        """`component=decision` for each step, comma separated: for a log line."""
        return ",".join(f"{step.component}={step.decision}" for step in self.steps)

    def header(self) -> str:
        """`component=decision;t=<microseconds since arrival>` for each step, comma separated."""
        return ", ".join(f"{s.component}={s.decision};t={int((s.at - self.started) * 1e6)}" for s in self.steps)
