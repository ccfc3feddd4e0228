"""What FlowSchemas and PriorityLevelConfigurations may say."""

from typing import Any

import pytest

from generic.types import JSONObject
from kubeapi.resources.validation import flowcontrol

BOB = {"kind": "User", "user": {"name": "bob"}}
ALL = {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "namespaces": ["*"]}
PATHS = {"verbs": ["get"], "nonResourceURLs": ["/healthz"]}


def schema(precedence: int = 100, *, subject: JSONObject = BOB, **rule: Any) -> JSONObject:
    spec = {"matchingPrecedence": precedence, "priorityLevelConfiguration": {"name": "l"}}
    rules = [{"subjects": [subject], "resourceRules": [ALL], **rule}]
    return {"metadata": {"name": "s"}, "spec": {**spec, "rules": rules}}


def resource_rule(**change: Any) -> JSONObject:
    return schema(resourceRules=[{**ALL, **change}])


def said(found: list[Any]) -> list[str]:
    return [str(error) for error in found]


RULE = "spec.rules[0]"
VERBS = '"create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"'


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (schema(), []),
        (schema(nonResourceRules=[PATHS]), []),
        (schema(0), ["spec.matchingPrecedence: Invalid value: 0: must be a positive value"]),
        (schema(10001), ["spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000"]),
        (
            schema(1),
            ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
        ),
        (schema(subjects=[]), [f"{RULE}.subjects: Required value: subjects must contain at least one value"]),
        (
            schema(resourceRules=[]),
            [f"{RULE}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty"],
        ),
        (
            schema(subject={**BOB, "group": {"name": "g"}}),
            [f"{RULE}.subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'"],
        ),
        (
            schema(subject={"kind": "Group"}),
            [f"{RULE}.subjects[0].group: Required value: group is required when subject kind is 'Group'"],
        ),
        (
            schema(subject={"kind": "ServiceAccount", "serviceAccount": {"name": "*"}}),
            [
                f"{RULE}.subjects[0].serviceAccount.namespace: Required value: "
                "must specify namespace for service account"
            ],
        ),
        (
            resource_rule(verbs=["*", "get"]),
            [
                f'{RULE}.resourceRules[0].verbs: Invalid value: ["*","get"]: '
                "if '*' is present, must not specify other verbs"
            ],
        ),
        (
            resource_rule(verbs=["see"]),
            [f'{RULE}.resourceRules[0].verbs: Unsupported value: ["see"]: supported values: {VERBS}'],
        ),
        (
            resource_rule(namespaces=[]),
            [
                f"{RULE}.resourceRules[0].namespaces: Required value: "
                "resource rules that are not cluster scoped must supply at least one namespace"
            ],
        ),
        (resource_rule(namespaces=[], clusterScope=True), []),
        (
            schema(nonResourceRules=[{**PATHS, "nonResourceURLs": ["/a/*b"]}]),
            [
                f'{RULE}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "/a/*b": '
                "wildcard can only do suffix matching"
            ],
        ),
    ],
)
def test_flow_schemas(obj: JSONObject, expected: list[str]) -> None:
    assert said(flowcontrol.flow_schema(obj)) == expected


def level(name: str = "l", **limited: Any) -> JSONObject:
    spec = {
        "type": "Limited",
        "limited": {"nominalConcurrencyShares": 1, "limitResponse": {"type": "Reject"}, **limited},
    }
    return {"metadata": {"name": name}, "spec": spec}


def queuing(queues: int, hand: int, length: int = 5) -> JSONObject:
    sizes = {"queues": queues, "handSize": hand, "queueLengthLimit": length}
    return level(limitResponse={"type": "Queue", "queuing": sizes})


QUEUING = "spec.limited.limitResponse.queuing"


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (level(), []),
        (queuing(64, 6), []),
        (
            queuing(0, 0, 0),
            [
                f"{QUEUING}.{key}: Invalid value: 0: must be positive"
                for key in ("queueLengthLimit", "queues", "handSize")
            ],
        ),
        (queuing(4, 5), [f"{QUEUING}.handSize: Invalid value: 5: should not be greater than queues (4)"]),
        (
            queuing(1024, 7),
            [
                f"{QUEUING}.handSize: Invalid value: 7: required entropy bits of deckSize 1024 and handSize 7 "
                "should not be greater than 60"
            ],
        ),
        (
            level(lendablePercent=101),
            ["spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive"],
        ),
        (
            level(borrowingLimitPercent=-1),
            ["spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer"],
        ),
        (
            {"metadata": {"name": "l"}, "spec": {"type": "Exempt"}},
            ["spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'"],
        ),
        (
            level(limitResponse={"type": "Queue"}),
            [f"{QUEUING}: Required value: must not be empty if limited.limitResponse.type is Limited"],
        ),
    ],
)
def test_priority_levels(obj: JSONObject, expected: list[str]) -> None:
    assert said(flowcontrol.priority_level(obj)) == expected
