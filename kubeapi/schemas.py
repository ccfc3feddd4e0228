"""Schemas: the shape of every built-in kind, read from the OpenAPI of Kubernetes itself.

Made once at start and given to whoever builds Resources: `kubeapi/server.py`, reviews and subresources. The
definitions are data of the package `kubernetes_validate`, which is found and read but never imported: its import
costs more than the rest of a start.
"""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import orjson

from generic.meta.gvk import GroupVersionKind
from generic.patching.patch_schema import DefinitionsSchema
from generic.schema import typed
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject

_PACKAGE = "kubernetes_validate"
_FOLDER = re.compile(r"v(\d+)\.(\d+)\.\d+-local").fullmatch


class Schemas:
    """The schemas of one minor version of Kubernetes, by group, version and kind."""

    def __init__(self, minor_version: str, definitions: Mapping[str, JSONObject]) -> None:
        self.minor_version = minor_version
        """Such as `1.37`."""
        self._definitions = typed.Definitions(definitions)
        self._names = {
            GroupVersionKind(known["group"], known["version"], known["kind"]): name
            for name, schema in definitions.items()
            for known in schema.get("x-kubernetes-group-version-kind") or ()
        }
        self._schemas: dict[GroupVersionKind, ObjectSchema] = {}

    @classmethod
    def load(cls) -> Self:
        """The newest version installed. Raises FileNotFoundError if there is none."""
        minor_version, path = _newest()
        return cls(minor_version, orjson.loads(path.read_bytes())["$defs"])

    def object_schema(self, gvk: GroupVersionKind) -> ObjectSchema:
        """The schema of a kind, compiled when it is first used. Raises KeyError for an unknown one."""
        found = self._schemas.get(gvk)
        if found is None:
            found = self._schemas[gvk] = ObjectSchema.of(self._definitions, self._names[gvk])
        return found

    def patch_schema(self, gvk: GroupVersionKind) -> DefinitionsSchema:
        """How the lists of a kind merge in a strategic merge patch. Raises KeyError for an unknown kind."""
        return DefinitionsSchema.of(self._definitions.raw, self._names[gvk])

    def openapi_definitions(self) -> Mapping[str, JSONObject]:
        """Every definition by its name, as the package has it."""
        return self._definitions.raw

    def kinds(self) -> frozenset[GroupVersionKind]:
        """Every kind that has a schema: also lists, options and what the API says about itself."""
        return frozenset(self._names)


def _newest() -> tuple[str, Path]:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the package {_PACKAGE} is not installed")
    found = [
        ((int(match[1]), int(match[2])), folder / "_definitions.json")
        for folder in (Path(spec.origin).parent / "kubernetes-json-schema").iterdir()
        if (match := _FOLDER(folder.name)) is not None
    ]
    if not found:
        raise FileNotFoundError(f"the package {_PACKAGE} holds no schemas")
    (major, minor), path = max(found)
    return f"{major}.{minor}", path
