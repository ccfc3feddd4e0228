"""Value validations of JSON schema: from the keywords of a schema to the checks a node runs.

Called by `structural.py` and `typed.py` when a schema is compiled. Mirrors `kube-openapi/pkg/validation` and
`apiextensions-apiserver/pkg/apiserver/validation`, whose words clients see.
"""

from collections.abc import Callable, Sequence, Sized
from typing import Any

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.schema import formats
from generic.schema.cel import regex
from generic.schema.json_equal import canonical, is_number, same
from generic.schema.nodes import Rule
from generic.types import JSONObject


def of(schema: JSONObject) -> list[Rule]:
    """The checks of the value keywords at the top of a schema; what is inside has rules of its own."""
    made = [make(schema[keyword], schema) for keyword, make in _KEYWORDS if schema.get(keyword) is not None]
    return [rule for rule in made if rule is not None]


# Each maker gets the keyword's value and the whole schema, for keywords that modify others.


def _enum(allowed: Any, schema: JSONObject) -> Rule:
    known = {canonical(value) for value in allowed}
    shown = [value if isinstance(value, str) else canonical(value).decode() for value in allowed]

    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if canonical(value) not in known:
            found.append(fields.not_supported(path, value, shown))

    return check


def _pattern(pattern: Any, schema: JSONObject) -> Rule:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        # Compiled when first needed; a pattern that is none (written past validation) forbids nothing.
        matches = regex.searcher(pattern) if type(value) is str else None
        if matches is not None and not matches(value):
            found.append(fields.invalid(path, value, f"{path} in body should match '{pattern}'"))

    return check


def _format(name: Any, schema: JSONObject) -> Rule | None:
    check_format = formats.CHECKS.get(name)
    if check_format is None:
        return None

    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if check_format(value):
            return
        if is_number(value):
            # Kubernetes loses the path of this one.
            words = f"Checked value must be of type {schema.get('type')} with format {name} in {path}"
            found.append(fields.invalid("<nil>", "", words))
        else:
            shown = f': "{value}"' if type(value) is str else ""
            found.append(fields.type_invalid(path, value, f"{path} in body must be of type {name}{shown}"))

    return check


def _max_length(limit: Any, schema: JSONObject) -> Rule:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if type(value) is str and len(value) > limit:
            found.append(fields.too_long(path, limit))

    return check


def _max_items(limit: Any, schema: JSONObject) -> Rule:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if type(value) is list and len(value) > limit:
            found.append(fields.too_many(path, len(value), limit))

    return check


def _max_properties(limit: Any, schema: JSONObject) -> Rule:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if type(value) is dict and len(value) > limit:
            found.append(fields.too_many(path, len(value), limit))

    return check


def _at_least(kind: type[Sized], words: str) -> Callable[[Any, JSONObject], Rule]:
    def make(limit: Any, schema: JSONObject) -> Rule:
        detail = words.format(limit)

        def check(value: Any, path: str, found: list[FieldError]) -> None:
            if isinstance(value, kind) and len(value) < limit:
                found.append(fields.invalid(path, value, f"{path} in body should {detail}"))

        return check

    return make


def _maximum(limit: Any, schema: JSONObject) -> Rule:
    exclusive = schema.get("exclusiveMaximum") is True

    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if is_number(value) and (value >= limit if exclusive else value > limit):
            words = "less than" if exclusive else "less than or equal to"
            found.append(fields.invalid(path, value, f"{path} in body should be {words} {_plain(limit)}"))

    return check


def _minimum(limit: Any, schema: JSONObject) -> Rule:
    exclusive = schema.get("exclusiveMinimum") is True

    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if is_number(value) and (value <= limit if exclusive else value < limit):
            words = "greater than" if exclusive else "greater than or equal to"
            found.append(fields.invalid(path, value, f"{path} in body should be {words} {_plain(limit)}"))

    return check


def _exclusive_maximum(limit: Any, schema: JSONObject) -> Rule | None:
    # A boolean modifies `maximum` (OpenAPI v3.0); a number stands alone (JSON schema 2020, pydantic).
    return _maximum(limit, {"exclusiveMaximum": True}) if is_number(limit) else None


def _exclusive_minimum(limit: Any, schema: JSONObject) -> Rule | None:
    return _minimum(limit, {"exclusiveMinimum": True}) if is_number(limit) else None


def _multiple_of(factor: Any, schema: JSONObject) -> Rule:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if is_number(value):
            ratio = value / factor
            if abs(ratio - round(ratio)) > 1e-9:
                found.append(fields.invalid(path, value, f"{path} in body should be a multiple of {_plain(factor)}"))

    return check


def _unique_items(wanted: Any, schema: JSONObject) -> Rule | None:
    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if type(value) is list and len({canonical(item) for item in value}) < len(value):
            found.append(fields.invalid(path, value, f"{path} in body shouldn't contain duplicates"))

    return check if wanted is True else None


def _list_type(kind: Any, schema: JSONObject) -> Rule | None:
    if kind not in ("set", "map"):
        return None
    keys: Sequence[str] = schema.get("x-kubernetes-list-map-keys") or ()
    defaults = {
        key: found["default"]
        for key, found in ((schema.get("items") or {}).get("properties") or {}).items()
        if key in keys and isinstance(found, dict) and "default" in found
    }

    def identity(item: Any) -> Any:
        if kind == "set" or type(item) is not dict:
            return item
        known = {**defaults, **item}
        return {key: known[key] for key in keys if key in known}

    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if type(value) is not list:
            return
        seen: set[bytes] = set()
        reported: set[bytes] = set()
        for at, item in enumerate(value):
            mark = canonical(identity(item))
            if mark in seen and mark not in reported:
                reported.add(mark)
                found.append(fields.duplicate(f"{path}[{at}]", identity(item)))
            seen.add(mark)

    return check


def _plain(number: Any) -> str:
    """A number as Go's %v prints it."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() and abs(number) < 1e21 else str(number)


def constant(wanted: Any, schema: JSONObject) -> Rule:
    """JSON schema's `const`, an enum of one."""

    def check(value: Any, path: str, found: list[FieldError]) -> None:
        if not same(value, wanted):
            found.append(
                fields.not_supported(path, value, [wanted if isinstance(wanted, str) else canonical(wanted).decode()])
            )

    return check


_KEYWORDS: tuple[tuple[str, Callable[[Any, JSONObject], Rule | None]], ...] = (
    ("enum", _enum),
    ("const", constant),
    ("format", _format),
    ("maxLength", _max_length),
    ("minLength", _at_least(str, "be at least {} chars long")),
    ("pattern", _pattern),
    ("maximum", _maximum),
    ("exclusiveMaximum", _exclusive_maximum),
    ("minimum", _minimum),
    ("exclusiveMinimum", _exclusive_minimum),
    ("multipleOf", _multiple_of),
    ("maxItems", _max_items),
    ("minItems", _at_least(list, "have at least {} items")),
    ("uniqueItems", _unique_items),
    ("maxProperties", _max_properties),
    ("minProperties", _at_least(dict, "have at least {} properties")),
    ("x-kubernetes-list-type", _list_type),
)
