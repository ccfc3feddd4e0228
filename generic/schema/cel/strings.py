"""Functions on strings, regular expressions included. Part of `functions.py`.

Mirrors `cel-go/ext/{strings,formatting}.go` in its version 2 and `apiserver/pkg/cel/library/regex.go`. Characters are
code points.
"""

from collections.abc import Callable, Mapping
from typing import Any

from generic.schema.cel import formatting, regex
from generic.schema.cel.errors import NO_OVERLOAD, EvaluationError

_QUOTES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_QUOTES |= {"\\": "\\\\", '"': '\\"'}
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACE += "\u2028\u2029\u202f\u205f\u3000"


def _text(value: Any) -> str:
    if type(value) is not str:
        raise EvaluationError(NO_OVERLOAD)
    return value


def _char_at(text: str, at: int) -> str:
    if not 0 <= at <= len(_text(text)):
        raise EvaluationError(f"index out of range: {at}")
    return text[at : at + 1]


def index_of(text: str, part: str, start: int = 0) -> int:
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.find(_text(part), start)


def last_index_of(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(_text(part))
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    return text.rfind(_text(part), 0, start + len(part))


def _join(parts: list[Any], separator: str = "") -> str:
    return _text(separator).join(_text(part) for part in parts)


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return _text(text).replace(_text(old), _text(new), limit)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        chars = list(_text(text))
        return chars if limit < 0 or len(chars) <= limit else [*chars[: limit - 1], "".join(chars[limit - 1 :])]
    return _text(text).split(separator, limit - 1 if limit > 0 else -1)


def _substring(text: str, start: int, end: int | None = None) -> str:
    end = len(_text(text)) if end is None else end
    if not 0 <= start <= len(text):
        raise EvaluationError(f"index out of range: {start}")
    if not 0 <= end <= len(text):
        raise EvaluationError(f"index out of range: {end}")
    if start > end:
        raise EvaluationError(f"invalid substring range. start: {start}, end: {end}")
    return text[start:end]


def _lower(text: str) -> str:
    return "".join(char.lower() if "A" <= char <= "Z" else char for char in _text(text))


def _upper(text: str) -> str:
    return "".join(char.upper() if "a" <= char <= "z" else char for char in _text(text))


def _find(text: str, pattern: str) -> str:
    found = regex.find_all(_text(pattern), _text(text))
    return found[0] if found else ""


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    found = regex.find_all(_text(pattern), _text(text))
    return found if limit < 0 else found[:limit]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "charAt": _char_at,
    "contains": lambda text, part: _text(part) in _text(text),
    "startsWith": lambda text, part: _text(text).startswith(_text(part)),
    "endsWith": lambda text, part: _text(text).endswith(_text(part)),
    "matches": lambda text, pattern: regex.search(_text(pattern), _text(text)),
    "find": _find,
    "findAll": _find_all,
    "format": lambda text, args: formatting.render(_text(text), args),
    "join": _join,
    "lowerAscii": _lower,
    "upperAscii": _upper,
    "replace": _replace,
    "split": _split,
    "substring": _substring,
    "trim": lambda text: _text(text).strip(_SPACE),
    "strings.quote": lambda text: '"' + "".join(_QUOTES.get(char, char) for char in _text(text)) + '"',
    "jsonpatch.escapeKey": lambda text: _text(text).replace("~", "~0").replace("/", "~1"),
}
SIGNATURES = (
    *(
        f"string({kind}): string"
        for kind in ("string", "bytes", "bool", "int", "uint", "double", "timestamp", "duration")
    ),
    "string.charAt(int): string",
    "string.find(string): string",
    "string.findAll(string): list<string>",
    "string.findAll(string, int): list<string>",
    "string.format(list<dyn>): string",
    "list<string>.join(): string",
    "list<string>.join(string): string",
    "string.lowerAscii(): string",
    "string.upperAscii(): string",
    "string.replace(string, string): string",
    "string.replace(string, string, int): string",
    "string.split(string): list<string>",
    "string.split(string, int): list<string>",
    "string.substring(int): string",
    "string.substring(int, int): string",
    "string.trim(): string",
    "strings.quote(string): string",
    "jsonpatch.escapeKey(string): string",
)
