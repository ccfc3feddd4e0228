"""The columns of `kubectl get`: Name, what the class says, Age. Called by `install.py`."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from generic.meta import tables
from generic.meta.tables import Column
from generic.types import JSONObject
from trikube.aa import markers
from trikube.aa.markers import ColumnMark
from trikube.aa.resource import Resource

_LOG = logging.getLogger(__name__)


def columns_of(cls: type[Resource]) -> Sequence[Column]:
    """Paths first, then methods; Age only where the class has none of its own."""
    found = [
        tables.path_column(
            each.name,
            each.type,
            each.path,
            description=each.description or f"What {each.path} says.",
            priority=each.priority,
        )
        for each in cls.definition.columns
    ]
    for mark, function in markers.marks(cls):
        if isinstance(mark, ColumnMark):
            description = mark.description or (function.__doc__ or "").strip().partition("\n")[0]
            getter = _getter(cls, mark, function)
            found.append(Column(mark.name, mark.type, "", description, priority=mark.priority, getter=getter))
    ages = any(column.name.lower() == "age" for column in found)
    return (tables.NAME_COLUMN, *found, *(() if ages else (tables.AGE_COLUMN,)))


def _getter(cls: type[Resource], mark: ColumnMark, function: Callable[..., Any]) -> Callable[[JSONObject], Any]:
    def cell(obj: JSONObject) -> Any:
        try:
            return function(cls.from_object(obj))
        except Exception as error:
            # One object that the author did not think of must not keep the others from being listed.
            _LOG.error("column %s of %s raised %s: %s", mark.name, cls.__name__, type(error).__name__, error)
            return None

    return cell
