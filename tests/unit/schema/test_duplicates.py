"""Duplicate keys of a JSON body."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.schema.duplicates import duplicate_fields


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (b'{"a":1}', []),
        (b'{"a":1,"a":1}', ["a"]),
        (b'{"metadata":{"labels":{"a":"1","a":"2","a":"3"}}}', ["metadata.labels.a"]),
        (b'{"spec":{"containers":[{"name":"x","name":"y"}]}}', ["spec.containers[0].name"]),
        (b'{"a":{"b":1},"a":{"b":1,"b":2}}', ["a", "a.b"]),
        (b'{"a":"\\"x\\":1","b":"\\u0022"}', []),
        (b'{"\\u0061":"\\u0022","a":1}', ["a"]),
        (b'{"a":"\\u0022\\u0022","b":1,"b":1}', ["b"]),
        (b"{not json", []),
    ],
)
def test_each_duplicate_is_named_once(body: bytes, paths: list[str]) -> None:
    assert duplicate_fields(body) == paths


class Pairs(list[tuple[str, Any]]):
    """An object as its members, doubles included."""


KEYS = st.sampled_from(["a", "b", 'q"', "\\", "é"])
VALUES = st.recursive(
    st.none() | st.integers(-3, 3) | st.sampled_from(["", '"a":', '\\"', "\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=4).map(Pairs),
    max_leaves=12,
)


def encoded(value: Any, *, ascii_only: bool) -> str:
    if isinstance(value, Pairs):
        members = (
            f"{json.dumps(key, ensure_ascii=ascii_only)} : {encoded(v, ascii_only=ascii_only)}" for key, v in value
        )
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(encoded(item, ascii_only=ascii_only) for item in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


def named(value: Any, path: str) -> list[str]:
    if isinstance(value, Pairs):
        keys, found = [key for key, _ in value], []
        for at, (key, inside) in enumerate(value):
            here = f"{path}.{key}" if path else key
            found += [here] if key in keys[:at] else []
            found += named(inside, here)
        return found
    if isinstance(value, list):
        return [name for at, item in enumerate(value) for name in named(item, f"{path}[{at}]")]
    return []


@given(VALUES, st.booleans())
def test_agrees_with_a_naive_parser(value: Any, ascii_only: bool) -> None:
    body = encoded(value, ascii_only=ascii_only).encode()
    assert duplicate_fields(body) == list(dict.fromkeys(named(value, "")))
