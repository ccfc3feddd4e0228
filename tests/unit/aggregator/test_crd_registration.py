"""Which group-versions custom resources have registered."""

from typing import Any

from aggregator.controllers.crd_registration import CRDRegistration
from aggregator.priorities import Priority
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject
from tests.unit.aggregator.objects import Informer


class Wanted:
    """Stands where AutoRegister does."""

    def __init__(self) -> None:
        self.held: dict[str, Priority] = {}

    def add(self, group_version: GroupVersion, priority: Priority) -> None:
        self.held[str(group_version)] = priority

    def remove(self, group_version: GroupVersion) -> None:
        del self.held[str(group_version)]


def definition(plural: str, **served: bool) -> JSONObject:
    versions = [{"name": name, "served": value} for name, value in served.items()]
    return {"metadata": {"name": f"{plural}.a.example.com"}, "spec": {"group": "a.example.com", "versions": versions}}


def test_a_group_version_is_wanted_while_somebody_serves_it() -> None:
    informer: Any = Informer()
    wanted: Any = Wanted()
    CRDRegistration(informer, wanted)
    first, second = definition("as", v1=True, v1beta1=True, v1alpha1=False), definition("bs", v1=True)
    informer.tell(None, first)
    informer.tell(None, second)
    assert wanted.held == {"a.example.com/v1": (1000, 100), "a.example.com/v1beta1": (1000, 100)}
    fewer = definition("as", v1=True, v1beta1=False, v1alpha1=True)
    informer.tell(first, fewer)
    assert set(wanted.held) == {"a.example.com/v1", "a.example.com/v1alpha1"}
    informer.tell(fewer, None)
    assert set(wanted.held) == {"a.example.com/v1"}
    informer.tell(second, None)
    assert wanted.held == {}
