"""From one good object many that differ from it in one place. Used by the scenarios of create and update."""

import copy
from collections.abc import Iterator
from typing import Any

JSONObject = dict[str, Any]

_STRINGS = ("", "Not_Valid!", "x" * 300)
_NUMBERS = (-1, 0, 2**31, 2**63)
_SKIPPED = {"apiVersion", "kind"}


def mutants(obj: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    """Pairs of what was done and the object it was done to; one change each."""
    for path in _paths(obj, ()):
        if path[0] in _SKIPPED and len(path) == 1:
            continue
        value = _at(obj, path)
        where = ".".join(map(str, path))
        yield f"without {where}", _changed(obj, path, None, remove=True)
        yield f"{where}=null", _changed(obj, path, None)
        for other in _others(value):
            shown = str(other)
            yield f"{where}={shown[:20]!r}", _changed(obj, path, other)
    yield "unknown field at the top", {**copy.deepcopy(obj), "unknownField": 1}


def _others(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield from (not value, "true")
    elif isinstance(value, int):
        yield from (*_NUMBERS, "5", 1.5)
    elif isinstance(value, str):
        yield from (*_STRINGS, 5)
    elif isinstance(value, list):
        yield from ([], "x")
        if value:
            yield [*value, copy.deepcopy(value[0])]
    elif isinstance(value, dict):
        yield from ({}, [])
        yield {**value, "unknown Field": "x"}


def _paths(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from _paths(value[key], (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _paths(item, (*path, at))


def _at(obj: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        obj = obj[step]
    return obj


def _changed(obj: JSONObject, path: tuple[Any, ...], value: Any, *, remove: bool = False) -> JSONObject:
    made = copy.deepcopy(obj)
    holder = _at(made, path[:-1])
    if remove:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return made
