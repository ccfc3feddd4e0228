"""JSON values as the YAML that gnostic puts into OpenAPI documents in protobuf: in blocks, quoted only where needed.

Called by `documents.py`, thousands of times a document: a YAML library would take seconds. Mirrors
`gnostic-models/compiler` Marshal, save that text of other than harmless characters is quoted more often, and as JSON
does it where that needs escapes: YAML just as well.
"""

import re
from typing import Any

import orjson

_MAX_DEPTH = 100
_PLAIN = re.compile(r"[A-Za-z/](?:[A-Za-z0-9_./+,-]| (?=[A-Za-z]))*").fullmatch
_LIKE_NOTHING_ELSE = re.compile(r"[!-*,/:-~][ -~]*").fullmatch
"""Begins as no number does, and needs no escapes."""
_QUOTE = "'"
_ESCAPES = {point: f"\\u{point:04x}" for point in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)}
"""Fine in JSON as they are, but line ends or no characters in YAML."""
_RESERVED = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"))
"""What some reader of YAML takes for another thing than text, in lower case."""


def dump(value: Any) -> str:
    """The whole text, a line end at its end. Raises ValueError if the value is nested too deeply."""
    return _block(value, 0, 0)


def _block(value: Any, indent: int, depth: int) -> str:
    """The text from where its first line is to begin; further lines are indented."""
    if depth > _MAX_DEPTH:
        raise ValueError("exceeded max depth")
    pad = " " * indent
    if isinstance(value, dict) and value:
        # In steps of four, also from within a list, whose items stand at two.
        further = (indent // 4 + 1) * 4
        lines = [f"{_scalar(key)}:{_member(inner, further, depth + 1)}" for key, inner in value.items()]
        return pad.join(lines)
    if isinstance(value, list) and value:
        return pad.join([f"- {_block(inner, indent + 2, depth + 1)}" for inner in value])
    return f"{_scalar(value)}\n"


def _member(value: Any, indent: int, depth: int) -> str:
    if isinstance(value, dict | list) and value:
        return f"\n{' ' * indent}{_block(value, indent, depth)}"
    return f" {_scalar(value)}\n"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and value.lower() not in _RESERVED:
        if _PLAIN(value):
            return value
        if _LIKE_NOTHING_ELSE(value):
            return f"'{value.replace(_QUOTE, _QUOTE * 2)}'"
    return orjson.dumps(value).decode().translate(_ESCAPES)
