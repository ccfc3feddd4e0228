"""From JSON to the values of an expression, as the type of a variable says. Called by `environment.py`.

Most of JSON stands for itself: where a type has no part that does not, there is nothing to do. Mirrors
`apiserver/pkg/cel/common/values.go`.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Any

from generic.schema.cel import times
from generic.schema.cel.errors import EvaluationError
from generic.schema.cel.types import DeclType
from generic.schema.cel.values import NONE, MapList, Optional, SetList

Convert = Callable[[Any], Any]
"""Never changes what it is given."""


def converter(declared: DeclType) -> Convert | None:
    """None if values of the type stand for themselves."""
    match declared.kind:
        case "double":
            return lambda value: float(value) if type(value) is int else value
        case "timestamp":
            return _timestamp
        case "duration":
            return _text_as(times.parse_duration)
        case "bytes":
            return _bytes
        case "list":
            return _list(declared)
        case "map":
            inside = _of(declared)
            return _map(inside) if inside is not None else None
        case "object":
            return _object(declared)
        case "optional":
            return _optional(_of(declared))
    return None


def _of(declared: DeclType) -> Convert | None:
    return converter(declared.element) if declared.element is not None else None


def _list(declared: DeclType) -> Convert | None:
    inside, kind = _of(declared), declared.list_type
    if inside is None and kind not in ("set", "map"):
        return None

    def convert(value: Any) -> Any:
        if type(value) is not list:
            return value
        items = [inside(item) for item in value] if inside is not None else value
        if kind == "set":
            return SetList(items)
        if kind == "map":
            made = MapList(items)
            made.keys = declared.map_keys
            return made
        return items

    return convert


def _map(inside: Convert) -> Convert:
    def convert(value: Any) -> Any:
        return {key: inside(each) for key, each in value.items()} if type(value) is dict else value

    return convert


def _object(declared: DeclType) -> Convert | None:
    members = {name: made for name, found in declared.fields.items() if (made := converter(found)) is not None}
    if not members:
        return None

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            return value
        made = dict(value)
        for name, member in members.items():
            if name in made:
                made[name] = member(made[name])
        return made

    return convert


def _optional(inside: Convert | None) -> Convert:
    """None, which is no value here, is absence."""

    def convert(value: Any) -> Any:
        return NONE if value is None else Optional((inside(value) if inside is not None else value,))

    return convert


def _text_as(parse: Callable[[str], Any]) -> Convert:
    def convert(value: Any) -> Any:
        if type(value) is not str:
            return value
        try:
            return parse(value)
        except EvaluationError:
            # The format is judged elsewhere.
            return value

    return convert


def _timestamp(value: Any) -> Any:
    if type(value) is str and len(value) == len("2006-01-02"):
        value = f"{value}T00:00:00Z"
    return _text_as(times.parse_timestamp)(value)


def _bytes(value: Any) -> Any:
    try:
        return base64.b64decode(value) if type(value) is str else value
    except (binascii.Error, ValueError):
        return value
