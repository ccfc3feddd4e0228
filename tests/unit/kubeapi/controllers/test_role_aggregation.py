"""Which rules an aggregated ClusterRole has."""

from generic.types import JSONObject
from kubeapi.controllers.role_aggregation import aggregated


def _rule(resource: str) -> JSONObject:
    return {"apiGroups": [""], "resources": [resource], "verbs": ["get"]}


def _role(name: str, *resources: str, **labels: str) -> JSONObject:
    return {"metadata": {"name": name, "labels": labels}, "rules": [_rule(resource) for resource in resources]}


def _selecting(name: str, *selectors: JSONObject) -> JSONObject:
    return {
        "metadata": {"name": name, "labels": {"to": "view"}},
        "aggregationRule": {"clusterRoleSelectors": selectors},
    }


VIEW = _selecting("view", {"matchLabels": {"to": "view"}})


def test_rules_come_in_order_of_names_each_once() -> None:
    roles = [_role("b", "pods", "secrets", to="view"), _role("a", "nodes", "pods", to="view"), _role("c", "events")]
    assert aggregated(VIEW, roles) == [_rule("nodes"), _rule("pods"), _rule("secrets")]
    assert aggregated(VIEW, [_role("a", "pods", "nodes", "pods", to="view")]) == [_rule("pods"), _rule("nodes")]


def test_a_role_does_not_add_to_itself() -> None:
    assert aggregated(VIEW, [{**VIEW, "rules": [_rule("pods")]}]) == []


def test_several_selectors_add_up_and_one_that_is_none_selects_nothing() -> None:
    wrong = {"matchExpressions": [{"key": "to", "operator": "Nonsense"}]}
    role = _selecting("view", {"matchLabels": {"to": "edit"}}, wrong, {"matchLabels": {"to": "view"}})
    roles = [_role("a", "pods", to="view"), _role("b", "nodes", to="edit")]
    assert aggregated(role, roles) == [_rule("nodes"), _rule("pods")]


def test_a_role_that_selects_nothing_has_no_rules() -> None:
    assert aggregated(VIEW, []) == []
