"""What columns of several API groups share: building a column, and printing what many kinds have.

Called by the column files beside it. Mirrors the helpers of `pkg/printers/internalversion/printers.go`.
A server always computes wide cells; the client hides what it does not show.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from generic.meta import time as meta_time
from generic.meta.selectors import LabelSelector
from generic.meta.tables import AGE_COLUMN, NAME_COLUMN, Column, Getter
from generic.types import JSONObject

NAME, AGE = NAME_COLUMN, AGE_COLUMN
NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"
_LISTED = 3


def cell(name: str, getter: Getter, *, type: str = "string", wide: bool = False, format: str = "") -> Column:
    """A column whose cells `getter` computes."""
    return Column(name, type, format, priority=1 if wide else 0, getter=getter)


def dig(obj: Any, *path: str) -> Any:
    """The value at a path of keys; None where one is missing or not an object."""
    for key in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(key)
    return obj


def at(*path: str, default: Any = "") -> Getter:
    """The value at a path, or `default` where there is none."""

    def get(obj: JSONObject) -> Any:
        value = dig(obj, *path)
        return default if value is None else value

    return get


def count(*path: str) -> Getter:
    """How many members the list or object at a path has."""
    return lambda obj: len(dig(obj, *path) or ())


def spec(obj: JSONObject) -> JSONObject:
    return obj.get("spec") or {}


def status(obj: JSONObject) -> JSONObject:
    return obj.get("status") or {}


def labels_text(labels: Mapping[str, str] | None) -> str:
    """`a=b,c=d` in key order; `<none>` if there are none."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector_text(selector: JSONObject | None) -> str:
    """A LabelSelector object as kubectl's `-l` takes it: `<none>` if it selects all, `<error>` if it is none."""
    try:
        parsed = LabelSelector.from_object(selector)
    except ValueError:
        return "<error>"
    return str(parsed) or NONE


def containers_columns(*template: str) -> tuple[Column, Column]:
    """The wide columns that name the containers and images of the pod template at a path."""

    def joined(key: str) -> Getter:
        return lambda obj: ",".join(str(c.get(key) or "") for c in dig(obj, *template, "spec", "containers") or ())

    return cell("Containers", joined("name"), wide=True), cell("Images", joined("image"), wide=True)


def shortened(items: Sequence[str], *, more: int | None = None) -> str:
    """The first three, and how many more there are."""
    text = ",".join(items[:_LISTED])
    left = len(items) - _LISTED if more is None else more
    return f"{text} + {left} more..." if len(items) > _LISTED else text


def since(timestamp: Any) -> str:
    """How long ago; `<unknown>` for no time."""
    return meta_time.age(timestamp if isinstance(timestamp, str) else None)


def elapsed(start: str, end: str | None) -> str:
    """How long from one time to another, or until now."""
    try:
        until = meta_time.parse(end) if end else meta_time.utcnow()
        return meta_time.human_duration(until - meta_time.parse(start))
    except ValueError:
        return UNKNOWN


def seconds_text(seconds: int) -> str:
    return meta_time.human_duration(timedelta(seconds=seconds))


def condition(conditions: Iterable[JSONObject] | None, type: str) -> JSONObject | None:
    """The first condition of a type."""
    return next((found for found in conditions or () if found.get("type") == type), None)


def has_condition(conditions: Iterable[JSONObject] | None, type: str) -> bool:
    """Whether a condition is True."""
    found = condition(conditions, type)
    return found is not None and found.get("status") == "True"
