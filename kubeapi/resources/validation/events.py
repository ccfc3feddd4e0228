"""Validation of events of the newer form. Mirrors `pkg/apis/core/validation/events.go`."""

from generic.meta import fields, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject

_LIMIT, _NOTE_LIMIT = 128, 1024


def new_event(obj: JSONObject) -> list[FieldError]:
    """An event that says what was done to what, and by whom."""
    found: list[FieldError] = []
    regarding = (obj.get("regarding") or {}).get("namespace") or ""
    namespace = obj["metadata"].get("namespace") or ""
    if namespace != regarding and not (not regarding and namespace in ("default", "kube-system")):
        found.append(fields.invalid("involvedObject.namespace", regarding, "does not match event.namespace"))
    if not obj.get("eventTime"):
        found.append(fields.required("eventTime"))
    controller = obj.get("reportingController") or ""
    if not controller:
        found.append(fields.required("reportingController"))
    found += validation.label_name(controller, "reportingController")
    for key in ("reportingInstance", "action", "reason"):
        value = obj.get(key) or ""
        if not value:
            found.append(fields.required(key))
        elif len(value) > _LIMIT:
            found.append(fields.invalid(key, "", f"can have at most {_LIMIT} characters"))
    if len(obj.get("note") or "") > _NOTE_LIMIT:
        found.append(fields.invalid("message", "", f"can have at most {_NOTE_LIMIT} characters"))
    kind = obj.get("type") or ""
    if kind not in ("Normal", "Warning"):
        found.append(fields.invalid("type", "", f"has invalid value: {kind}"))
    return found + _series(obj.get("series"))


def new_event_update(obj: JSONObject, old: JSONObject) -> list[FieldError]:
    """Of an event only its series goes on."""
    found = new_event(obj)
    told = {"regarding": "involvedObject", "note": "message"}
    for key in ("regarding", "reason", "note", "type", "eventTime", "action", "related"):
        if (obj.get(key) or None) != (old.get(key) or None):
            found.append(fields.invalid(told.get(key, key), obj.get(key), fields.IMMUTABLE))
    for key in ("reportingController", "reportingInstance"):
        if (obj.get(key) or "") != (old.get(key) or ""):
            found.append(fields.invalid(key, obj.get(key) or "", fields.IMMUTABLE))
    return found


def _series(series: JSONObject | None) -> list[FieldError]:
    if series is None:
        return []
    found: list[FieldError] = []
    if (series.get("count") or 0) < 2:
        found.append(fields.invalid("series.count", "", "should be at least 2"))
    if not series.get("lastObservedTime"):
        found.append(fields.required("series.lastObservedTime"))
    return found
