"""Conditions of a definition: finding and setting them, and the names of their types.

Called by the strategy and the controllers. Mirrors `apiextensions-apiserver/pkg/apihelpers/helpers.go`.
"""

from typing import NamedTuple

from generic.meta import time as meta_time
from generic.types import JSONObject

ESTABLISHED = "Established"
NAMES_ACCEPTED = "NamesAccepted"
TERMINATING = "Terminating"
APPROVAL = "KubernetesAPIApprovalPolicyConformant"
NON_STRUCTURAL = "NonStructuralSchema"


class Condition(NamedTuple):
    """What a condition is to say; its transition time is worked out when it is set."""

    type: str
    status: str
    reason: str
    message: str


def find(definition: JSONObject, type: str) -> JSONObject | None:
    """The condition of that type, if there is one."""
    found: list[JSONObject] = (definition.get("status") or {}).get("conditions") or []
    return next((condition for condition in found if condition.get("type") == type), None)


def is_true(definition: JSONObject, type: str) -> bool:
    """Whether the condition is there and True."""
    found = find(definition, type)
    return found is not None and found.get("status") == "True"


def says(definition: JSONObject, condition: Condition) -> bool:
    """Whether the condition is there already, times apart."""
    found = find(definition, condition.type)
    return found is not None and all(found.get(key) == value for key, value in condition._asdict().items())


def put(definition: JSONObject, condition: Condition) -> None:
    """Set a condition, in place; its transition time changes only with its status."""
    status = definition.setdefault("status", {})
    made = list(status.get("conditions") or ())
    held = next((found for found in made if found.get("type") == condition.type), None)
    wanted = {"type": condition.type, "status": condition.status, "lastTransitionTime": meta_time.now()}
    if held is None:
        made.append({**wanted, "reason": condition.reason, "message": condition.message})
    else:
        if held.get("status") == condition.status and held.get("lastTransitionTime"):
            del wanted["lastTransitionTime"]
        held.update(wanted, reason=condition.reason, message=condition.message)
    status["conditions"] = made
