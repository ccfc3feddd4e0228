"""What Go says of JSON that does not fit a type: decoders of times and bytes, and the wording of mismatches.

Called by the nodes of a schema. Mirrors the errors of `encoding/json` (kept by `sigs.k8s.io/json`), `time.Parse`
and `encoding/base64`, which clients see as they are.
"""

import binascii
import re
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from generic.meta.go_text import quote

TIME_LAYOUT = "2006-01-02T15:04:05Z07:00"
MICRO_TIME_LAYOUT = "2006-01-02T15:04:05.000000Z07:00"

_ELEMENT = re.compile(r"2006|01|02|15|04|05|\.000000|Z07:00|.")
_FORMS = {
    "2006": re.compile(r"\d{4}"),
    "01": re.compile(r"\d\d"),
    "02": re.compile(r"\d\d"),
    "15": re.compile(r"\d\d"),
    "04": re.compile(r"\d\d"),
    "05": re.compile(r"\d\d"),
    ".000000": re.compile(r"\.\d{6}(?!\d)"),
    "Z07:00": re.compile(r"Z|[+-]\d\d:\d\d"),
}
_FRACTION = re.compile(r"[.,]\d+")
_RANGES = {"01": ("month", 1, 12), "02": ("day", 1, 31), "15": ("hour", 0, 23), "04": ("minute", 0, 59)}
_RANGES["05"] = ("second", 0, 59)
_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_NAMES: dict[type, str] = {str: "string", bool: "bool", list: "array", dict: "object", int: "number", float: "number"}


class Place(NamedTuple):
    """Where a value stands for Go: the struct type it is in, and the fields on the way there (no indices)."""

    struct: str
    fields: tuple[str, ...] = ()

    def mismatch(self, what: str, go_type: str) -> str:
        """The error of a value of the wrong type."""
        if not self.fields:
            return f"json: cannot unmarshal {what} into Go value of type {go_type}"
        field = ".".join(self.fields)
        return f"json: cannot unmarshal {what} into Go struct field {self.struct}.{field} of type {go_type}"


_MISMATCH = re.compile(r"json: cannot unmarshal (string|number|bool|array|object)( \S+)? into .* of type (\S+)")
_GO_KINDS = {"string": "string", "number": "int64", "bool": "bool", "array": "slice", "object": "map"}
_SCALAR = re.compile("u?int[0-9]*|float[0-9]+|bool|string")


def restore_error(why: str) -> str:
    """What the converter of maps to structs says where the decoder of JSON says `why`.

    Mirrors fromUnstructured of `apimachinery/pkg/runtime/converter.go`.
    """
    match = _MISMATCH.match(why)
    if match is None:
        return why
    # A number that is named is none of the integers.
    given, wanted = "float64" if match[2] else _GO_KINDS[match[1]], match[3]
    if wanted.startswith("map["):
        return f"cannot restore map from {given}"
    if wanted.startswith("[]"):
        return f"cannot restore slice from {given}"
    if not _SCALAR.fullmatch(wanted):
        return f"cannot restore struct from: {given}"
    # To Go a number can become a string, of the one character that it stands for, and lose its fraction: then it is
    # not the type that is wrong.
    convertible = (given, wanted) == ("int64", "string") or (given == "float64" and "int" in wanted)
    return f"cannot convert {given} to {wanted}" if convertible else f"unrecognized type: {wanted}"


def name_of(value: Any) -> str:
    """What Go calls a JSON value of this type."""
    return _NAMES.get(type(value), "null")


def literal(value: Any) -> str:
    """A number as it stood in the JSON, or nearly."""
    return orjson.dumps(value).decode() if not isinstance(value, int) or abs(value) < 1 << 63 else str(value)


def time_error(text: str, layout: str) -> str:
    """What `time.Parse` says of a text; empty if it parses."""
    if layout == TIME_LAYOUT and _is_plain_time(text):
        return ""
    rest, values = text, {"02": "1"}
    head = f"parsing time {quote(text)}"
    for element in _ELEMENT.findall(layout):
        form = _FORMS.get(element)
        match = form.match(rest) if form else None
        if form is None and rest.startswith(element):
            rest = rest[1:]
            continue
        if match is None:
            return f"{head} as {quote(layout)}: cannot parse {quote(rest)} as {quote(element)}"
        values[element], rest = match[0], rest[match.end() :]
        if element in _RANGES:
            name, low, high = _RANGES[element]
            if not low <= int(values[element]) <= high:
                return f"{head}: {name} out of range"
        fraction = _FRACTION.match(rest) if element == "05" and ".000000" not in layout else None
        if fraction:
            rest = rest[fraction.end() :]
    if rest:
        return f"{head}: extra text: {quote(rest)}"
    year = int(values["2006"])
    try:
        datetime(year or 4, int(values["01"]), int(values["02"]))
    except ValueError:
        return f"{head}: day out of range"
    return ""


def _is_plain_time(text: str) -> bool:
    """The form everybody writes: `2026-01-02T03:04:05Z`."""
    if len(text) != 20 or text[19] != "Z" or text[10] != "T":
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return text.isascii()


def base64_error(text: str) -> str:
    """What `encoding/base64` says of a text; empty if it decodes. Line ends do not count."""
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        pass
    else:
        return ""
    count = 0
    for at, char in enumerate(text):
        if char in "\r\n":
            continue
        if char == "=" and count % 4 >= 2:
            return _padding_error(text, at, count % 4)
        if char not in _ALPHABET:
            return _illegal(at)
        count += 1
    return _illegal(len(text) - count % 4) if count % 4 else ""


def _padding_error(text: str, at: int, filled: int) -> str:
    """The text has its first `=` at `at`, after `filled` of the four characters of a group."""
    rest = [(index, char) for index, char in enumerate(text[at + 1 :], at + 1) if char not in "\r\n"]
    if filled == 2:
        if not rest:
            return _illegal(len(text))
        if rest[0][1] != "=":
            return _illegal(rest[0][0] - 1)
        rest = rest[1:]
    return _illegal(rest[0][0]) if rest else ""


def _illegal(at: int) -> str:
    return f"illegal base64 data at input byte {at}"
