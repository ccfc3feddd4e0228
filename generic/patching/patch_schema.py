"""What strategic merge asks of a schema, and the answer from OpenAPI definitions.

`PatchSchema` is used by `strategic.py`; `DefinitionsSchema` is made by whoever holds the definitions of the
built-in kinds. Mirrors LookupPatchMeta and PatchMetaFromOpenAPI of `apimachinery/pkg/util/strategicpatch`.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from generic.types import JSONObject

NO_STRATEGIES: frozenset[str] = frozenset()


class PatchSchema(Protocol):
    """How one value merges, and the schemas of what is inside it. Unknown insides are None: they replace."""

    @property
    def merge_key(self) -> str | None:
        """For a list of objects that merges: the member that tells its items apart."""

    @property
    def strategies(self) -> frozenset[str]:
        """Of merge, replace and retainKeys."""

    def property(self, name: str) -> "PatchSchema | None":
        """The schema of a member."""

    def items(self) -> "PatchSchema | None":
        """The schema of the items of a list."""


class DefinitionsSchema:
    """A schema in a mapping of OpenAPI definitions that refer to each other by `$ref`.

    The last part of a reference is the name of its definition, so `#/$defs/x` and `#/components/schemas/x`
    both work. What stands beside a `$ref` is what says how the value merges.
    """

    __slots__ = ("_children", "_definitions", "_schema", "merge_key", "strategies")

    def __init__(self, definitions: Mapping[str, JSONObject], schema: JSONObject) -> None:
        self._definitions = definitions
        self._schema = schema
        self._children: dict[str, DefinitionsSchema | None] = {}
        self.merge_key: str | None = schema.get("x-kubernetes-patch-merge-key")
        strategy = schema.get("x-kubernetes-patch-strategy")
        self.strategies = frozenset(strategy.split(",")) if strategy else NO_STRATEGIES

    @classmethod
    def of(cls, definitions: Mapping[str, JSONObject], name: str) -> "DefinitionsSchema":
        """The schema of a definition by its name. Raises KeyError if there is none."""
        return cls(definitions, definitions[name])

    def property(self, name: str) -> "DefinitionsSchema | None":
        """See PatchSchema; members of a map all have the schema of its additionalProperties."""
        if name not in self._children:
            target = self._resolved()
            found: Any = (target.get("properties") or {}).get(name) or target.get("additionalProperties")
            self._children[name] = DefinitionsSchema(self._definitions, found) if isinstance(found, dict) else None
        return self._children[name]

    def items(self) -> "DefinitionsSchema | None":
        """See PatchSchema."""
        # Names are never empty, so the empty one is free to remember the items under.
        if "" not in self._children:
            found: Any = self._resolved().get("items")
            self._children[""] = DefinitionsSchema(self._definitions, found) if isinstance(found, dict) else None
        return self._children[""]

    def _resolved(self) -> JSONObject:
        """The schema with its references followed."""
        schema = self._schema
        for _ in range(32):
            parts = schema.get("allOf")
            reference = schema.get("$ref") or (parts[0].get("$ref") if parts and len(parts) == 1 else None)
            if reference is None:
                break
            schema = self._definitions.get(reference.rpartition("/")[2]) or {}
        return schema
