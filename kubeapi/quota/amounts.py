"""Lists of amounts by the name of a resource: how quotas compute. Mirrors `apiserver/pkg/quota/v1/resources.go`."""

from collections.abc import Iterable, Mapping

from generic.meta.quantity import Quantity
from generic.types import JSONObject

Amounts = dict[str, Quantity]

ZERO = Quantity(0)
ONE = Quantity(10**9)
NOTHING: Amounts = {}


def of(given: JSONObject | None) -> Amounts:
    """The amounts of an object's field. One that cannot be read is left out: validation says so, or did long ago."""
    found = {}
    for name, text in (given or {}).items():
        try:
            found[name] = Quantity.parse(str(text))
        except ValueError:
            continue
    return found


def count(number: int) -> Quantity:
    """Of things."""
    return Quantity(number * 10**9)


def add(one: Mapping[str, Quantity], other: Mapping[str, Quantity]) -> Amounts:
    """The sum, of the names of both."""
    return {**one, **{name: one[name] + amount if name in one else amount for name, amount in other.items()}}


def growth(after: Mapping[str, Quantity], before: Mapping[str, Quantity]) -> Amounts:
    """By how much each has grown; what has shrunk has grown by nothing."""
    return {name: max(amount - before[name], ZERO) if name in before else amount for name, amount in after.items()}


def only(amounts: Mapping[str, Quantity], names: Iterable[str]) -> Amounts:
    """Those of these names."""
    return {name: amounts[name] for name in names if name in amounts}


def text(amounts: Mapping[str, Quantity]) -> str:
    """As messages have it."""
    return ",".join(f"{name}={amounts[name]}" for name in sorted(amounts))


def to_object(amounts: Mapping[str, Quantity]) -> JSONObject:
    """As a field has it."""
    return {name: str(amount) for name, amount in amounts.items()}
