"""Values as Go prints them: what stands in messages and cells that Kubernetes' clients know.

Mirrors `%q`, `%v` and `%+v` of Go's `fmt`, and `encoding/json`.
"""

from math import isfinite
from typing import Any

import orjson

_ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
}


def quote(text: str) -> str:
    """A string by `%q`."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return '"' + "".join(map(_escaped, text)) + '"'


def number(value: float) -> str:
    """A float by `%v`: the shortest digits, exponents only below 1e-4 and from 1e21."""
    if isfinite(value) and value == int(value) and abs(value) < 1e21:
        return str(int(value))
    shortest = repr(value)
    if "e" not in shortest:
        return shortest
    digits, _, exponent = shortest.partition("e")
    return f"{digits}e{int(exponent):+03d}"


def plain(value: Any) -> str:
    """Any JSON value by `%+v`: no quotes, and maps in the order of their keys."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{plain(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(plain, value))}]"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    return number(value) if isinstance(value, float) else str(value)


def to_json(value: Any, *, ordered: bool = False) -> str:
    """A map in the order of its keys, or, if `ordered` as a struct's fields are, in its own; no HTML in it."""
    encoded = orjson.dumps(value, option=None if ordered else orjson.OPT_SORT_KEYS).decode()
    for char in "<>&":
        encoded = encoded.replace(char, f"\\u{ord(char):04x}")
    return encoded


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
