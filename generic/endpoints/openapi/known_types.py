"""KnownTypes: how Kubernetes itself describes its types, for documents that would else describe them in our words.

Given to `build.py` by servers that have these descriptions (`ServerConfig.types`). One source for all servers of a
process: a type that two documents describe differently would be two types in the one document of OpenAPI v2.
"""

from collections.abc import Mapping
from functools import cached_property

from generic.meta.gvk import GroupVersionKind
from generic.schema import components
from generic.types import JSONObject


class KnownTypes:
    """`definitions`: by component name, referring to each other by `$ref`; none for a server that has none."""

    def __init__(self, definitions: Mapping[str, JSONObject] | None = None) -> None:
        self._definitions = definitions or {}

    def name_of(self, gvk: GroupVersionKind) -> str | None:
        """The component of a kind."""
        return self._names.get(gvk)

    def add_to(self, made: dict[str, JSONObject], name: str) -> None:
        """Add the component of that name and all it reaches, as far as they are known and not there yet."""
        waiting = [name]
        while waiting:
            current = waiting.pop()
            if current in self._definitions and current not in made:
                made[current], references = components.convert(self._definitions[current], current)
                waiting += references

    @cached_property
    def _names(self) -> Mapping[GroupVersionKind, str]:
        return {
            GroupVersionKind(known["group"], known["version"], known["kind"]): name
            for name, definition in self._definitions.items()
            for known in definition.get("x-kubernetes-group-version-kind") or ()
        }
