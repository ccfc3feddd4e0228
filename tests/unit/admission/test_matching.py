"""Which writes rules and selectors match."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from generic.admission import matching
from generic.admission.interface import Attributes
from generic.admission.matching import Constraints, Match
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersion, GroupVersionKind, GroupVersionResource
from generic.request.context import RequestContext
from generic.request.info import resolve
from generic.types import JSONObject

pytestmark = pytest.mark.anyio

V1, V2 = GroupVersion("shop.io", "v1"), GroupVersion("shop.io", "v2")
ITEMS, OLD_ITEMS = V2.with_resource("items"), V1.with_resource("items")


class Namespaces:
    async def namespace(self, name: str) -> JSONObject | None:
        return {"metadata": {"name": name, "labels": {"tier": name}}} if name != "missing" else None


@dataclass(frozen=True)
class Versions:
    others: Sequence[tuple[GroupVersionResource, GroupVersionKind]] = ((OLD_ITEMS, V1.with_kind("Item")),)

    @property
    def shape(self) -> Any:
        raise NotImplementedError

    def equivalents(
        self, resource: GroupVersionResource, kind: GroupVersionKind
    ) -> Sequence[tuple[GroupVersionResource, GroupVersionKind]]:
        return self.others

    async def convert(self, obj: JSONObject, to: GroupVersion) -> JSONObject:
        raise NotImplementedError

    def settle(self, obj: JSONObject) -> None:
        raise NotImplementedError


def _attributes(**given: Any) -> Attributes:
    fields: dict[str, Any] = {
        "operation": "CREATE",
        "request": RequestContext(resolve("POST", "/", "")),
        "resource": ITEMS,
        "kind": V2.with_kind("Item"),
        "namespace": "default",
        "name": "one",
        "object": {"metadata": {"labels": {"a": "b"}}},
        "versions": Versions(),
    }
    return Attributes(**{**fields, **given})


def _rule(**given: Any) -> JSONObject:
    rule = {"operations": ["CREATE"], "apiGroups": ["shop.io"], "apiVersions": ["v2"], "resources": ["items"]}
    return {**rule, **given}


async def _match(attributes: Attributes, **config: Any) -> Match | None:
    return await Constraints.of(config).match(attributes, Namespaces())


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({}, True),
        ({"operations": ["UPDATE", "*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*"]}, True),
        ({"operations": ["UPDATE"]}, False),
        ({"apiGroups": [""]}, False),
        ({"resources": ["items/*"]}, True),
        ({"resources": ["items/status"]}, False),
        ({"scope": "Cluster"}, False),
        ({"scope": "Namespaced"}, True),
        ({"resourceNames": ["two"]}, False),
    ],
)
async def test_every_part_of_a_rule_must_fit(rule: JSONObject, matches: bool) -> None:
    assert (await _match(_attributes(), rules=[_rule(**rule)]) is not None) is matches


async def test_subresources_are_asked_for_by_name() -> None:
    status = _attributes(subresource="status")
    assert await _match(status, rules=[_rule(resources=["items", "*"])]) is None
    for wanted in ("items/status", "*/status", "*/*"):
        assert await _match(status, rules=[_rule(resources=[wanted])]) is not None


async def test_another_version_is_as_good_unless_exactness_is_asked_for() -> None:
    older = [_rule(apiVersions=["v1"])]
    assert await _match(_attributes(), rules=older) == Match(OLD_ITEMS, V1.with_kind("Item"))
    assert await _match(_attributes(), rules=older, matchPolicy="Exact") is None
    assert await _match(_attributes(), rules=[*older, _rule()]) == Match(ITEMS, V2.with_kind("Item"))


async def test_namespaces_are_selected_by_label() -> None:
    selector = {"matchLabels": {"tier": "default"}}
    assert await _match(_attributes(), rules=[_rule()], namespaceSelector=selector) is not None
    assert await _match(_attributes(namespace="other"), rules=[_rule()], namespaceSelector=selector) is None
    assert await _match(_attributes(namespace=""), rules=[_rule()], namespaceSelector=selector) is not None
    with pytest.raises(StatusError) as refused:
        await _match(_attributes(namespace="missing"), rules=[_rule()], namespaceSelector=selector)
    assert (refused.value.code, refused.value.message) == (404, 'namespaces "missing" not found')
    # Whom the rules do not concern is not troubled.
    unmatched = _rule(resources=["others"])
    assert await _match(_attributes(namespace="missing"), rules=[unmatched], namespaceSelector=selector) is None


async def test_a_namespace_is_selected_by_the_labels_it_is_to_have() -> None:
    rule = {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["namespaces"]}
    made = {"metadata": {"name": "default", "labels": {"tier": "new"}}}
    kind = GroupVersionKind("", "v1", "Namespace")
    given = {"resource": matching.NAMESPACES, "kind": kind, "namespace": "", "name": "default", "object": made}
    new, stored = ({"matchLabels": {"tier": tier}} for tier in ("new", "default"))
    assert await _match(_attributes(**given), rules=[{**rule, "scope": "Cluster"}], namespaceSelector=new) is not None
    assert await _match(_attributes(**given), rules=[{**rule, "scope": "Namespaced"}]) is None
    gone = _attributes(**{**given, "operation": "DELETE", "object": None, "old_object": made})
    assert await _match(gone, rules=[rule], namespaceSelector=new) is None
    assert await _match(gone, rules=[rule], namespaceSelector=stored) is not None


async def test_an_object_is_selected_by_what_it_was_or_by_what_it_becomes() -> None:
    selector = {"matchLabels": {"a": "b"}}
    changed = _attributes(object={"metadata": {}}, old_object={"metadata": {"labels": {"a": "b"}}})
    assert await _match(changed, rules=[_rule()], objectSelector=selector) is not None
    neither = _attributes(object={"metadata": {}}, old_object={"metadata": {}})
    assert await _match(neither, rules=[_rule()], objectSelector=selector) is None
    connection = _attributes(object={"kind": "PodExecOptions"})
    assert await _match(connection, rules=[_rule()], objectSelector=selector) is None


async def test_what_is_excluded_or_bound_without_rules() -> None:
    config = {"resourceRules": [_rule()], "excludeResourceRules": [_rule(resourceNames=["one"])]}
    policy = Constraints.of(config, rules="resourceRules")
    assert await policy.match(_attributes(), Namespaces()) is None
    assert await policy.match(_attributes(name="two"), Namespaces()) is not None
    binding = Constraints.of({}, rules="resourceRules", everything=True)
    assert await binding.match(_attributes(), Namespaces()) == Match(ITEMS, V2.with_kind("Item"))
    assert await _match(_attributes()) is None
