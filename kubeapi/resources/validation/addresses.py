"""Addresses, and names that stand for them. Mirrors `apimachinery/pkg/util/validation/ip.go`."""

import ipaddress
import re

from generic.meta import fields, names
from generic.meta.fields import FieldError

_LABEL = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_UNDERSCORED = rf"{_LABEL}(\.{_LABEL})*"
_is_underscored = re.compile(_UNDERSCORED).fullmatch
_LIMIT = 253
_NOT_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_NOT_CIDR = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


def ip(value: str, path: str) -> list[FieldError]:
    """An address of either family."""
    return [] if _parsed(value) is not None else [fields.invalid(path, value, _NOT_IP)]


def cidr(value: str, path: str) -> list[FieldError]:
    """A network of either family; bits beyond its length may be set."""
    address, slash, _ = value.partition("/")
    try:
        if not slash or _parsed(address) is None:
            raise ValueError(value)
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return [fields.invalid(path, value, _NOT_CIDR)]
    return []


def _parsed(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        return None


def underscored_subdomain(value: str, path: str) -> list[FieldError]:
    """A DNS subdomain as search lists have it."""
    problems = [names.too_long(_LIMIT)] if len(value) > _LIMIT else []
    if not _is_underscored(value):
        what = (
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', "
            "and must start and end with an alphanumeric character"
        )
        problems.append(names.regex_mismatch(what, _UNDERSCORED, "example.com"))
    return [fields.invalid(path, value, problem) for problem in problems]
