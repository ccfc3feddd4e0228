"""What the status of a workload counts. Mirrors the halves of `pkg/apis/*/validation` for status.

Controllers write these numbers; a controller that counts wrong is told so here.
"""

from dataclasses import dataclass

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.types import JSONObject
from kubeapi.resources.validation import common

_COLLISIONS = "collisionCount"


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of a kind, in the order in which they are told."""

    counted: tuple[str, ...]
    within: tuple[str, ...] = ()
    """Those of which there are no more than replicas."""
    ready: str = "status.readyReplicas"
    """How it is told that of these there are no fewer than available ones."""

    def check(self, obj: JSONObject, old: JSONObject) -> list[FieldError]:
        """What is wrong with a change of status."""
        status, before = obj.get("status") or {}, old.get("status") or {}
        found = common.not_negative(status, self.counted, "status")
        for key in self.within:
            count = status.get(key) or 0
            if count > (status.get("replicas") or 0):
                found.append(fields.invalid(f"status.{key}", count, "cannot be greater than status.replicas"))
        available = status.get("availableReplicas") or 0
        if self.within and available > (status.get("readyReplicas") or 0):
            why = f"cannot be greater than {self.ready}"
            found.append(fields.invalid("status.availableReplicas", available, why))
        collisions = status.get(_COLLISIONS) or 0
        if collisions < (before.get(_COLLISIONS) or 0):
            found.append(fields.invalid(f"status.{_COLLISIONS}", collisions, "cannot be decremented"))
        return found


DEPLOYMENT = Counters(
    (
        *("observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas"),
        *("unavailableReplicas", "terminatingReplicas", _COLLISIONS),
    ),
    within=("updatedReplicas", "readyReplicas", "availableReplicas"),
    ready="readyReplicas",
)
REPLICA_SET = Counters(
    (
        *("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"),
        "terminatingReplicas",
    ),
    within=("fullyLabeledReplicas", "readyReplicas", "availableReplicas"),
    ready="readyReplicas",
)
STATEFUL_SET = Counters(
    (
        *("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
        *("observedGeneration", _COLLISIONS),
    ),
    within=("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
)
DAEMON_SET = Counters((
    *("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"),
    *("observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", _COLLISIONS),
))
AUTOSCALER = Counters(("currentReplicas", "desiredReplicas"))
DISRUPTION_BUDGET = Counters(("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"))
