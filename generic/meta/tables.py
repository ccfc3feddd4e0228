"""Table columns: how an object becomes a row of `kubectl get`.

Called by Resource definitions (which columns a kind has) and by the table endpoint (cells of a row).
Mirrors `apiserver/pkg/registry/rest/table.go`, the table convertor of `apiextensions-apiserver` and
`apimachinery/pkg/api/meta/table`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, TypeAlias

from generic.meta import go_text, jsonpath
from generic.meta import time as meta_time
from generic.types import JSONObject

Getter: TypeAlias = Callable[[JSONObject], Any]
"""From a decoded object to the JSON value of its cell; None is an empty cell."""

UNKNOWN = "<unknown>"
INVALID = "<invalid>"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `priority` 0 is always shown, higher only in wide output."""

    name: str
    type: str
    format: str = ""
    description: str = ""
    priority: int = 0
    getter: Getter = lambda obj: None

    def definition(self) -> JSONObject:
        """The `TableColumnDefinition` of this column."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


def row(columns: Iterable[Column], obj: JSONObject) -> list[Any]:
    """The cells of one object."""
    return [column.getter(obj) for column in columns]


def name_of(obj: JSONObject) -> Any:
    return obj["metadata"].get("name", "")


def created_at(obj: JSONObject) -> Any:
    return obj["metadata"].get("creationTimestamp")


def age_of(obj: JSONObject) -> Any:
    return meta_time.age(obj["metadata"].get("creationTimestamp"))


NAME_DESCRIPTION = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow "
    "a client to request the generation of an appropriate name automatically. Name is primarily intended for creation "
    "idempotence and configuration definition. Cannot be updated. More info: "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)
CREATED_DESCRIPTION = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed "
    "to be set in happens-before order across separate operations. Clients may not set this value. It is represented "
    "in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
)

NAME_COLUMN = Column("Name", "string", format="name", description=NAME_DESCRIPTION, getter=name_of)
AGE_COLUMN = Column("Age", "string", description=CREATED_DESCRIPTION, getter=age_of)
"""The Age of built-in kinds, which is text already; that of custom resources is a date."""
CREATED_AT_COLUMN = Column("Created At", "date", description=CREATED_DESCRIPTION, getter=created_at)
CUSTOM_AGE_COLUMN = Column("Age", "date", description=CREATED_DESCRIPTION, getter=age_of)


def default_columns() -> Sequence[Column]:
    """Of kinds that say nothing about columns."""
    return (NAME_COLUMN, CREATED_AT_COLUMN)


def custom_resource_columns(definitions: Sequence[JSONObject] | None) -> Sequence[Column]:
    """Of a CRD version, from its `additionalPrinterColumns`.

    A definition whose path cannot be parsed ends the list, as in Kubernetes.
    """
    if not definitions:
        return (NAME_COLUMN, CUSTOM_AGE_COLUMN)
    columns = [NAME_COLUMN]
    for definition in definitions:
        path = definition["jsonPath"]
        described = f"Custom resource definition column (in JSONPath format): {path}"
        try:
            column = path_column(
                definition["name"],
                definition["type"],
                path,
                format=definition.get("format") or "",
                description=definition.get("description") or described,
                priority=definition.get("priority") or 0,
            )
        except ValueError:
            break
        columns.append(column)
    return tuple(columns)


def path_column(
    name: str, type: str, path: str, *, format: str = "", description: str = "", priority: int = 0
) -> Column:
    """A column that shows what a JSONPath selects. Raises ValueError if the path is none."""
    return Column(name, type, format, description, priority=priority, getter=path_getter(type, path))


def path_getter(type: str, path: str) -> Getter:
    """The cell of a column of this type: the first value selected, or None if it is missing or unfit."""
    find = jsonpath.compile_path(path).find
    cell = _text_cell if type == "string" else _CELLS.get(type, _no_cell)

    def get(obj: JSONObject) -> Any:
        try:
            found = find(obj)
        except ValueError:
            return None
        return cell(found[0]) if found else None

    return get


def text(value: Any) -> str:
    """A JSON value as Kubernetes prints it into a text cell."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "<no value>"
    if isinstance(value, float):
        return go_text.number(value)
    if isinstance(value, dict | list):
        return go_text.to_json(value)
    return str(value)


def _text_cell(value: Any) -> Any:
    return text(value)


def _integer_cell(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if isfinite(value) else None


def _number_cell(value: Any) -> Any:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _boolean_cell(value: Any) -> Any:
    return value if isinstance(value, bool) else None


def _date_cell(value: Any) -> Any:
    if not isinstance(value, str):
        return None
    if value in ("", "null"):
        return UNKNOWN
    try:
        moment = meta_time.parse(value)
    except ValueError:
        return INVALID
    return meta_time.human_duration(meta_time.utcnow() - moment)


def _no_cell(value: Any) -> Any:
    return None


_CELLS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer_cell,
    "number": _number_cell,
    "boolean": _boolean_cell,
    "date": _date_cell,
}
