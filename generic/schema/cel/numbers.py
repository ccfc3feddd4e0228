"""Quantities and semantic versions. Part of `functions.py`.

Mirrors `apiserver/pkg/cel/library/{quantity,semverlib}.go`.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from generic.meta.quantity import Quantity
from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError
from generic.schema.cel.values import Semver

_NANO = 10**9
_INT64_END = 1 << 63
_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?", re.ASCII)
_LOOSE = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?", re.ASCII)


def _parse(text: Any) -> Quantity:
    try:
        return Quantity.parse(text)
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def _is(parse: Callable[..., Any]) -> Callable[..., bool]:
    def check(*args: Any) -> bool:
        try:
            parse(*args)
        except EvaluationError:
            return False
        return True

    return check


def _quantity(value: Any) -> Quantity:
    if type(value) is int:
        return Quantity(value * _NANO)
    if type(value) is not Quantity:
        raise EvaluationError(NO_OVERLOAD)
    return value


def _is_integer(value: Any) -> bool:
    nanos = _quantity(value).nanos
    return nanos % _NANO == 0 and -_INT64_END <= nanos // _NANO < _INT64_END


def _as_integer(value: Any) -> int:
    if not _is_integer(value):
        raise EvaluationError("cannot convert value to integer")
    return int(value.nanos // _NANO)


def _semver(text: Any, normalize: bool = False) -> Semver:  # noqa: FBT001, FBT002 -- the function's own shape in CEL
    match = (_LOOSE if normalize else _SEMVER).fullmatch(text)
    if match is None:
        raise EvaluationError("Invalid character(s) found in version number or the version is incomplete")
    major, minor, patch = (int(match[at] or 0) for at in (1, 2, 3))
    prerelease = tuple(match[4].split(".")) if match[4] else ()
    if any(not part or (part.isdigit() and part != str(int(part))) for part in prerelease):
        raise EvaluationError(f'Invalid prerelease "{match[4]}"')
    return Semver((major, minor, patch), prerelease)


def _compare(left: Any, right: Any) -> int:
    if type(left) is Semver and type(right) is Semver:
        return (left.key() > right.key()) - (left.key() < right.key())
    one, other = _quantity(left).nanos, _quantity(right).nanos
    return (one > other) - (one < other)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "quantity": _parse,
    "isQuantity": _is(_parse),
    "isInteger": _is_integer,
    "asInteger": _as_integer,
    "asApproximateFloat": lambda value: _quantity(value).nanos / _NANO,
    "sign": lambda value: (_quantity(value).nanos > 0) - (_quantity(value).nanos < 0),
    "add": lambda left, right: _quantity(left) + _quantity(right),
    "sub": lambda left, right: _quantity(left) - _quantity(right),
    "isGreaterThan": lambda left, right: _compare(left, right) > 0,
    "isLessThan": lambda left, right: _compare(left, right) < 0,
    "compareTo": _compare,
    "semver": _semver,
    "isSemver": _is(_semver),
    "major": lambda version: version.numbers[0],
    "minor": lambda version: version.numbers[1],
    "patch": lambda version: version.numbers[2],
}

_QUANTITY, _VERSION = "kubernetes.Quantity", "kubernetes.Semver"
SIGNATURES = (
    f"quantity(string): {_QUANTITY}",
    "isQuantity(string): bool",
    f"{_QUANTITY}.isInteger(): bool",
    f"{_QUANTITY}.asInteger(): int",
    f"{_QUANTITY}.asApproximateFloat(): double",
    f"{_QUANTITY}.sign(): int",
    *(f"{_QUANTITY}.{name}({other}): {_QUANTITY}" for name in ("add", "sub") for other in (_QUANTITY, "int")),
    *(f"{kind}.isGreaterThan({kind}): bool" for kind in (_QUANTITY, _VERSION)),
    *(f"{kind}.isLessThan({kind}): bool" for kind in (_QUANTITY, _VERSION)),
    *(f"{kind}.compareTo({kind}): int" for kind in (_QUANTITY, _VERSION)),
    f"semver(string): {_VERSION}",
    f"semver(string, bool): {_VERSION}",
    "isSemver(string): bool",
    "isSemver(string, bool): bool",
    *(f"{_VERSION}.{name}(): int" for name in ("major", "minor", "patch")),
)
