"""Checks shared by many kinds: labels, annotations, label selectors, field managers, immutability.

Called by object_meta and by the strategies of kinds. Every function returns the field errors it found.
Mirrors `apimachinery/pkg/apis/meta/v1/validation` and `pkg/api/validation`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject

ANNOTATIONS_LIMIT = 256 * 1024
"""Bytes of all annotation keys and values of one object together."""

_MANAGER_LIMIT = 128
_PATH_OF_DOMAIN = r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+"


def labels(values: Mapping[str, str], path: str) -> list[FieldError]:
    """Keys are qualified names, values label values."""
    found: list[FieldError] = []
    for key, value in values.items():
        found += label_name(key, path)
        found += [fields.invalid(path, value, message) for message in names.label_value(value)]
    return found


def label_name(name: str, path: str) -> list[FieldError]:
    """One label key."""
    return [fields.invalid(path, name, message) for message in names.qualified_name(name)]


def annotations(values: Mapping[str, str], path: str) -> list[FieldError]:
    """Keys are qualified names whose case does not matter; the whole is bounded in size."""
    found = [fields.invalid(path, key, message) for key in values for message in names.qualified_name(key.lower())]
    if sum(_size(key) + _size(value) for key, value in values.items()) > ANNOTATIONS_LIMIT:
        found.append(fields.too_long(path, ANNOTATIONS_LIMIT))
    return found


def domain_prefixed_path(value: str, path: str) -> list[FieldError]:
    """Such as `example.com/controller`."""
    if not value:
        return [fields.required(path)]
    domain, slash, rest = value.partition("/")
    if not slash or not domain or not rest:
        return [fields.invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    found = [fields.invalid(path, domain, why) for why in names.dns1123_subdomain(domain)]
    if not re.fullmatch(_PATH_OF_DOMAIN, rest):
        found.append(fields.invalid(path, rest, names.regex_mismatch("Invalid path", _PATH_OF_DOMAIN)))
    return found


def label_selector(selector: JSONObject | None, path: str) -> list[FieldError]:
    """A `LabelSelector` object."""
    if selector is None:
        return []
    found = labels(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for at, expression in enumerate(selector.get("matchExpressions") or ()):
        found += _selector_requirement(expression, f"{path}.matchExpressions[{at}]")
    return found


def _selector_requirement(expression: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    operator, values = expression.get("operator") or "", expression.get("values") or []
    if operator in ("In", "NotIn"):
        if not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            found.append(fields.required(f"{path}.values", why))
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found.append(fields.forbidden(f"{path}.values", why))
    else:
        found.append(fields.invalid(f"{path}.operator", operator, "not a valid selector operator"))
    found += label_name(expression.get("key") or "", f"{path}.key")
    for at, value in enumerate(values):
        found += [fields.invalid(f"{path}.values[{at}]", value, message) for message in names.label_value(value)]
    return found


def field_manager(manager: str, path: str) -> list[FieldError]:
    """At most 128 bytes, printable."""
    found = [fields.too_long(path, _MANAGER_LIMIT)] if _size(manager) > _MANAGER_LIMIT else []
    at = 0
    for char in manager:
        if not char.isprintable():
            found.append(fields.invalid(path, manager, f"invalid character U+{ord(char):04X} (at position {at})"))
        at += _size(char)
    return found


def nonnegative(value: int, path: str) -> list[FieldError]:
    """An integer that counts something."""
    return [] if value >= 0 else [fields.invalid(path, value, "must be greater than or equal to 0")]


def immutable(new: Any, old: Any, path: str) -> list[FieldError]:
    """A value that may not change; absent, null and empty are the same."""
    return [] if (new or None) == (old or None) else [fields.invalid(path, new, fields.IMMUTABLE)]


def no_new_finalizers(new: Sequence[str], old: Sequence[str], path: str) -> list[FieldError]:
    """An object being deleted may lose finalizers but not gain any."""
    extra = sorted(set(new) - set(old))
    if not extra:
        return []
    # Go prints the list as a literal of its language.
    shown = ", ".join(f'"{name}"' for name in extra)
    why = "no new finalizers can be added if the object is being deleted, found new finalizers"
    return [fields.forbidden(path, f"{why} []string{{{shown}}}")]


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
