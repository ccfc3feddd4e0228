"""What several groups' defaulting shares. Called by the files beside this one."""

from typing import Any

from generic.types import JSONObject


def section(obj: JSONObject, key: str) -> JSONObject:
    """The object at `key`, made if it is not there: Go's structs always are."""
    value = obj.get(key)
    if not isinstance(value, dict):
        value = {}
        obj[key] = value
    return value


def fill(obj: JSONObject, **defaults: Any) -> None:
    """Set each key that is missing or null."""
    for key, value in defaults.items():
        if obj.get(key) is None:
            obj[key] = value


def fill_empty(obj: JSONObject, **defaults: Any) -> None:
    """Set each key that is missing, null or empty: for strings that are no pointers in Go."""
    for key, value in defaults.items():
        if not obj.get(key):
            obj[key] = value


def zeros(obj: JSONObject, key: str, *counters: str) -> None:
    """Give the counters of an existing section their zero, as Go writes them; the schema requires them."""
    found = obj.get(key)
    if isinstance(found, dict):
        fill(found, **dict.fromkeys(counters, 0))
