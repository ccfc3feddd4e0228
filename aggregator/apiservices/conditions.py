"""The Available condition of an APIService: made, compared, put into a status.

Called by the strategy (local ones), the availability controllers, and whoever asks if an APIService is available.
Mirrors `kube-aggregator/pkg/apis/apiregistration/v1/helper`.
"""

from dataclasses import dataclass
from typing import Literal

from generic.meta import time as meta_time
from generic.types import JSONObject

AVAILABLE = "Available"


@dataclass(frozen=True, slots=True)
class Condition:
    """What there is to say about the availability of an APIService."""

    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str


LOCAL = Condition("True", "Local", "Local APIServices are always available")
PASSED = Condition("True", "Passed", "all checks passed")


def find(apiservice: JSONObject) -> JSONObject | None:
    """The Available condition, if there is one."""
    for held in (apiservice.get("status") or {}).get("conditions") or ():
        if held.get("type") == AVAILABLE:
            found: JSONObject = held
            return found
    return None


def is_available(apiservice: JSONObject) -> bool:
    held = find(apiservice)
    return held is not None and held.get("status") == "True"


def status_with(apiservice: JSONObject, wanted: Condition) -> JSONObject | None:
    """The status of the APIService with this condition; None if it says so already."""
    held = find(apiservice)
    fields = {"status": wanted.status, "reason": wanted.reason, "message": wanted.message}
    if held is not None and all((held.get(key) or "") == value for key, value in fields.items()):
        return None
    changed = held is None or held.get("status") != wanted.status
    since = meta_time.now() if held is None or changed else held.get("lastTransitionTime")
    made = {"type": AVAILABLE, "status": wanted.status, "lastTransitionTime": since, **fields}
    status = apiservice.get("status") or {}
    others = [one for one in status.get("conditions") or () if one.get("type") != AVAILABLE]
    return {**status, "conditions": [*others, made]}
