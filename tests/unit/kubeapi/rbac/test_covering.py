"""What a grant needs beyond the rules somebody holds, and grants too large to find that out."""

import pytest

from generic.authorization.rbac_rules import PolicyRule, compile_rules
from generic.types import JSONObject
from kubeapi.rbac import covering

PODS: JSONObject = {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]}


def missing(held: list[JSONObject], *wanted: JSONObject) -> list[str]:
    return covering.described(covering.missing(compile_rules(held), compile_rules(wanted)))


@pytest.mark.parametrize(
    ("held", "wanted", "lacking"),
    [
        (PODS, PODS, []),
        ({**PODS, "verbs": ["*"]}, PODS, []),
        ({**PODS, "resources": ["*/log"]}, {**PODS, "resources": ["pods/log"]}, []),
        ({**PODS, "resources": ["*/log"]}, PODS, ['{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}']),
        (
            {**PODS, "resourceNames": ["a"]},
            {**PODS, "verbs": ["get"]},
            ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
        ),
        (PODS, {**PODS, "resourceNames": ["a"]}, []),
        (
            {"verbs": ["get"], "nonResourceURLs": ["/logs/*"]},
            {"verbs": ["get"], "nonResourceURLs": ["/logs/a", "/metrics"]},
            ['{NonResourceURLs:["/metrics"], Verbs:["get"]}'],
        ),
    ],
)
def test_each_permission_wants_a_rule_that_covers_it(held: JSONObject, wanted: JSONObject, lacking: list[str]) -> None:
    assert missing([held], wanted) == lacking


def many(count: int, prefix: str) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


@pytest.mark.parametrize(
    "wanted",
    [
        {"verbs": many(100, "v"), "apiGroups": many(100, "g"), "resources": many(100, "r")},
        {**PODS, "resourceNames": many(100_000, "n")},
        {"verbs": many(1000, "v"), "nonResourceURLs": many(1000, "/u")},
    ],
)
def test_more_permissions_than_can_be_compared_are_not_compared(wanted: JSONObject) -> None:
    with pytest.raises(covering.TooMany):
        missing([PODS], wanted)


def test_what_a_large_cluster_grants_is_compared() -> None:
    wanted = {"verbs": many(8, "v"), "apiGroups": many(10, "g"), "resources": many(50, "r")}
    assert len(covering.missing(compile_rules([PODS] * 200), [PolicyRule.compile(wanted)])) == 4000
