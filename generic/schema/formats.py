"""The string formats that CRDs may ask for; others are documentation. Called by `rules.py`.

Mirrors `kube-openapi/pkg/validation/strfmt` and the list of supported formats in `apiextensions-apiserver`.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from generic.schema import go_words

_INT32_END = 1 << 31
_INT64_END = 1 << 63


def _matching(pattern: str) -> Callable[[str], bool]:
    match = re.compile(pattern).fullmatch
    return lambda value: match(value) is not None


def _ip(version: int) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            return ipaddress.ip_address(value).version == version
        except ValueError:
            return False

    return check


def _cidr(value: str) -> bool:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return "/" in value


def _uri(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return bool(parts.scheme) or value.startswith("/")


def _date(value: str) -> bool:
    return len(value) == 10 and not go_words.time_error(f"{value}T00:00:00Z", go_words.TIME_LAYOUT)


def _date_time(value: str) -> bool:
    return not go_words.time_error(value.upper(), go_words.TIME_LAYOUT)


_GO_DURATION = r"[-+]?(0|((\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+)"
_LONG_DURATION = r"(\d+)\s*(ns|nano|us|micro|ms|milli|s|sec|m|min|h|hr|hour|d|day|w|wk|week)s?"
_UUID = r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?%s-?%s-?[0-9a-f]{12}"
_ANY4 = "[0-9a-f]{4}"
_VARIANT = "[89ab][0-9a-f]{3}"

_TEXT: Mapping[str, Callable[[str], bool]] = {
    "byte": lambda value: not go_words.base64_error(value),
    "date": _date,
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": _matching(f"{_GO_DURATION}|{_LONG_DURATION}"),
    "ipv4": _ip(4),
    "ipv6": _ip(6),
    "cidr": _cidr,
    "mac": _matching(r"(?i)[0-9a-f]{2}([:-][0-9a-f]{2}){5}([:-][0-9a-f]{2}){0,14}|([0-9a-f]{4}\.){2,9}[0-9a-f]{4}"),
    "uri": _uri,
    "email": _matching(r"(.*<)?[^@\s<>]+@[^@\s<>]+>?"),
    "hostname": _matching(r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,62})?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62})?)*\.?"),
    "uuid": _matching(_UUID % (_ANY4, _ANY4)),
    "uuid3": _matching(_UUID % ("3[0-9a-f]{3}", _ANY4)),
    "uuid4": _matching(_UUID % ("4[0-9a-f]{3}", _VARIANT)),
    "uuid5": _matching(_UUID % ("5[0-9a-f]{3}", _VARIANT)),
    "hexcolor": _matching(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})"),
    "rgbcolor": _matching(r"rgb\(\s*\d{1,3}\s*,\s*\d{1,3}\s*,\s*\d{1,3}\s*\)"),
    "bsonobjectid": _matching(r"[0-9a-fA-F]{24}"),
    "isbn10": _matching(r"\d{9}[\dX]"),
    "isbn13": _matching(r"\d{13}"),
    "creditcard": _matching(r"\d{13,19}"),
    "ssn": _matching(r"\d{3}[- ]?\d{2}[- ]?\d{4}"),
}


def _of_text(check: Callable[[str], bool]) -> Callable[[Any], bool]:
    return lambda value: type(value) is not str or check(value)


def _within(end: int) -> Callable[[Any], bool]:
    return lambda value: (type(value) is not int and type(value) is not float) or -end <= value < end


CHECKS: Mapping[str, Callable[[Any], bool]] = {
    **{name: _of_text(check) for name, check in _TEXT.items()},
    "int32": _within(_INT32_END),
    "int64": _within(_INT64_END),
}
"""Whether a value has the format; a value of another type has it."""
