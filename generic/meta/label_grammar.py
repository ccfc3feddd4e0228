"""The grammar of label selectors, and one requirement of them.

Called only by `selectors.py`. A tokenizer and a recursive descent parser with the states and messages of
`apimachinery/pkg/labels/selector.go`, because clients show those messages to people.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from generic.meta import fields, names

_BINARY = ("in", "notin", "=", "==", "!=", "gt", "lt")
_TEXT_OPERATORS = {"in": "in", "notin": "notin", "=": "=", "==": "==", "!=": "!=", ">": "gt", "<": "lt"}
_TOKEN = re.compile(r"==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+")
_SYMBOLS = frozenset({"==", "!=", "=", "!", "(", ")", ",", "<", ">"})
_END = ""

_is_integer = re.compile(r"[+-]?[0-9]+").fullmatch
_INT64 = 2**63


class LabelRequirement(NamedTuple):
    """One condition on one label. `operator` is one of in, notin, =, ==, !=, gt, lt, exists, ! (is absent)."""

    key: str
    operator: str
    values: tuple[str, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether `labels` satisfy this condition."""
        value = labels.get(self.key)
        match self.operator:
            case "in" | "=" | "==":
                return value in self.values
            case "notin" | "!=":
                return value not in self.values
            case "exists":
                return value is not None
            case "!":
                return value is None
        number = None if value is None else _int64(value)
        limit = _int64(self.values[0])
        if number is None or limit is None:
            return False
        return number > limit if self.operator == "gt" else number < limit

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(self.values)})"
        symbol = {"gt": ">", "lt": "<"}.get(self.operator, self.operator)
        return f"{self.key}{symbol}{self.values[0]}"


def requirement(key: str, operator: str, values: Sequence[str]) -> LabelRequirement:
    """A checked requirement. Raises ValueError with every field error of it."""
    problems = [fields.invalid("key", key, "; ".join(messages))] if (messages := names.qualified_name(key)) else []
    if operator in ("in", "notin") and not values:
        problems.append(fields.invalid("values", [], "for 'in', 'notin' operators, values set can't be empty"))
    elif operator in ("exists", "!") and values:
        problems.append(
            fields.invalid("values", list(values), "values set must be empty for exists and does not exist")
        )
    elif operator in ("gt", "lt") and _int64(values[0]) is None:
        problems.append(
            fields.invalid("values[0]", values[0], "for 'Gt', 'Lt' operators, the value must be an integer")
        )
    for at, value in enumerate(values):
        if messages := names.label_value(value):
            problems.append(fields.invalid(f"values[{at}][{key}]", value, "; ".join(messages)))
    if problems:
        texts = list(dict.fromkeys(map(str, problems)))
        raise ValueError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    return LabelRequirement(key, operator, tuple(sorted(set(values))))


def parse(text: str) -> list[LabelRequirement]:
    """The requirements in `text`, in their order. Raises ValueError."""
    return _Parser(text).selector()


class _Parser:
    """Tokens from left to right; the empty string stands for the end."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = [*_TOKEN.findall(text.partition("\0")[0]), _END]
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at]

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def selector(self) -> list[LabelRequirement]:
        found: list[LabelRequirement] = []
        if self._peek() == _END:
            return found
        if not _starts_requirement(self._peek()):
            raise ValueError(f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
        while True:
            try:
                found.append(self._requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            separator = self._take()
            if separator == _END:
                return found
            if separator != ",":
                raise ValueError(f"found '{separator}', expected: ',' or 'end of string'")
            if not _starts_requirement(self._peek()):
                raise ValueError(f"found '{self._peek()}', expected: identifier after ','")

    def _requirement(self) -> LabelRequirement:
        absent = self._peek() == "!"
        if absent:
            self._take()
        key = self._take()
        if not _is_identifier(key):
            raise ValueError(f"found '{key}', expected: identifier")
        if messages := names.qualified_name(key):
            # The key is checked before there is a field path, and Go prints a nil path like this.
            raise ValueError(str(fields.invalid("<nil>", key, "; ".join(messages))))
        if absent:
            return requirement(key, "!", [])
        if self._peek() in (_END, ","):
            return requirement(key, "exists", [])
        symbol = self._take()
        operator = _TEXT_OPERATORS.get(symbol)
        if operator is None:
            raise ValueError(f"found '{symbol}', expected: {', '.join(_BINARY)}")
        values = self._value_set() if operator in ("in", "notin") else [self._exact_value()]
        return requirement(key, operator, sorted(values))

    def _exact_value(self) -> str:
        if self._peek() in (_END, ","):
            return ""
        value = self._take()
        if not _is_identifier(value):
            raise ValueError(f"found '{value}', expected: identifier")
        return value

    def _value_set(self) -> set[str]:
        if (opening := self._take()) != "(":
            raise ValueError(f"found '{opening}' expected: '('")
        first = self._peek()
        if first == ")":
            self._take()
            return {""}
        if not (_is_identifier(first) or first == ","):
            raise ValueError(f"found '{first}', expected: ',', ')' or identifier")
        values = self._values()
        self._take()  # `_values` stops only before the closing parenthesis.
        return values

    def _values(self) -> set[str]:
        values: set[str] = set()
        while True:
            token = self._take()
            if _is_identifier(token):
                values.add(token)
                if self._peek() == ")":
                    return values
                if self._peek() != ",":
                    raise ValueError(f"found '{self._peek()}', expected: ',' or ')'")
            elif token == ",":
                # An empty place before, between or after commas is the empty string.
                if not values:
                    values.add("")
                if self._peek() == ")":
                    values.add("")
                    return values
                if self._peek() == ",":
                    self._take()
                    values.add("")
            else:
                raise ValueError(f"found '{token}', expected: ',', or identifier")


def _is_identifier(token: str) -> bool:
    return token != _END and token not in _SYMBOLS


def _starts_requirement(token: str) -> bool:
    return token == "!" or _is_identifier(token)


def _int64(text: str) -> int | None:
    """Go's strconv.ParseInt with base 10; None where it errs."""
    if len(text) > 20 or not _is_integer(text):
        return None
    number = int(text)
    return number if -_INT64 <= number < _INT64 else None
