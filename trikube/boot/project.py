"""Project: what `boot.json` at the root of a scaffolded repository says, and the names that follow from it.

Read and written by every command of `trikube boot`. What Kubernetes demands of names is asked of `trikube.aa`, what
Python demands is here.
"""

import json
import keyword
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

from generic.meta import names
from generic.meta.gvk import GroupVersionKind
from trikube import aa
from trikube.aa.definition import Definition, DefinitionError, plural_of
from trikube.boot.errors import BootError

FILE = "boot.json"

_TAKEN = frozenset({"tests", "samples", "config", "trikube", "generic", "kubeapi", "extensions", "aggregator"})
"""Folders of the repository, and packages it is built on."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind in one version. `group` is without the domain."""

    group: str
    version: str
    kind: str
    namespaced: bool = True
    short_names: Sequence[str] = ()
    subresources: Sequence[str] = ()
    hub: str = ""
    """The version that is stored; empty if it is this one."""

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def plural(self) -> str:
        return plural_of(self.kind)

    @property
    def package(self) -> str:
        """The module of the group, below the project's package."""
        return identifier(self.group)

    @property
    def module(self) -> str:
        """The module of the kind, below that of its group."""
        return f"{self.singular}_{self.version}"


@dataclass(frozen=True, slots=True)
class Project:
    """A repository. `root` is where it lies."""

    root: Path
    name: str
    domain: str
    kinds: Sequence[Kind] = ()

    @property
    def package(self) -> str:
        return identifier(self.name)

    def group_of(self, kind: Kind) -> str:
        """The whole API group: `animal.demo.io`."""
        return f"{kind.group}.{self.domain}"

    def groups(self) -> dict[str, list[str]]:
        """Each API group with its versions, the preferred one first: the newest and most stable."""
        found: dict[str, list[str]] = {}
        for kind in self.kinds:
            versions = found.setdefault(self.group_of(kind), [])
            if kind.version not in versions:
                versions.append(kind.version)
        return {group: sorted(versions, key=_stability, reverse=True) for group, versions in found.items()}

    def find(self, kind: str, *, group: str = "", version: str = "") -> Kind:
        """The only one of that description. Raises BootError."""
        found = [
            each
            for each in self.kinds
            if each.kind == kind and group in ("", each.group) and version in ("", each.version)
        ]
        if not found:
            raise BootError(f"there is no kind {kind} here: {', '.join(self._said()) or 'there is none at all'}")
        if len(found) > 1:
            raise BootError(f"there are several of kind {kind}, say --group and --version: {', '.join(self._said())}")
        return found[0]

    def with_kind(self, kind: Kind) -> Self:
        """A version of a kind that is there already has the first one as its hub. Raises BootError."""
        self._check(kind)
        for other in self.kinds:
            if (other.group, other.kind) == (kind.group, kind.kind):
                if other.version == kind.version:
                    raise BootError(f"kind {kind.kind} of {self.group_of(kind)}/{kind.version} is there already")
                if other.namespaced != kind.namespaced:
                    raise BootError(f"kind {kind.kind} is there already with another --non-namespaced")
                kind = replace(kind, hub=kind.hub or other.hub or other.version)
            elif (other.group, other.plural) == (kind.group, kind.plural):
                raise BootError(f"kind {kind.kind} would share its plural {kind.plural} with kind {other.kind}")
        return replace(self, kinds=(*self.kinds, kind))

    def with_subresource(self, kind: Kind, name: str) -> Self:
        """Raises BootError."""
        if problems := names.dns1035_label(name):
            raise BootError(f"subresource {name!r} is not valid: {problems[0]}")
        if name in ("status", "scale"):
            raise BootError(f"subresource {name!r} is made with the kind, not by itself: see the class {kind.kind}")
        if name in kind.subresources:
            raise BootError(f"kind {kind.kind} has subresource {name!r} already")
        changed = replace(kind, subresources=(*kind.subresources, name))
        return replace(self, kinds=tuple(changed if each == kind else each for each in self.kinds))

    def to_json(self) -> str:
        """The text of the file."""
        said = {"name": self.name, "domain": self.domain, "kinds": [asdict(kind) for kind in self.kinds]}
        return json.dumps(said, indent=2) + "\n"

    def _check(self, kind: Kind) -> None:
        group = self.group_of(kind)
        if problems := names.dns1035_label(kind.group):
            raise BootError(
                f"--group {kind.group!r} is not valid, it is one label before .{self.domain}: {problems[0]}"
            )
        definition = Definition(
            gvk=GroupVersionKind(group, kind.version, kind.kind),
            plural=kind.plural,
            singular=kind.singular,
            namespaced=kind.namespaced,
            short_names=kind.short_names,
        )
        try:
            definition.check()
        except DefinitionError as error:
            raise BootError(str(error)) from error
        if keyword.iskeyword(kind.kind) or kind.kind in dir(aa):
            raise BootError(f"kind {kind.kind!r} would hide what Python or trikube.aa calls so")

    def _said(self) -> list[str]:
        return [f"{each.kind} of {self.group_of(each)}/{each.version}" for each in self.kinds]


def new(root: Path, name: str, domain: str) -> Project:
    """A project without kinds. Raises BootError on names that cannot be."""
    if problems := names.dns1123_subdomain(domain):
        raise BootError(f"--domain {domain!r} is not valid: {problems[0]}")
    if "." not in domain:
        raise BootError(f"--domain {domain!r} must have a dot, such as demo.io")
    if problems := names.dns1035_label(name):
        raise BootError(f"--name {name!r} is not valid: {problems[0]}")
    if name in _TAKEN or identifier(name) in sys.stdlib_module_names or identifier(name) != name.replace("-", "_"):
        raise BootError(f"--name {name!r} cannot be: Python, trikube or the repository itself has something called so")
    return Project(root, name, domain)


def load(folder: Path) -> Project:
    """The project a folder is in. Raises BootError."""
    for root in (folder, *folder.parents):
        file = root / FILE
        if file.is_file():
            return _read(file)
    raise BootError(
        f"{folder} is in no repository of trikube boot: make one with `trikube boot init repo --domain ...`"
    )


def identifier(name: str) -> str:
    """A DNS label as a name in Python."""
    made = name.replace("-", "_")
    return f"{made}_" if keyword.iskeyword(made) else made


def _read(file: Path) -> Project:
    try:
        said: Any = json.loads(file.read_text())
        kinds = [Kind(**{**each, "short_names": tuple(each["short_names"])}) for each in said["kinds"]]
        kinds = [replace(each, subresources=tuple(each.subresources)) for each in kinds]
        return Project(file.parent, said["name"], said["domain"], tuple(kinds))
    except OSError as error:
        raise BootError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BootError(f"{file} is not what trikube boot wrote: {type(error).__name__}: {error}") from error


def _stability(version: str) -> tuple[int, ...]:
    """As Kubernetes orders versions: v2, v1, v1beta1, v1alpha1."""
    found = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version)
    if found is None:
        return (0,)
    return (("alpha", "beta", None).index(found[2]) + 1, int(found[1]), int(found[3] or 0))
