"""Which fields stand more than once in a JSON body. Called by `generic/endpoints/decoding.py`.

Most have none, so the first pass only asks whether there is one. Mirrors the strict errors of `sigs.k8s.io/json`; for
those of YAML, which name lines instead of paths, see `yaml_loading.py`.
"""

import json
from collections.abc import Sequence
from typing import Any

import orjson

MAX_REPORTED = 100


def duplicate_fields(body: bytes) -> list[str]:
    """Paths such as `metadata.labels.a` and `spec.containers[0].name`, in the body's order, each once.

    A body that is not JSON, or nested too deep, has none: somebody else says so.
    """
    paths: dict[str, None] = {}
    try:
        if not _may_repeat(body):
            return []
        _name(json.loads(body, object_pairs_hook=_Pairs), "", paths)
    except (ValueError, RecursionError, TypeError):
        # TypeError is orjson's for what is nested too deep to be written again.
        return []
    return list(paths)[:MAX_REPORTED]


def in_order(body: bytes, found: Sequence[str]) -> list[str]:
    """What was found of a body that repeats fields, in its order: `duplicate field "a"` and `unknown field "b"`."""
    order: dict[str, int] = {}
    _note(json.loads(body, object_pairs_hook=_Pairs), "", order)
    return sorted(found, key=lambda said: order.get(said, len(order)))


def _note(value: Any, path: str, order: dict[str, int]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, inside in value:
            here = f"{path}.{key}" if path else key
            order.setdefault(f'{"duplicate" if key in seen else "unknown"} field "{here}"', len(order))
            seen.add(key)
            _note(inside, here, order)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            _note(item, f"{path}[{at}]", order)


def _may_repeat(body: bytes) -> bool:
    """Whether decoding loses a key: then there are more quotes in the body than in what it says.

    Only an escaped quote could be written in another way, and only with a `\\u`. Raises ValueError.
    """
    return b"\\u" in body or body.count(b'"') != orjson.dumps(orjson.loads(body)).count(b'"')


class _Pairs(list[tuple[str, Any]]):
    """The members of an object as they came; a list of its own so as not to be taken for an array."""


def _name(value: Any, path: str, paths: dict[str, None]) -> None:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for key, inside in value:
            here = f"{path}.{key}" if path else key
            if key in seen:
                paths[here] = None
            seen.add(key)
            _name(inside, here, paths)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            _name(item, f"{path}[{at}]", paths)
