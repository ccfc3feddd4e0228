"""What a controller may say in the status of a workload."""

import pytest

from kubeapi.resources.validation import counters
from kubeapi.resources.validation.counters import Counters


def _said(kind: Counters, status: dict[str, int], *, before: dict[str, int] | None = None) -> list[str]:
    return [
        f"{problem.field}: {problem.detail}" for problem in kind.check({"status": status}, {"status": before or {}})
    ]


@pytest.mark.parametrize(
    "kind", [counters.DEPLOYMENT, counters.REPLICA_SET, counters.STATEFUL_SET, counters.DAEMON_SET]
)
def test_a_status_that_says_nothing_is_fine(kind: Counters) -> None:
    assert kind.check({}, {}) == []


def test_no_part_of_the_replicas_is_more_than_all_and_the_available_are_ready() -> None:
    status = {"replicas": 1, "readyReplicas": 2, "availableReplicas": 3}
    assert _said(counters.DEPLOYMENT, status) == [
        "status.readyReplicas: cannot be greater than status.replicas",
        "status.availableReplicas: cannot be greater than status.replicas",
        "status.availableReplicas: cannot be greater than readyReplicas",
    ]
    assert _said(counters.STATEFUL_SET, {"replicas": 1, "availableReplicas": 1}) == [
        "status.availableReplicas: cannot be greater than status.readyReplicas"
    ]


def test_negative_replicas_are_fewer_than_none() -> None:
    assert _said(counters.REPLICA_SET, {"replicas": -1}) == [
        "status.replicas: must be greater than or equal to 0",
        "status.fullyLabeledReplicas: cannot be greater than status.replicas",
        "status.readyReplicas: cannot be greater than status.replicas",
        "status.availableReplicas: cannot be greater than status.replicas",
    ]


def test_collisions_only_grow() -> None:
    assert _said(counters.DAEMON_SET, {"collisionCount": 2}, before={"collisionCount": 2}) == []
    assert _said(counters.DAEMON_SET, {}, before={"collisionCount": 2}) == [
        "status.collisionCount: cannot be decremented"
    ]
