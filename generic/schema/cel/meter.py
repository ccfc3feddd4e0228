"""Meter: what an evaluation has cost so far, in CEL's units, and when it is cut off. Charged by every step."""

from generic.schema.cel.errors import BudgetExceeded


class Meter:
    """`limit`: the units one evaluation may cost."""

    __slots__ = ("limit", "spent")

    def __init__(self, limit: int) -> None:
        self.spent = 0
        self.limit = limit

    def charge(self, units: int) -> None:
        """Raises BudgetExceeded."""
        self.spent += units
        if self.spent > self.limit:
            raise BudgetExceeded
