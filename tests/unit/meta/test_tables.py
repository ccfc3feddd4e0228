"""Cells of table columns: default kinds, custom resources, and their types."""

from datetime import timedelta
from typing import Any

import pytest

from generic.meta import tables
from generic.meta import time as meta_time


def old_object(**more: Any) -> dict[str, Any]:
    created = meta_time.format_time(meta_time.utcnow() - timedelta(hours=30))
    return {"metadata": {"name": "web", "creationTimestamp": created}, **more}


def test_kinds_without_columns_show_name_and_creation_time() -> None:
    obj = old_object()
    columns = tables.default_columns()
    assert [(c.name, c.type, c.format) for c in columns] == [("Name", "string", "name"), ("Created At", "date", "")]
    assert tables.row(columns, obj) == ["web", obj["metadata"]["creationTimestamp"]]


def test_custom_resources_without_columns_show_name_and_age() -> None:
    columns = tables.custom_resource_columns(None)
    assert [(c.name, c.type) for c in columns] == [("Name", "string"), ("Age", "date")]
    assert tables.row(columns, old_object()) == ["web", "30h"]
    assert columns[1].getter({"metadata": {}}) == "<unknown>"


def test_custom_resource_columns_come_from_the_definition() -> None:
    columns = tables.custom_resource_columns([
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1, "description": "How big"},
        {"name": "Born", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ])
    assert [c.definition() for c in columns[1:]] == [
        {"name": "Size", "type": "integer", "format": "", "description": "How big", "priority": 1},
        {
            "name": "Born",
            "type": "date",
            "format": "",
            "description": "Custom resource definition column (in JSONPath format): .metadata.creationTimestamp",
            "priority": 0,
        },
    ]
    assert tables.row(columns, old_object(spec={"size": 4})) == ["web", 4, "30h"]


@pytest.mark.parametrize(
    ("type_", "value", "cell"),
    [
        ("string", "x", "x"),
        ("string", 3, "3"),
        ("string", 1.0, "1"),
        ("string", 1e16, "10000000000000000"),
        ("string", 1e21, "1e+21"),
        ("string", 0.00001, "1e-05"),
        ("string", True, "true"),
        ("string", [1, 2, 3], "[1,2,3]"),
        ("string", {"b": "<", "a": 1}, '{"a":1,"b":"\\u003c"}'),
        ("string", None, "<no value>"),
        ("integer", 3, 3),
        ("integer", 3.9, 3),
        ("integer", "3", None),
        ("integer", True, None),
        ("number", 3, 3.0),
        ("number", 2.5, 2.5),
        ("boolean", False, False),
        ("boolean", "false", None),
        ("date", "yesterday", "<invalid>"),
        ("date", "", "<unknown>"),
        ("date", 5, None),
        ("other", "x", None),
    ],
)
def test_a_cell_has_the_type_of_its_column(type_: str, value: Any, cell: Any) -> None:
    shown = tables.path_getter(type_, ".v")({"v": value})
    assert (shown, type(shown)) == (cell, type(cell))


@pytest.mark.parametrize("path", [".missing", ".list[7]", ".list.x", ".v[0]"])
def test_a_missing_value_is_a_null_cell(path: str) -> None:
    assert tables.path_getter("string", path)({"v": "x", "list": []}) is None


def test_only_the_first_of_several_values_is_shown() -> None:
    assert tables.path_getter("string", ".list[*].n")({"list": [{"n": "a"}, {"n": "b"}]}) == "a"


def test_a_bad_path_ends_the_columns() -> None:
    good, bad = ({"name": n, "type": "string", "jsonPath": p} for n, p in (("A", ".a"), ("B", "b[")))
    assert [c.name for c in tables.custom_resource_columns([good, bad, good])] == ["Name", "A"]
