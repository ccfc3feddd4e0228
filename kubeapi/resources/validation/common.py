"""Checks that several groups' validation shares. Mirrors helpers of `pkg/apis/core/validation/validation.go`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.meta.quantity import Quantity
from generic.types import JSONObject

PROTOCOLS = ("SCTP", "TCP", "UDP")
_PORT_NAME_LIMIT = 15


def each(value: Any) -> Iterable[JSONObject]:
    """The objects of a list that may be missing."""
    return value or ()


def supported(value: Any, path: str, choices: Iterable[str], *, required: bool = False) -> list[FieldError]:
    """One of the choices; nothing at all is fine unless required."""
    if not value:
        return [fields.required(path)] if required else []
    known = sorted(choices)
    return [] if value in known else [fields.not_supported(path, value, known)]


def among(value: Any, path: str, choices: Iterable[str]) -> list[FieldError]:
    """One of the choices, which are told in their order; nothing at all is none of them."""
    known = list(choices)
    return [] if value in known else [fields.not_supported(path, value or "", known)]


def required_among(value: Any, path: str, choices: Iterable[str]) -> list[FieldError]:
    """The same, where nothing at all is told in other words."""
    return among(value, path, choices) if value else [fields.required(path)]


def relative_path(value: str, path: str) -> list[FieldError]:
    """A path that stays below where it begins."""
    found = [fields.invalid(path, value, "must be a relative path")] if value.startswith("/") else []
    return found + no_backsteps(value, path)


def no_backsteps(value: str, path: str) -> list[FieldError]:
    """No part of a path goes up."""
    return [fields.invalid(path, value, "must not contain '..'")] if ".." in value.split("/") else []


def quantity(amount: Any) -> Quantity | None:
    """The amount that a quantity is; None for nothing, and for what decoding refused or will."""
    if amount is None:
        return None
    try:
        return Quantity.parse(str(amount))
    except ValueError:
        return None


def positive(value: Any, path: str) -> list[FieldError]:
    """An integer of which there is at least one."""
    return [] if value is None or value > 0 else [fields.invalid(path, value, "must be greater than zero")]


def label(value: Any, path: str, *, required: bool = True) -> list[FieldError]:
    """A DNS label, as names of containers and volumes are."""
    if not value:
        return [fields.required(path)] if required else []
    return [fields.invalid(path, value, message) for message in names.dns1123_label(str(value))]


def subdomain(value: Any, path: str) -> list[FieldError]:
    """A DNS subdomain, as references to most objects are."""
    return [fields.invalid(path, value, message) for message in names.dns1123_subdomain(str(value))]


def between(value: Any, path: str, low: int, high: int) -> list[FieldError]:
    """An integer in a range."""
    if isinstance(value, int) and not isinstance(value, bool) and not low <= value <= high:
        return [fields.invalid(path, value, f"must be between {low} and {high}, inclusive")]
    return []


def port(value: Any, path: str) -> list[FieldError]:
    """A port number."""
    return between(value, path, 1, 65535)


def port_name(value: str, path: str) -> list[FieldError]:
    """An IANA service name."""
    problems = []
    if len(value) > _PORT_NAME_LIMIT:
        problems.append("must be no more than 15 characters")
    if not value or not all(char in "abcdefghijklmnopqrstuvwxyz0123456789-" for char in value):
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not any(char in "abcdefghijklmnopqrstuvwxyz" for char in value):
        problems.append("must contain at least one letter (a-z)")
    if "--" in value:
        problems.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        problems.append("must not begin or end with a hyphen")
    return [fields.invalid(path, value, problem) for problem in problems]


def port_or_name(value: Any, path: str) -> list[FieldError]:
    """An IntOrString that names a port."""
    return port_name(value, path) if isinstance(value, str) else port(value, path)


def not_negative(obj: Mapping[str, Any], keys: Iterable[str], path: str) -> list[FieldError]:
    """Each of the integers, where it is there."""
    return [
        fields.invalid(f"{path}.{key}", value, "must be greater than or equal to 0")
        for key in keys
        if isinstance(value := obj.get(key), int) and value < 0
    ]


def unchanged(obj: JSONObject, old: JSONObject, *path: str) -> list[FieldError]:
    """The value at a path may not differ; absent, null and empty are the same."""
    now, before = _at(obj, path), _at(old, path)
    return [] if (now or None) == (before or None) else [fields.invalid(".".join(path), now, fields.IMMUTABLE)]


def _at(obj: Any, path: Iterable[str]) -> Any:
    for key in path:
        obj = obj.get(key) if isinstance(obj, dict) else None
    return obj


def duplicates(
    items: Iterable[JSONObject], key: Callable[[JSONObject], Any], path: str, field: str
) -> list[FieldError]:
    """Members of a list whose key was there before."""
    seen: set[Any] = set()
    found = []
    for at, item in enumerate(items):
        value = key(item)
        if value in seen:
            found.append(fields.duplicate(f"{path}[{at}]{field}", value))
        elif value:
            seen.add(value)
    return found
