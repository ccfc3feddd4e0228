"""The compiled form of a schema: one node per value, that knows how to judge and mend what stands there.

The base and the leaves; `containers.py` has the nodes that hold others. Made by `typed.py` (Go types: built-ins and
models) and `structural.py` (CRDs), used by `ObjectSchema`. A walk costs what the object costs: nothing of the schema
is interpreted while a request waits.
"""

from collections.abc import Callable, Sequence
from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.schema.go_words import Place, name_of
from generic.schema.json_equal import same

Rule = Callable[[Any, str, list[FieldError]], None]
"""A check of one value at a path: appends what is wrong."""

NO_DEFAULT: Any = object()
MAX_UNKNOWN = 100
"""Unknown fields reported of one object: they become response headers."""

_JSON_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


class Refusal(Exception):
    """A decoder of its own (a quantity, a time) refused: decoding ends here, whatever was wrong before."""


class Node:
    """One value. The base class is the value that may be anything.

    `judged`: a wrong type is a validation error (CRDs); otherwise decoding has already refused it.
    """

    __slots__ = ("default", "go_type", "json_type", "judged", "nullable", "rules")

    def __init__(self, go_type: str = "", *, json_type: str = "", judged: bool = False) -> None:
        self.go_type = go_type
        self.json_type = json_type
        self.judged = judged
        self.nullable = not judged
        self.default: Any = NO_DEFAULT
        self.rules: Sequence[Rule] = ()

    def zero(self) -> Any:
        """What Go makes of null in a list or a map."""
        return None

    def fits(self, value: Any) -> bool:
        """Types are right and fields known all the way down; null is fine anywhere. The fast way to a yes."""
        return True

    def decode(self, value: Any, place: Place, saved: list[str]) -> None:
        """Append what is wrong with the types, in Go's words. Raises Refusal."""

    def unknown(self, value: Any, path: str, found: list[str]) -> None:
        """Append the paths of unknown fields inside."""

    def prune(self, value: Any) -> Any:
        """Drop unknown fields inside, in place; returns the value to keep."""
        return value

    def fill(self, value: Any) -> None:
        """Set the defaults inside, in place."""

    def right(self, value: Any) -> bool:
        """The value itself, not what is inside, is of the right type."""
        return True

    def validate(self, value: Any, path: str, found: list[FieldError]) -> None:
        """Append everything wrong beyond types; types too where they are judged here."""
        if value is None:
            if not self.nullable and self.json_type:
                found.append(wrong_type(path, "null", self.json_type))
            return
        if not self.right(value):
            if self.judged:
                found.append(wrong_type(path, _JSON_TYPES[type(value)], self.json_type))
            return
        for rule in self.rules:
            rule(value, path, found)
        self.validate_inside(value, path, found)

    def validate_inside(self, value: Any, path: str, found: list[FieldError]) -> None:
        """The same for what the value holds."""

    def validate_change(self, value: Any, old: Any, path: str, found: list[FieldError]) -> None:
        """Append what is wrong and was not before: what did not change may stay as it is (ratcheting, KEP-4008)."""
        if same(value, old):
            return
        if value is None or not self.right(value):
            self.validate(value, path, found)
            return
        for rule in self.rules:
            rule(value, path, found)
        self.validate_change_inside(value, old, path, found)

    def validate_change_inside(self, value: Any, old: Any, path: str, found: list[FieldError]) -> None:
        """The same for what the value holds, as far as it can be told which old part a new one was."""
        self.validate_inside(value, path, found)

    # What the walks can skip; a recursive node says that it has everything.

    def prunes(self) -> bool:
        return False

    def fills(self) -> bool:
        return False

    def validates(self) -> bool:
        return bool(self.rules) or self.judged


class Scalar(Node):
    """A leaf: `accepts` is the fast yes (null included), `explain` says what is wrong."""

    __slots__ = ("_canonical", "_explain", "_zero", "accepts")

    def __init__(
        self,
        go_type: str,
        *,
        json_type: str,
        accepts: Callable[[Any], bool],
        explain: Callable[[Any, Place], str] | None = None,
        canonical: Callable[[Any], Any] | None = None,
        zero: Any = None,
        judged: bool = False,
    ) -> None:
        super().__init__(go_type, json_type=json_type, judged=judged)
        self.accepts = accepts
        self._explain = explain
        self._canonical = canonical
        self._zero = zero

    def zero(self) -> Any:
        return self._zero

    def fits(self, value: Any) -> bool:
        return self.accepts(value)

    def right(self, value: Any) -> bool:
        return self.accepts(value)

    def decode(self, value: Any, place: Place, saved: list[str]) -> None:
        if not self.accepts(value):
            explain = self._explain
            saved.append(explain(value, place) if explain else place.mismatch(name_of(value), self.go_type))

    def prune(self, value: Any) -> Any:
        return self._canonical(value) if self._canonical is not None else value

    def prunes(self) -> bool:
        return self._canonical is not None


def copied(value: Any) -> Any:
    """A copy of a JSON value that shares nothing with it."""
    if type(value) is dict:
        return {key: copied(inside) for key, inside in value.items()}
    return [copied(item) for item in value] if type(value) is list else value


def wrong_type(path: str, given: str, wanted: str) -> FieldError:
    """A wrong type, in the words of kube-openapi's validation."""
    return fields.type_invalid(path, given, f'{path} in body must be of type {wanted}: "{given}"')
