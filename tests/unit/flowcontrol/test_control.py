"""Which level a request belongs to, and how levels share the server's seats."""

from typing import Any

import pytest

from generic.flowcontrol import bootstrap
from generic.flowcontrol.control import FlowControl
from generic.flowcontrol.queueset import Ticket
from generic.request.info import resolve
from generic.request.user import UserInfo
from generic.types import JSONObject
from tests.unit.flowcontrol.test_queueset import Clock

LEVELS = (*bootstrap.MANDATORY_LEVELS, *bootstrap.SUGGESTED_LEVELS)
SCHEMAS = (*bootstrap.MANDATORY_SCHEMAS, *bootstrap.SUGGESTED_SCHEMAS)
AUTHENTICATED = "system:authenticated"
BOB = UserInfo("bob", (AUTHENTICATED,))


@pytest.fixture
def control() -> FlowControl:
    made = FlowControl(600, clock=Clock())
    made.digest(LEVELS, SCHEMAS)
    return made


def schema_of(control: FlowControl, user: UserInfo, method: str, path: str, query: str = "") -> str:
    return control.classify(user, resolve(method, path, query)).flow.counts.schema


def level(name: str, shares: int = 10, **limited: Any) -> JSONObject:
    spec = {"nominalConcurrencyShares": shares, "limitResponse": {"type": "Reject"}, **limited}
    return {"metadata": {"name": name}, "spec": {"type": "Limited", "limited": spec}}


def schema(name: str, to: str, precedence: int = 100, **rule: Any) -> JSONObject:
    rules = {"subjects": [{"kind": "Group", "group": {"name": AUTHENTICATED}}], **rule}
    spec = {"priorityLevelConfiguration": {"name": to}, "matchingPrecedence": precedence, "rules": [rules]}
    return {"metadata": {"name": name}, "spec": spec}


NODE = UserInfo("system:node:n", ("system:nodes", AUTHENTICATED))
MANAGER = UserInfo("system:kube-controller-manager", (AUTHENTICATED,))
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/l"
ACCOUNTS = ("system:serviceaccounts", AUTHENTICATED)


@pytest.mark.parametrize(
    ("user", "method", "path", "expected"),
    [
        (UserInfo("admin", ("system:masters",)), "GET", "/api/v1/pods", "exempt"),
        (UserInfo("system:anonymous", ("system:unauthenticated",)), "GET", "/readyz", "probes"),
        (BOB, "GET", "/livez/ping", "probes"),
        (BOB, "POST", "/livez", "global-default"),
        (BOB, "GET", "/readyzes", "global-default"),
        (MANAGER, "PUT", LEASE, "system-leader-election"),
        (MANAGER, "DELETE", LEASE, "kube-controller-manager"),
        (UserInfo("system:serviceaccount:kube-system:x", ACCOUNTS), "GET", LEASE, "system-leader-election"),
        (
            UserInfo("system:serviceaccount:kube-system:x", ACCOUNTS),
            "GET",
            "/api/v1/pods",
            "kube-system-service-accounts",
        ),
        (UserInfo("system:serviceaccount:kube-systems:x", ACCOUNTS), "GET", "/api/v1/pods", "service-accounts"),
        (NODE, "PATCH", "/api/v1/nodes/n/status", "system-node-high"),
        (NODE, "GET", "/api/v1/nodes/n/proxy", "system-nodes"),
        (NODE, "GET", "/api/v1/namespaces/a/pods", "system-nodes"),
        (BOB, "GET", "/api/v1/pods", "global-default"),
        (UserInfo("nobody"), "GET", "/api/v1/pods", "catch-all"),
    ],
)
def test_requests_find_their_schema(
    control: FlowControl, user: UserInfo, method: str, path: str, expected: str
) -> None:
    assert schema_of(control, user, method, path) == expected


def test_rules_look_at_verb_group_resource_namespace_and_scope() -> None:
    control = FlowControl(100)
    rule: JSONObject = {"verbs": ["list"], "apiGroups": ["apps"], "resources": ["deployments/scale", "deployments"]}
    rules = [{**rule, "namespaces": ["a"]}, {**rule, "namespaces": [], "clusterScope": True}]
    control.digest([level("l")], [schema("s", "l", resourceRules=rules)])
    cases = {
        "/apis/apps/v1/namespaces/a/deployments": "s",
        "/apis/apps/v1/deployments": "s",
        "/apis/apps/v1/namespaces/b/deployments": "catch-all",
        "/apis/apps/v1/namespaces/a/replicasets": "catch-all",
        "/apis/batch/v1/namespaces/a/deployments": "catch-all",
        "/apis/apps/v1/namespaces/a/deployments/d": "catch-all",
    }
    assert {path: schema_of(control, BOB, "GET", path) for path in cases} == cases


