"""Quantity: the numbers of resources and sizes, such as `500m`, `1.5Gi` and `2e3`.

Called by strategies and admission that compare or add resources, and by the CEL library. Exact: a quantity is
a whole number of nanos. Mirrors `apimachinery/pkg/api/resource`.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

Form = Literal["BinarySI", "DecimalSI", "DecimalExponent"]

_PARTS = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)").fullmatch
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)").fullmatch
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()}

_NANO = 10**9
_MILLI = 10**6
_LARGEST = (2**63 - 1) * _NANO
# Exponents beyond these cap at the largest value or round to one nano, however long the digits.
_EXPONENT_BOUND = 400

_FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_NUMBER_WRONG = "unable to parse numeric part of quantity"
_SUFFIX_WRONG = "unable to parse quantity's suffix"


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """An amount in nanos and the form it is written in. Compares by amount alone."""

    nanos: int
    form: Form = field(default="DecimalSI", compare=False)

    @staticmethod
    def parse(text: str) -> "Quantity":
        """The quantity written in `text`. Rounds away from zero below a nano, caps at 2^63-1.

        Raises ValueError in Kubernetes' words.
        """
        return _parse(text)

    def __str__(self) -> str:
        """The canonical text: no fraction, the largest suffix that leaves a whole number."""
        if self.nanos == 0:
            return "0"
        if self.form == "BinarySI" and abs(self.nanos) >= 1024 * _NANO:
            number, power = _round_up(self.nanos, _NANO), 0
            while number % 1024 == 0 and power < 6:
                number, power = number // 1024, power + 1
            return f"{number}{_BINARY_SUFFIX.get(power, '')}"
        number, exponent = self.nanos, -9
        while number % 1000 == 0 and exponent < 18:
            number, exponent = number // 1000, exponent + 3
        if self.form == "DecimalExponent":
            return f"{number}e{exponent}" if exponent else str(number)
        return f"{number}{_DECIMAL_SUFFIX[exponent]}"

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nanos + other.nanos, self.form if self.nanos else other.form)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nanos - other.nanos, self.form if self.nanos else other.form)

    def __neg__(self) -> "Quantity":
        return Quantity(-self.nanos, self.form)

    @property
    def value(self) -> int:
        """In units, rounded away from zero."""
        return _round_up(self.nanos, _NANO)

    @property
    def milli_value(self) -> int:
        """In thousandths, rounded away from zero."""
        return _round_up(self.nanos, _MILLI)


def canonical(text: str) -> str:
    """The canonical text of the quantity in `text`. Raises ValueError."""
    return str(_parse(text))


@lru_cache(maxsize=4096)
def _parse(text: str) -> Quantity:
    match = _PARTS(text)
    if not text or match is None:
        raise ValueError(_FORMAT_WRONG)
    sign, whole, fraction, suffix = match.groups(default="")
    if not whole and not fraction:
        raise ValueError(_NUMBER_WRONG)
    digits = (whole + fraction).lstrip("0")
    if suffix in _BINARY:
        form: Form = "BinarySI"
        exponent, factor = -len(fraction), 1024 ** _BINARY[suffix]
    else:
        form, decimal = _decimal(suffix)
        exponent, factor = decimal - len(fraction), 1
    nanos = _scaled(digits, exponent + 9, factor)
    if form == "BinarySI" and 0 < nanos < _NANO:
        form = "DecimalSI"
    return Quantity(-nanos if sign == "-" else nanos, form)


def _decimal(suffix: str) -> tuple[Form, int]:
    if suffix in _DECIMAL:
        return "DecimalSI", _DECIMAL[suffix]
    match = _EXPONENT(suffix)
    if match is None or len(match[1]) > 19:
        raise ValueError(_SUFFIX_WRONG)
    return "DecimalExponent", int(match[1])


def _scaled(digits: str, exponent: int, factor: int) -> int:
    """`digits` times ten to the `exponent` times `factor`, rounded up and capped."""
    if not digits:
        return 0
    magnitude = len(digits) + exponent
    if magnitude > _EXPONENT_BOUND:
        return _LARGEST
    if magnitude < -_EXPONENT_BOUND:
        return 1
    if len(digits) > 4 * _EXPONENT_BOUND:
        # The digits behind these cannot matter but for rounding up, so one that is not zero stands for them.
        kept, rest = digits[: 4 * _EXPONENT_BOUND], digits[4 * _EXPONENT_BOUND :]
        exponent += len(rest) - 1
        digits = kept + ("1" if rest.strip("0") else "0")
    number = int(digits) * factor
    number = number * 10**exponent if exponent >= 0 else _round_up(number, 10**-exponent)
    return min(number, _LARGEST)


def _round_up(number: int, unit: int) -> int:
    """`number` in `unit`s, rounded away from zero."""
    return -(-number // unit) if number >= 0 else number // unit
