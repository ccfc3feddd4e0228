"""The rules of a whole schema, as a tree of those parts that have any. Compiled when an object is first written.

Called by the strategy of custom resources. Mirrors NewValidator of
`apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go`.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from extensions.rules.compiling import RULES, SELF, Compiled, RuleCompiler
from generic.schema.cel.environment import CelEnvironment
from generic.types import JSONObject

_ATOMIC = "atomic"


@dataclass(frozen=True, slots=True)
class RuleNode:
    """One part of the schema: its rules, and the parts inside that have some."""

    json_type: str
    rules: tuple[Compiled, ...]
    bind: Callable[[Any], Any]
    members: Mapping[str, "RuleNode"]
    values: "RuleNode | None"
    items: "RuleNode | None"
    all_of: tuple["RuleNode", ...]
    correlates_members: bool
    map_keys: tuple[str, ...]
    """Of lists of type map, whose items correlate; empty for others."""


class LazyRules:
    """The rules of a schema, compiled when first asked for, in a thread: many take their time."""

    def __init__(self, schema: JSONObject) -> None:
        self._schema = schema
        self._built: asyncio.Future[RuleNode | None] | None = None

    async def tree(self) -> RuleNode | None:
        """None if there are none."""
        if self._built is None:
            self._built = asyncio.ensure_future(asyncio.to_thread(build, self._schema, resource_root=True))
        # Shielded: whoever asked first may go away, others wait for the same.
        return self._built.result() if self._built.done() else await asyncio.shield(self._built)


def build(schema: JSONObject, *, resource_root: bool = False) -> RuleNode | None:
    """None where there is no rule in all of the schema."""
    members = {
        name: made for name, member in (schema.get("properties") or {}).items() if (made := _inner(member)) is not None
    }
    values, items = _inner(schema.get("additionalProperties")), _inner(schema.get("items"))
    all_of = tuple(made for part in schema.get("allOf") or () if (made := build(part)) is not None)
    rules = schema.get(RULES)
    if not (rules or members or values or items or all_of):
        return None
    compiled: tuple[Compiled, ...] = ()
    bind: Callable[[Any], Any] = _as_it_is
    if rules:
        compiler = RuleCompiler(
            schema, resource_root=resource_root or bool(schema.get("x-kubernetes-embedded-resource"))
        )
        compiled = tuple(compiler.compile(rule) for rule in rules)
        bind = _binder(compiler.environment)
    return RuleNode(
        json_type=schema.get("type") or "",
        rules=tuple(rule for rule in compiled if rule.program is not None or rule.error),
        bind=bind,
        members=members,
        values=values,
        items=items,
        all_of=all_of,
        correlates_members=schema.get("x-kubernetes-map-type") != _ATOMIC,
        map_keys=_map_keys(schema),
    )


def _inner(schema: Any) -> RuleNode | None:
    return build(schema) if isinstance(schema, dict) else None


def _map_keys(schema: JSONObject) -> tuple[str, ...]:
    if schema.get("x-kubernetes-list-type") != "map":
        return ()
    return tuple(schema.get("x-kubernetes-list-map-keys") or ())


def _binder(environment: CelEnvironment) -> Callable[[Any], Any]:
    return lambda value: environment.bind(SELF, value)


def _as_it_is(value: Any) -> Any:
    return value
