"""Label and field selectors: parsing their two grammars, and matching.

Called with the text of a request (options), with a selector object (admission, controllers), and by
`storage/predicate.py` for every object a list or watch considers. Parsed selectors are cached and
immutable. Mirrors `apimachinery/pkg/labels/selector.go` and `pkg/fields/selector.go`; the grammar of
labels is read in `generic/meta/label_grammar.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from generic.meta import label_grammar
from generic.meta.label_grammar import LabelRequirement

_EXACT = ("=", "==")
_OBJECT_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """All requirements must hold. `nothing` is the selector that matches no object at all."""

    requirements: tuple[LabelRequirement, ...] = ()
    nothing: bool = False
    _exact: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)
    _other: tuple[LabelRequirement, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Equality is by far the commonest requirement, so matches() has a loop of its own for it.
        exact = tuple((r.key, r.values[0]) for r in self.requirements if r.operator in _EXACT)
        object.__setattr__(self, "_exact", exact)
        object.__setattr__(self, "_other", tuple(r for r in self.requirements if r.operator not in _EXACT))

    @staticmethod
    def parse(text: str) -> "LabelSelector":
        """The selector written in `text`, e.g. `a=b,c in (d,e),!f`. Raises ValueError in Kubernetes' words."""
        return _parse_labels(text)

    @staticmethod
    def from_object(selector: Mapping[str, Any] | None) -> "LabelSelector":
        """From `{"matchLabels": ..., "matchExpressions": ...}`; empty selects all, None nothing.

        Raises ValueError in Kubernetes' words.
        """
        if selector is None:
            return NOTHING
        labels: Mapping[str, str] = selector.get("matchLabels") or {}
        found = [label_grammar.requirement(key, "=", [value]) for key, value in labels.items()]
        for expression in selector.get("matchExpressions") or ():
            operator = _OBJECT_OPERATORS.get(expression.get("operator") or "")
            if operator is None:
                raise ValueError(f'"{expression.get("operator") or ""}" is not a valid label selector operator')
            values = expression.get("values") or []
            found.append(label_grammar.requirement(expression.get("key") or "", operator, values))
        return LabelSelector(_sorted(found))

    @property
    def empty(self) -> bool:
        """Whether it selects everything."""
        return not self.requirements and not self.nothing

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        for key, value in self._exact:
            if labels.get(key) != value:
                return False
        for requirement in self._other:
            if not requirement.matches(labels):
                return False
        return not self.nothing

    def __str__(self) -> str:
        return ",".join(map(str, self.requirements))


@lru_cache(maxsize=4096)
def _parse_labels(text: str) -> LabelSelector:
    return LabelSelector(_sorted(label_grammar.parse(text)))


def _sorted(requirements: Iterable[LabelRequirement]) -> tuple[LabelRequirement, ...]:
    return tuple(sorted(requirements, key=lambda requirement: requirement.key))


FieldOperator = Literal["=", "!="]


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """All of `(field, operator, value)` must hold; a field an object lacks counts as the empty string."""

    requirements: tuple[tuple[str, FieldOperator, str], ...] = ()

    @staticmethod
    def parse(text: str) -> "FieldSelector":
        """The selector written in `text`, e.g. `metadata.name=x,spec.nodeName!=y`.

        A backslash escapes comma, equals sign and itself. Raises ValueError in Kubernetes' words.
        """
        return _parse_fields(text)

    @property
    def empty(self) -> bool:
        """Whether it selects everything."""
        return not self.requirements

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether an object with these field values is selected."""
        for name, operator, value in self.requirements:
            if (fields.get(name, "") == value) is (operator == "!="):
                return False
        return True

    def exact(self, name: str) -> str | None:
        """The one value the selector demands of a field; None if it demands none."""
        return next((value for given, op, value in self.requirements if given == name and op == "="), None)

    def __str__(self) -> str:
        return ",".join(f"{name}{op}{escape(value)}" for name, op, value in self.requirements)


def escape(value: str) -> str:
    """`value` as it must be written in a field selector."""
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


@lru_cache(maxsize=4096)
def _parse_fields(text: str) -> FieldSelector:
    found: list[tuple[str, FieldOperator, str]] = []
    for term in sorted(_split_terms(text)):
        if not term:
            continue
        at = min((i for i in (term.find("!="), term.find("=")) if i >= 0), default=-1)
        if at < 0:
            raise ValueError(f"invalid selector: '{text}'; can't understand '{term}'")
        operator: FieldOperator = "!=" if term[at] == "!" else "="
        width = 2 if term.startswith(("!=", "=="), at) else 1
        found.append((term[:at], operator, _unescape(term[at + width :])))
    return FieldSelector(tuple(found))


def _split_terms(text: str) -> list[str]:
    if "\\" not in text:
        return text.split(",")
    terms, start, escaped = [], 0, False
    for at, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == ",":
            terms.append(text[start:at])
            start = at + 1
    return [*terms, text[start:]]


def _unescape(text: str) -> str:
    if not any(char in text for char in "\\,="):
        return text
    value, chars = [], iter(text)
    for char in chars:
        if char == "\\":
            following = next(chars, "")
            if following not in ("\\", ",", "="):
                raise ValueError(f"invalid field selector: invalid escape sequence: \\{following}")
            value.append(following)
        elif char in ",=":
            # Go prints the offending rune as a number.
            raise ValueError(f"invalid field selector: unescaped character in value: {ord(char)}")
        else:
            value.append(char)
    return "".join(value)


EVERYTHING = LabelSelector()
NOTHING = LabelSelector(nothing=True)
EVERY_FIELD = FieldSelector()
