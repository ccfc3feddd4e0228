"""RoutingTable: what the APIServices of the moment say, in the order they want.

Filled by the registration controller; read by `/apis`, by the proxy at each request, and by the controllers. Mirrors
SortedByGroupAndVersion of `kube-aggregator/pkg/apis/apiregistration/v1/helper` and the maps of `pkg/apiserver`.
"""

from collections.abc import Iterable

from aggregator.apiservices.registration import Registration
from generic.meta.gvk import version_sort_key


class RoutingTable:
    """Registrations by name. One task changes it; readers see each change whole."""

    def __init__(self) -> None:
        self._by_name: dict[str, Registration] = {}

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
        return in_version_order(one for one in self._by_name.values() if one.group_version.group == name)

    def groups(self) -> list[list[Registration]]:
        """Every group with its versions. A group stands where the most important of its versions wants it."""
        groups: dict[str, list[Registration]] = {}
        for one in self._by_name.values():
            groups.setdefault(one.group_version.group, []).append(one)
        ordered = sorted(groups.items(), key=lambda item: (-max(one.group_priority for one in item[1]), item[0]))
        return [in_version_order(versions) for _, versions in ordered]


def in_version_order(registrations: Iterable[Registration]) -> list[Registration]:
    """Higher version priority first, then as versions of Kubernetes are ordered."""
    return sorted(registrations, key=lambda one: (-one.version_priority, version_sort_key(one.group_version.version)))
