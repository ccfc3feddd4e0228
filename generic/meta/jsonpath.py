"""Kubernetes' dialect of JSONPath, compiled once and evaluated often.

Called by table columns, selectable fields and scale paths of CRDs. Speaks what `client-go/util/jsonpath`
speaks inside one pair of braces: fields with escapes, `*`, `..`, indexes and slices, unions, `['key']`,
filters. No library on PyPI has this dialect (escaped dots, `@` and `$` as no-ops, exists-filters).
Missing keys select nothing.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from generic.meta import jsonpath_steps as steps

Step: TypeAlias = Callable[[list[Any]], list[Any]]
"""From the values selected so far to those selected next. May raise ValueError."""

_FIELD = re.compile(r"(?:\\.|[^\s.,\[\]$@{}\\])*", re.DOTALL)
_IDENTIFIER = re.compile(r"[^\s.,\[\]$@{}]+")
_NUMBER = re.compile(r"[+-]?[0-9.]+")
_INTEGER = re.compile(r"[+-]?[0-9]+").fullmatch
_SLICE = re.compile(r"(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?").fullmatch
_KEY = re.compile(r"'([^']*)'").fullmatch
_COMPARISON = re.compile(r"([^!<>=]+)([!<>=]+)(.+)").fullmatch
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{3}|.)", re.DOTALL)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


class JSONPath:
    """A compiled path. `find` never changes the object it looks into."""

    __slots__ = ("_keys", "_steps", "text")

    def __init__(self, text: str) -> None:
        """Raises ValueError if `text` is not a path of this dialect."""
        self.text = text
        parsed = _Parser(text).parse()
        self._steps = [step for _, step in parsed]
        keys = [key for key, _ in parsed]
        # `.spec.a.b` is by far the commonest form: it needs no lists on the way.
        self._keys: list[str] | None = None if None in keys else [key for key in keys if key is not None]

    def find(self, obj: Any) -> list[Any]:
        """The selected values, in order. Raises ValueError where the path does not fit the object."""
        if self._keys is not None:
            for key in self._keys:
                if not isinstance(obj, dict) or key not in obj:
                    return []
                obj = obj[key]
            return [obj]
        return steps.run(self._steps, [obj])


@lru_cache(maxsize=4096)
def compile_path(text: str) -> JSONPath:
    """`JSONPath(text)`, remembered."""
    return JSONPath(text)


class _Parser:
    """Left to right; each step comes with its key if it is a plain field, for the fast way through."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: list[tuple[str | None, Step]] = []

    def parse(self) -> list[tuple[str | None, Step]]:
        text = self._text
        recursive = False
        while self._at < len(text):
            was_recursive, recursive = recursive, False
            char = text[self._at]
            if text.startswith("[?(", self._at):
                self._filter()
            elif text.startswith("..", self._at):
                if was_recursive:
                    raise ValueError("invalid multiple recursive descent")
                self._at += 2
                self._add(steps.recursive)
                following = text[self._at : self._at + 1]
                if following == "_" or following.isalnum():
                    self._field()
                else:
                    recursive = True
            elif char in " @$":
                self._at += 1
                recursive = was_recursive
            elif char == "[":
                self._array()
            elif char in "\"'":
                self._quoted(char)
            elif char == ".":
                self._at += 1
                self._field()
            elif char in "+-" or char.isdigit():
                self._number()
            elif char == "_" or char.isalpha():
                self._word()
            else:
                raise ValueError(f"unrecognized character in action: U+{ord(char):04X} '{char}'")
        return self._found

    def _add(self, step: Step) -> None:
        self._found.append((None, step))

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"unexpected end of path {self._text!r}")
        self._at = match.end()
        return match[0]

    def _field(self) -> None:
        raw = self._take(_FIELD)
        if self._text.startswith("\\", self._at):
            raise ValueError("unclosed action")
        if raw == "*":
            self._add(steps.wildcard)
        else:
            # A lone dot is the field with the empty name, which no object has.
            key = raw.replace("\\", "")
            self._found.append((key, steps.field(key)))

    def _word(self) -> None:
        word = self._take(_IDENTIFIER)
        known = word in ("true", "false")
        self._add(steps.constant(word == "true") if known else steps.failing(f"unrecognized identifier {word}"))

    def _number(self) -> None:
        text = self._take(_NUMBER)
        try:
            self._add(steps.constant(int(text) if _INTEGER(text) else float(text)))
        except ValueError:
            raise ValueError(f"cannot parse number {text}") from None

    def _quoted(self, quote: str) -> None:
        end = self._at + 1
        while True:
            end = self._text.find(quote, end)
            if end < 0:
                raise ValueError("unterminated quoted string")
            if self._text[end - 1] != "\\":
                break
            end += 1
        self._add(steps.constant(_unescape(self._text[self._at + 1 : end])))
        self._at = end + 1

    def _array(self) -> None:
        end = self._text.find("]", self._at)
        if end < 0:
            raise ValueError("unterminated array")
        inner = self._text[self._at + 1 : end]
        self._at = end + 1
        if "," in inner:
            self._add(steps.union([_steps_of(f"[{part.strip(' ')}]") for part in inner.split(",")]))
        elif key := _KEY(inner):
            # The key is read as a field path, so that dots in it need escaping here too.
            self._found += _Parser(f".{key[1]}").parse()
        else:
            self._add(_slice(":" if inner == "*" else inner))

    def _filter(self) -> None:
        start = self._at = self._at + 3
        quote, closed = "", False
        while True:
            char = self._text[self._at : self._at + 1]
            if not char or char == "\n":
                raise ValueError("unterminated filter")
            if char in "\"'":
                if not quote:
                    quote = char
                elif char == quote and self._text[self._at - 1] != "\\":
                    closed = True
            elif char == ")" and bool(quote) == closed:
                break
            self._at += 1
        inner = self._text[start : self._at]
        if not self._text.startswith(")]", self._at):
            raise ValueError("unclosed array expect ]")
        self._at += 2
        parts = _COMPARISON(inner)
        if parts is None:
            self._add(steps.exists_filter(_steps_of(inner)))
            return
        left, operator, right = parts.groups()
        sides = _steps_of(left), _steps_of(right)
        if operator in steps.COMPARISONS:
            self._add(steps.comparison_filter(sides[0], operator, sides[1]))
        else:
            self._add(steps.failing(f"unrecognized filter operator {operator}"))


def _steps_of(text: str) -> list[Step]:
    return [step for _, step in _Parser(text).parse()]


def _slice(text: str) -> Step:
    match = _SLICE(text)
    if match is None:
        raise ValueError(f"invalid array index {text}")
    first, end, stride = (part.removeprefix(":") if part else part for part in match.groups())
    try:
        return steps.slice_of(
            int(first) if first else None,
            end=int(end) if end else None,
            stride=int(stride) if stride else None,
            single=end is None,
        )
    except ValueError:
        raise ValueError(f"array index {text} is not a number") from None


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        body = match[1]
        if body[0] in "uUx" and len(body) > 1:
            return chr(int(body[1:], 16))
        if len(body) == 3:
            return chr(int(body, 8))
        if body in _ESCAPES:
            return _ESCAPES[body]
        if body in "\\'\"":
            return body
        raise ValueError(f"unquote string {text} error invalid syntax")

    return _ESCAPE.sub(one, text) if "\\" in text else text