def test_of_equal_precedence_the_name_decides() -> None:
    control = FlowControl(100)
    rule: JSONObject = {"nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}
    control.digest([level("l")], [schema("b", "l", **rule), schema("c", "l", 99, **rule), schema("a", "l", **rule)])
    assert [one.name for one in control.schemas] == ["exempt", "c", "a", "b", "catch-all"]
    assert schema_of(control, BOB, "GET", "/version") == "c"


def test_flows_are_users_or_namespaces_as_the_schema_says(control: FlowControl) -> None:
    def flow(user: UserInfo, path: str) -> str:
        return control.classify(user, resolve("GET", path, "")).flow.distinguisher

    assert flow(BOB, "/api/v1/namespaces/a/pods") == "bob"
    assert flow(MANAGER, "/api/v1/namespaces/a/pods") == "a"
    assert len(control.classify(BOB, resolve("GET", "/api/v1/pods", "")).flow.hand) == 6


def test_paths_that_strangers_invent_are_not_remembered_without_end(control: FlowControl) -> None:
    for number in range(5000):
        control.classify(BOB, resolve("GET", f"/x{number}", ""))
    assert len(control._matches) <= 4096


# Levels.


def limits(control: FlowControl) -> dict[str, tuple[int, int]]:
    return {name: (state.nominal, state.least) for name, state in control.levels.items()}


def test_the_default_configuration_divides_600_seats_as_kubernetes_does(control: FlowControl) -> None:
    assert limits(control) == {
        "catch-all": (13, 13),
        "exempt": (0, 0),
        "system": (74, 50),
        "node-high": (98, 73),
        "leader-election": (25, 25),
        "workload-high": (98, 49),
        "workload-low": (245, 24),
        "global-default": (49, 24),
    }
    assert control.levels["workload-low"].widest == 37


def test_without_any_objects_the_mandatory_ones_are_imagined() -> None:
    control = FlowControl(10)
    assert limits(control) == {"catch-all": (10, 10), "exempt": (0, 0)}
    assert [one.name for one in control.schemas] == ["exempt", "catch-all"]


def test_a_schema_without_its_level_is_told_so_and_does_not_count() -> None:
    control = FlowControl(10)
    lost, found = schema("lost", "gone"), schema("found", "here")
    dangling = control.digest(
        [level("here"), {"metadata": {"name": "gone"}, "spec": {"type": "Limited"}}], [lost, found]
    )
    said = {told.schema: (told.condition()["status"], told.condition()["reason"]) for told in dangling}
    assert said == {"lost": ("True", "NotFound"), "found": ("False", "Found")}
    assert [one.name for one in control.schemas] == ["exempt", "found", "catch-all"]
    known = {**lost, "status": {"conditions": [{**dangling[0].condition(), "lastTransitionTime": "then"}]}}
    assert control.digest([level("here")], [known]) == []
    assert [told.missing for told in control.digest([level("gone")], [known])] == [False]


def start(control: FlowControl, user: UserInfo, count: int) -> list[Ticket | None]:
    match = control.classify(user, resolve("GET", "/api/v1/pods", ""))
    return [match.queues.start(match.flow) for _ in range(count)]


EVERYTHING: JSONObject = {
    "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True}]
}


def test_a_level_that_is_deleted_finishes_what_it_has_begun() -> None:
    control = FlowControl(10)
    control.digest([level("l")], [schema("s", "l", **EVERYTHING)])
    (ticket,) = start(control, BOB, 1)
    control.digest([], [])
    assert control.levels["l"].quiescing
    assert schema_of(control, BOB, "GET", "/api/v1/pods") == "catch-all"
    drained: list[bool] = []
    control.on_drained = lambda: drained.append(True)
    assert ticket is not None
    control.levels["l"].queues.finish(ticket)
    assert drained == [True]
    control.digest([], [])
    assert "l" not in control.levels


def test_a_busy_level_borrows_what_others_lend_and_no_more() -> None:
    clock = Clock()
    control = FlowControl(30, clock=clock)
    queue = {"type": "Queue", "queuing": {"queues": 1, "handSize": 1, "queueLengthLimit": 50}}
    busy_one = level("busy", 10, borrowingLimitPercent=50, limitResponse=queue)
    control.digest([level("lender", 15, lendablePercent=60), busy_one], [schema("s", "busy", **EVERYTHING)])
    busy, lender = control.levels["busy"], control.levels["lender"]
    assert (busy.nominal, busy.most, lender.nominal, lender.least) == (10, 15, 15, 6)
    tickets = start(control, BOB, 30)
    clock.now += 10
    control.rebalance()
    assert busy.current == 15
    assert sum(state.current for state in control.levels.values()) == 30
    assert sum(bool(ticket and ticket.started) for ticket in tickets) == 15


def test_what_the_exempt_use_is_not_there_for_others() -> None:
    clock = Clock()
    control = FlowControl(10, clock=clock)
    control.digest([level("l", 5, lendablePercent=100)], [schema("s", "l", **EVERYTHING)])
    start(control, UserInfo("root", ("system:masters",)), 40)
    clock.now += 10
    control.rebalance()
    assert control.levels["exempt"].current == 40
    assert control.levels["l"].current == 0
    assert control.levels["catch-all"].current == 5
