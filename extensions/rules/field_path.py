"""The `fieldPath` of a rule: which field to blame, as a JSON path relative to where the rule stands.

Called when a definition is validated, its selectable fields too, and when its rules are compiled. Mirrors
ValidFieldPath of `apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go`.
"""

import re

from generic.types import JSONObject

_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|[.\[\]]|[^.\[\]]+", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


class PathError(ValueError):
    """The path is not one, or leads nowhere; the text says why."""


def normalize(path: str, schema: JSONObject) -> str:
    """The path as field errors show it: `.foo['a.b']` becomes `foo[a.b]` where foo is a map. Raises PathError."""
    return follow(path, schema)[0]


def follow(path: str, schema: JSONObject, *, brackets: bool = True) -> tuple[str, JSONObject]:
    """The same, and the schema of what the path leads to. Raises PathError."""
    tokens = iter(_TOKEN.findall(path))
    made, here = "", schema
    for token in tokens:
        if token == ".":
            name = next(tokens, None)
            if name is None:
                raise PathError("unexpected end of JSON path")
        elif token == "[" and not brackets:
            raise PathError("array notation is not allowed")
        elif token == "[":
            name = _quoted(next(tokens, None))
            closing = next(tokens, None)
            if closing is None:
                raise PathError("unexpected end of JSON path")
            if closing != "]":
                raise PathError(f"expected ] but got {closing}")
        else:
            raise PathError(f"expected [ or . but got: {token}")
        step, here = _step(here, name)
        made += step
    return made.removeprefix("."), here


def _quoted(token: str | None) -> str:
    if token is None:
        raise PathError("unexpected end of JSON path")
    if len(token) < 2 or token[0] != "'" or token[-1] != "'":
        raise PathError(f"expected single quoted string but got {token}")

    def plain(found: re.Match[str]) -> str:
        if found[1] not in _ESCAPES:
            raise PathError(f"invalid string literal: invalid escape char {found[0]}")
        return _ESCAPES[found[1]]

    return re.sub(r"\\(.)", plain, token[1:-1])


def _step(schema: JSONObject, name: str) -> tuple[str, JSONObject]:
    members, more = schema.get("properties"), schema.get("additionalProperties")
    if members is not None and name in members:
        return f".{name}", members[name]
    if members is None and isinstance(more, dict):
        return f"[{name}]", more
    raise PathError("does not refer to a valid field")
