"""RoutingTable: what the APIServices of the moment say, in the order they want.

Filled by the registration controller; read by `/apis`, by the proxy at each request, and by the controllers. Mirrors
SortedByGroupAndVersion of `kube-aggregator/pkg/apis/apiregistration/v1/helper` and the maps of `pkg/apiserver`.
"""

from collections.abc import Callable, Iterable, Iterator

from aggregator.apiservices.registration import Registration, name_of
from generic.meta.gvk import GroupVersion, version_sort_key

GroupVersions = Callable[[], Iterable[GroupVersion]]


class RoutingTable:
    """Registrations by name. One task changes it; readers see each change whole.

    `behind` are group-versions that are served, and listed last, though no APIService may speak for them.
    """

    def __init__(self, behind: GroupVersions = tuple) -> None:
        self._by_name: dict[str, Registration] = {}
        self._behind = behind

    def get(self, name: str) -> Registration | None:
        return self._by_name.get(name)

    def put(self, registration: Registration) -> None:
        self._by_name[registration.name] = registration

    def remove(self, name: str) -> None:
        self._by_name.pop(name, None)

    def names(self) -> list[str]:
        return list(self._by_name)

    def remote(self) -> list[Registration]:
        """Those behind a Service."""
        return [registration for registration in self._by_name.values() if registration.service is not None]

    def group(self, name: str) -> list[Registration]:
        """The versions of a group, most preferred first; empty if nobody registered it."""
        return in_version_order(one for one in self._all() if one.group_version.group == name)

    def groups(self) -> list[list[Registration]]:
        """Every group with its versions. A group stands where the most important of its versions wants it."""
        groups: dict[str, list[Registration]] = {}
        for one in self._all():
            groups.setdefault(one.group_version.group, []).append(one)
        ordered = sorted(groups.items(), key=lambda item: (-max(one.group_priority for one in item[1]), item[0]))
        return [in_version_order(versions) for _, versions in ordered]

    def _all(self) -> Iterator[Registration]:
        yield from self._by_name.values()
        for group_version in self._behind():
            name = name_of(group_version)
            if name not in self._by_name:
                yield Registration(name, group_version, 0, 0)


def in_version_order(registrations: Iterable[Registration]) -> list[Registration]:
    """Higher version priority first, then as versions of Kubernetes are ordered."""
    return sorted(registrations, key=lambda one: (-one.version_priority, version_sort_key(one.group_version.version)))
