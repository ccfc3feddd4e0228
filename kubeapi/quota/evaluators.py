"""What objects use of a quota, by their resource. Called by `charging.py` and by the controller of quotas.

Mirrors `apiserver/pkg/quota/v1/generic/evaluator.go` and `pkg/quota/v1/evaluator/core`.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from generic.admission.interface import Attributes
from generic.admission.matching import REVIEWS
from generic.meta.gvk import GroupResource
from generic.types import JSONObject
from kubeapi.quota import amounts
from kubeapi.quota.amounts import Amounts
from kubeapi.quota.claims import DeviceClaims, VolumeClaims
from kubeapi.quota.pods import Pods
from kubeapi.quota.scopes import Requirement
from kubeapi.quota.services import Services

_COUNT = "count/"
_ALIASES = ("configmaps", "resourcequotas", "replicationcontrollers", "secrets")
"""Of the core group: counted by their own name as well, as they were before there was `count/`."""

_IGNORED = REVIEWS | {
    GroupResource("", "bindings"),
    GroupResource("", "componentstatuses"),
    GroupResource("", "events"),
    GroupResource("events.k8s.io", "events"),
}


class Evaluator(Protocol):
    """What one resource means to quotas."""

    @property
    def resource(self) -> GroupResource: ...

    def handles(self, attributes: Attributes) -> bool:
        """Whether this write may use more than before."""

    def matching(self, names: Iterable[str]) -> list[str]:
        """Those of a quota's names that such objects use."""

    def matches_scope(self, scope: Requirement, obj: JSONObject) -> bool:
        """Whether the object is one of those the scope selects."""

    def missing(self, required: Iterable[str], obj: JSONObject) -> str:
        """What the object has to say about itself under a quota of these names; empty if it does."""

    def usage(self, obj: JSONObject) -> Amounts:
        """What it uses."""


class Count:
    """Each object is one."""

    def __init__(self, resource: GroupResource, *aliases: str) -> None:
        self.resource = resource
        self._usage = dict.fromkeys((f"{_COUNT}{resource}", *aliases), amounts.ONE)

    def handles(self, attributes: Attributes) -> bool:
        return attributes.operation == "CREATE" and not attributes.subresource

    def matching(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name in self._usage]

    def matches_scope(self, scope: Requirement, obj: JSONObject) -> bool:
        return False

    def missing(self, required: Iterable[str], obj: JSONObject) -> str:
        return ""

    def usage(self, obj: JSONObject) -> Amounts:
        return self._usage


_SPECIAL: tuple[Evaluator, ...] = (
    Pods(),
    Services(),
    VolumeClaims(),
    DeviceClaims(),
    *(Count(GroupResource("", name), name) for name in _ALIASES),
)
_BY_RESOURCE = {evaluator.resource: evaluator for evaluator in _SPECIAL}


def of(resource: GroupResource) -> Evaluator | None:
    """The resource's; None if quotas do not care for it."""
    if resource in _IGNORED:
        return None
    return _BY_RESOURCE.get(resource) or Count(resource)


def asked_for(names: Sequence[str]) -> list[Evaluator]:
    """Those of all resources that use anything a quota of these names limits."""
    found = [evaluator for evaluator in _SPECIAL if evaluator.matching(names)]
    for name in names:
        if name.startswith(_COUNT):
            plural, _, group = name.removeprefix(_COUNT).partition(".")
            resource = GroupResource(group, plural)
            if resource not in _BY_RESOURCE and resource not in _IGNORED:
                found.append(Count(resource))
    return found
