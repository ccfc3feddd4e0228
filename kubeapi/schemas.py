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
_ZEROS = Path(__file__).with_name("zeros.json")
"""By definition: how Go writes what is empty. Made by `tools/zeros`."""
_FOLDER = re.compile(r"v(\d+)\.(\d+)\.\d+-local").fullmatch
_VERSION = re.compile(r"v?(\d+)\.(\d+)").fullmatch

Version = tuple[int, int]
"""Major and minor."""


class Schemas:
    """The schemas of one minor version of Kubernetes, by group, version and kind.

    `newest`: for an older version, the schemas of this server's own. Kinds the older one did not have are described
    by these: such a kind is not served, but this server may need it for itself.
    """

    def __init__(self, version: Version, definitions: Mapping[str, JSONObject], newest: Self | None = None) -> None:
        self.version = version
        self._newest = newest
        self._definitions = typed.Definitions(definitions, written=_written())
        self._names = {
            GroupVersionKind(known["group"], known["version"], known["kind"]): name
            for name, schema in definitions.items()
            for known in schema.get("x-kubernetes-group-version-kind") or ()
        }
        self._schemas: dict[GroupVersionKind, ObjectSchema] = {}

    @classmethod
    def load(cls, emulated_version: str = "") -> Self:
        """The newest version installed, or an older one such as `1.34`.

        Raises ValueError if that is not among them, FileNotFoundError if there is none at all.
        """
        found = _installed()
        newest = cls(max(found), _read(found[max(found)]))
        if not emulated_version:
            return newest
        match = _VERSION(emulated_version)
        version = (int(match[1]), int(match[2])) if match is not None else (0, 0)
        if version not in found:
            bounds = ", ".join(_text(bound) for bound in (min(found), max(found)))
            raise ValueError(f"emulation version {emulated_version} is not between [{bounds}]")
        return newest if version == newest.version else cls(version, _read(found[version]), newest)

    @property
    def minor_version(self) -> str:
        """Such as `1.37`."""
        return _text(self.version)

    @property
    def binary_version(self) -> str:
        """The minor version this server is of, whichever it emulates."""
        return self.minor_version if self._newest is None else self._newest.minor_version

    @property
    def is_emulated(self) -> bool:
        """Of an older version than this server's own."""
        return self._newest is not None

    def has(self, gvk: GroupVersionKind) -> bool:
        """The version knows this kind."""
        return gvk in self._names

    def object_schema(self, gvk: GroupVersionKind) -> ObjectSchema:
        """The schema of a kind, compiled when it is first used. Raises KeyError for an unknown one."""
        found = self._schemas.get(gvk)
        if found is None:
            if self._newest is not None and gvk not in self._names:
                return self._newest.object_schema(gvk)
            found = self._schemas[gvk] = ObjectSchema.of(self._definitions, self._names[gvk])
        return found

    def patch_schema(self, gvk: GroupVersionKind) -> DefinitionsSchema:
        """How the lists of a kind merge in a strategic merge patch. Raises KeyError for an unknown kind."""
        if self._newest is not None and gvk not in self._names:
            return self._newest.patch_schema(gvk)
        return DefinitionsSchema.of(self._definitions.raw, self._names[gvk])

    def openapi_definitions(self) -> Mapping[str, JSONObject]:
        """Every definition by its name, as the package has it."""
        return self._definitions.raw

    def kinds(self) -> frozenset[GroupVersionKind]:
        """Every kind that has a schema: also lists, options and what the API says about itself."""
        return frozenset(self._names)


def _installed() -> Mapping[Version, Path]:
    """The versions there are, and the definitions of each."""
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the package {_PACKAGE} is not installed")
    found = {
        (int(match[1]), int(match[2])): folder / "_definitions.json"
        for folder in (Path(spec.origin).parent / "kubernetes-json-schema").iterdir()
        if (match := _FOLDER(folder.name)) is not None
    }
    if not found:
        raise FileNotFoundError(f"the package {_PACKAGE} holds no schemas")
    return found


def _read(path: Path) -> Mapping[str, JSONObject]:
    document: JSONObject = orjson.loads(path.read_bytes())
    definitions: Mapping[str, JSONObject] = document["$defs"]
    return definitions


def _written() -> Mapping[str, JSONObject]:
    found: Mapping[str, JSONObject] = orjson.loads(_ZEROS.read_bytes())
    return found


def _text(version: Version) -> str:
    major, minor = version
    return f"{major}.{minor}"
