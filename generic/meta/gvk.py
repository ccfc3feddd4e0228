"""Group, version, kind and resource names, and the order of versions.

Mirrors `apimachinery/pkg/runtime/schema` and `apimachinery/pkg/version/helpers.go`.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from generic.types import JSONObject


class GroupVersion(NamedTuple):
    """An API group and version. The core group is the empty string."""

    group: str
    version: str

    def __str__(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def path(self) -> str:
        """URL prefix the group-version is served under, e.g. `/api/v1` or `/apis/apps/v1`."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"

    @staticmethod
    def parse(api_version: str) -> "GroupVersion":
        """Split an `apiVersion`. Raises ValueError if it has more than one slash."""
        group, slash, version = api_version.rpartition("/")
        if "/" in group or (slash and not group):
            raise ValueError(f"unexpected GroupVersion string: {api_version}")
        return GroupVersion(group, version)

    def with_kind(self, kind: str) -> "GroupVersionKind":
        return GroupVersionKind(self.group, self.version, kind)

    def with_resource(self, resource: str) -> "GroupVersionResource":
        return GroupVersionResource(self.group, self.version, resource)


class GroupResource(NamedTuple):
    """An API group and a plural resource name; prints as `deployments.apps`."""

    group: str
    resource: str

    def __str__(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource


class GroupKind(NamedTuple):
    """An API group and a kind; prints as `Deployment.apps`."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


class GroupVersionResource(NamedTuple):
    """An API group, a version and a plural resource name."""

    group: str
    version: str
    resource: str

    @property
    def group_version(self) -> GroupVersion:
        return GroupVersion(self.group, self.version)

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.group, self.resource)


class GroupVersionKind(NamedTuple):
    """An API group, a version and a kind."""

    group: str
    version: str
    kind: str

    @property
    def group_version(self) -> GroupVersion:
        return GroupVersion(self.group, self.version)

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)

    @property
    def api_version(self) -> str:
        return str(self.group_version)

    @staticmethod
    def of(obj: JSONObject) -> "GroupVersionKind":
        """Read apiVersion and kind of a decoded object. Raises ValueError on a malformed apiVersion."""
        group_version = GroupVersion.parse(str(obj.get("apiVersion", "")))
        return group_version.with_kind(str(obj.get("kind", "")))


_KUBE_VERSION = re.compile(r"^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?$")
_STABILITY = {None: 3, "beta": 2, "alpha": 1}


@lru_cache(maxsize=4096)
def version_sort_key(version: str) -> tuple[int, int, int, tuple[int, ...]]:
    """Key that sorts versions from most to least preferred.

    GA before beta before alpha, higher numbers first; names that are not of the
    Kubernetes form come last, in alphabetical order.
    """
    match = _KUBE_VERSION.match(version)
    if match is None:
        return (0, 0, 0, tuple(map(ord, version)))
    major, stability, minor = match.groups()
    return (-_STABILITY[stability], -int(major), -int(minor or 0), ())
