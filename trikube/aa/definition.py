"""Definition: what a Resource class says of its kind, checked when the class is made.

Made by `resource.py`, read by everything that serves the class. Mirrors the tags of `apiserver-boot`
(`+resource:path=...`) and the rules of `apiextensions-apiserver/pkg/apis/apiextensions/validation`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from generic.meta import names
from generic.meta.gvk import GroupVersion, GroupVersionKind, GroupVersionResource
from generic.meta.jsonpath import compile_path

_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_VERSION = re.compile(r"v[1-9][0-9]*((alpha|beta)[1-9][0-9]*)?")
_COLUMN_TYPES = ("string", "integer", "number", "boolean", "date")
_SIBILANTS = ("s", "x", "z", "ch", "sh")


class DefinitionError(TypeError):
    """A class that cannot be served; the message is one line and says why."""


@dataclass(frozen=True, slots=True)
class PathColumn:
    """A column of `kubectl get` that shows what a JSONPath selects. `priority` above 0: only in wide output."""

    name: str
    path: str
    type: str = "string"
    description: str = ""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the counts of `kubectl scale` stand in an object, as in a CRD's `subresources.scale`."""

    spec_replicas: str = ".spec.replicas"
    status_replicas: str = ".status.replicas"
    selector: str = ".status.selector"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """One kind in one version. `status`, `scale`: these subresources exist."""

    gvk: GroupVersionKind
    plural: str
    singular: str
    namespaced: bool
    short_names: Sequence[str] = ()
    categories: Sequence[str] = ()
    columns: Sequence[PathColumn] = ()
    selectable_fields: Sequence[str] = ()
    status: bool = False
    scale: Scale | None = None

    @property
    def group_version(self) -> GroupVersion:
        return self.gvk.group_version

    @property
    def gvr(self) -> GroupVersionResource:
        return self.group_version.with_resource(self.plural)

    @property
    def package(self) -> str:
        """What the names of its schemas begin with in OpenAPI documents: `io.demo.animal.v1alpha1`."""
        return ".".join((*reversed(self.gvk.group.split(".")), self.gvk.version))

    def check(self) -> None:
        """Raises DefinitionError on the first name that Kubernetes would not take."""
        kind, group, version = self.gvk.kind, self.gvk.group, self.gvk.version
        _refuse(kind, f"group {group!r}", names.dns1123_subdomain(group))
        if "." not in group:
            raise DefinitionError(f"{kind}: group {group!r} must be a domain with a dot, such as animal.demo.io")
        if not _VERSION.fullmatch(version):
            raise DefinitionError(f"{kind}: version {version!r} must be like v1, v1beta1 or v1alpha1")
        if not _KIND.fullmatch(kind):
            raise DefinitionError(f"kind {kind!r} must be letters and digits and begin with a capital, such as Cat")
        for what, name in (("plural", self.plural), ("singular", self.singular)):
            _refuse(kind, f"{what} {name!r}", names.dns1035_label(name))
        for what, found in (("short name", self.short_names), ("category", self.categories)):
            for name in found:
                _refuse(kind, f"{what} {name!r}", names.dns1035_label(name))
        for column in self.columns:
            if column.type not in _COLUMN_TYPES:
                known = ", ".join(_COLUMN_TYPES)
                raise DefinitionError(f"{kind}: column {column.name!r} has type {column.type!r}; known are {known}")
            _check_path(kind, f"column {column.name!r}", column.path)
        for path in (*self.selectable_fields, *(() if self.scale is None else _paths(self.scale))):
            _check_path(kind, "field", path)


def plural_of(kind: str) -> str:
    """The regular English plural, in lower case: cats, foxes, puppies, monkeys."""
    name = kind.lower()
    if name.endswith("y") and name[-2:-1] not in tuple("aeiou"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith(_SIBILANTS) else f"{name}s"


def keys_of(path: str) -> tuple[str, ...]:
    """The keys of a simple path such as `.spec.replicas`."""
    return tuple(path.removeprefix(".").split("."))


def _paths(scale: Scale) -> Sequence[str]:
    return (scale.spec_replicas, scale.status_replicas, scale.selector)


def _refuse(kind: str, what: str, problems: Sequence[str]) -> None:
    if problems:
        raise DefinitionError(f"{kind}: {what} is not valid: {problems[0]}")


def _check_path(kind: str, what: str, path: str) -> None:
    try:
        compile_path(path if path.startswith(".") else f".{path}")
    except ValueError as error:
        raise DefinitionError(f"{kind}: {what} has no valid path {path!r}: {error}") from None
