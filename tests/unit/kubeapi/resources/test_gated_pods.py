"""Where a pod that is held back from the scheduler may still be sent."""

import pytest

from generic.types import JSONObject
from tests.support.builtin import pod_spec, update_problems

GATES = [{"name": "example.com/wait"}]
FROZEN = "spec: Forbidden: pod updates may not change fields other than"
EXISTS: JSONObject = {"key": "a", "operator": "Exists"}
ANOTHER: JSONObject = {"key": "b", "operator": "In", "values": ["x"]}
TERMS = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"


def _pod(**spec: object) -> JSONObject:
    spec = {"schedulingGates": GATES, **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod_spec(**spec)}


def _required(*terms: JSONObject) -> JSONObject:
    return {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [dict(t) for t in terms]}
        }
    }


def test_labels_of_nodes_are_added_and_never_taken_away() -> None:
    assert update_problems(_pod(nodeSelector={"a": "1", "b": "2"}), _pod(nodeSelector={"a": "1"})) == []
    assert update_problems(_pod(nodeSelector={"b": "2"}), _pod(nodeSelector={"a": "1"})) == [
        'spec.nodeSelector: Invalid value: {"b":"2"}: '
        "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
    ]


def test_once_it_may_be_scheduled_a_pod_stays_as_it_is() -> None:
    (said,) = update_problems(_pod(nodeSelector={"a": "1"}, schedulingGates=[]), _pod(schedulingGates=[]))
    assert said.startswith(FROZEN)


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (_required({"matchExpressions": [EXISTS, ANOTHER]}), _required({"matchExpressions": [EXISTS]})),
        (_required({"matchExpressions": [EXISTS]}), {}),
        ({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}}, {}),
    ],
)
def test_what_is_asked_of_nodes_may_grow(now: JSONObject, before: JSONObject) -> None:
    assert update_problems(_pod(affinity=now), _pod(affinity=before)) == []


def test_what_is_asked_of_nodes_does_not_shrink() -> None:
    held = _pod(affinity=_required({"matchExpressions": [EXISTS]}))
    assert update_problems(_pod(), held) == [
        f"{TERMS}: Invalid value: null: no additions/deletions to non-empty NodeSelectorTerms list are allowed"
    ]
    assert update_problems(_pod(affinity=_required({"matchExpressions": [ANOTHER]})), held) == [
        f'{TERMS}[0]: Invalid value: {{"MatchExpressions":[{{"Key":"b","Operator":"In","Values":["x"]}}],'
        '"MatchFields":null}: only additions are allowed (no mutations or deletions)'
    ]


def test_other_affinities_stay() -> None:
    apart: JSONObject = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}}
    (said,) = update_problems(_pod(affinity=apart), _pod())
    assert said.startswith(FROZEN)
