"""Event between events.k8s.io/v1 and core/v1, in which it is stored: the same fields under other names.

Mirrors `pkg/apis/events/v1/conversion.go`. Used by `kubeapi/resources/{core,events}.py`.
"""

from collections.abc import Mapping, Sequence

from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

CORE, EVENTS = GroupVersion("", "v1"), GroupVersion("events.k8s.io", "v1")

_CORE_NAMES: Mapping[str, str] = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}
_EVENTS_NAMES = {core: name for name, core in _CORE_NAMES.items()}


class EventConverter:
    """The Converter of both versions."""

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        one = to_events if to == EVENTS else to_core
        return [obj if obj["apiVersion"] == str(to) else one(obj) for obj in objects]


def to_core(obj: JSONObject) -> JSONObject:
    """From events.k8s.io/v1."""
    made = {_CORE_NAMES.get(key, key): value for key, value in obj.items()}
    made.setdefault("involvedObject", {})
    return {**made, "apiVersion": str(CORE)}


def to_events(obj: JSONObject) -> JSONObject:
    """From core/v1."""
    made = {_EVENTS_NAMES.get(key, key): value for key, value in obj.items()}
    if "eventTime" not in made:
        # Required here, unknown to reporters that use the core form.
        made["eventTime"] = None
    return {**made, "apiVersion": str(EVENTS)}
