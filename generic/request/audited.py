"""Audited: what audit will write of one request, collected while the request is answered.

Put on the context by the audit filter where the policy wants the request; None there for all others, so that what
is told costs nothing unless somebody listens. Authorization and admission annotate, endpoints tell what they decoded
and what they answer. Mirrors AuditContext and the Log functions of `apiserver/pkg/audit/{context,request}.go`.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress

import orjson

from generic.types import JSONObject

_WITH_REQUEST = ("Request", "RequestResponse")
_STATUS = b'{"kind":"Status","apiVersion":"v1"'
_NAMED = ("namespace", "name", "uid", "resourceVersion")
_REFERENCE = ("resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion", "subresource")
"""In the order they are written."""
_STATUS_FIELDS = ("status", "message", "reason", "details", "code")

_LOG = logging.getLogger(__name__)


class Audited:
    """One request at a level above None. `event`: the fields of its events that are known from the beginning."""

    __slots__ = (
        "annotations",
        "event",
        "level",
        "omits_managed_fields",
        "omitted_stages",
        "request_object",
        "response_object",
        "started",
        "status",
        "takes_request",
        "takes_response",
    )

    def __init__(
        self, event: JSONObject, level: str, *, omitted_stages: frozenset[str], omits_managed_fields: bool
    ) -> None:
        self.event = event
        self.level = level
        self.takes_request = level in _WITH_REQUEST
        self.takes_response = level == "RequestResponse"
        self.omitted_stages = omitted_stages
        self.omits_managed_fields = omits_managed_fields
        self.annotations: dict[str, str] = {}
        self.request_object: bytes | None = None
        self.response_object: bytes | None = None
        self.status: JSONObject = {}
        """Of the answer, as far as it is more than a code."""
        self.started = False
        """Stage ResponseStarted has been."""

    def annotate(self, key: str, value: str) -> None:
        """The first value of a key stays."""
        self.annotations.setdefault(key, value)

    def take_object(self, obj: JSONObject) -> None:
        """The object of the request, as it was decoded."""
        metadata = obj.get("metadata")
        if isinstance(metadata, dict):
            self._refer_to(metadata)
        if self.takes_request:
            shown = without_managed_fields(obj) if self.omits_managed_fields else obj
            self.request_object = _encoded(shown)

    def take_patch(self, patch: bytes) -> None:
        """The patch of the request, as JSON. Nothing if it is none; it will be refused."""
        if self.takes_request:
            # Not as it came: a log has one line an event, however long the client likes its own.
            with suppress(ValueError):
                self.request_object = orjson.dumps(orjson.loads(patch))

    def take_answer(self, body: bytes) -> None:
        """The object of the answer, as JSON."""
        if body.startswith(_STATUS):
            self.take_status(orjson.loads(body))
        if self.takes_response:
            if self.omits_managed_fields:
                body = orjson.dumps(without_managed_fields(orjson.loads(body)))
            self.response_object = body

    def take_refusal(self, status: JSONObject) -> None:
        """The `Status` of a refusal that is on its way to the client."""
        self.take_status(status)
        if self.takes_response:
            self.response_object = _encoded(status)

    def take_status(self, status: JSONObject) -> None:
        """The `Status` that is the answer, or goes with it."""
        self.status = {name: status[name] for name in _STATUS_FIELDS if status.get(name) not in (None, "", 0)}

    def _refer_to(self, metadata: JSONObject) -> None:
        """Complete what the URL does not say of the object; the URL is right where both do."""
        reference = self.event.get("objectRef")
        if reference is None:
            return
        told = {name: value for name in _NAMED if (value := metadata.get(name)) and isinstance(value, str)}
        complete = {**told, **reference}
        self.event["objectRef"] = {name: complete[name] for name in _REFERENCE if name in complete}


def _encoded(obj: object) -> bytes | None:
    try:
        return orjson.dumps(obj)
    except TypeError as error:
        # YAML can say what JSON cannot; whoever handles the request refuses it in its own words.
        _LOG.error("encoding failed of a request object: %s", error)
        return None


def without_managed_fields(obj: JSONObject) -> JSONObject:
    """The object, list or table with no managed fields; the argument stays as it is."""
    shown = _bare(obj)
    items = shown.get("items")
    if isinstance(items, list):
        shown["items"] = [_bare(item) for item in _objects(items)]
    elif shown.get("kind") == "Table" and isinstance(shown.get("rows"), list):
        shown["rows"] = [
            {**row, "object": _bare(row["object"])} if isinstance(row.get("object"), dict) else row
            for row in _objects(shown["rows"])
        ]
    return shown


def _objects(items: Iterable[object]) -> list[JSONObject]:
    return [item for item in items if isinstance(item, dict)]


def _bare(obj: JSONObject) -> JSONObject:
    metadata = obj.get("metadata")
    if not isinstance(metadata, dict) or "managedFields" not in metadata:
        return dict(obj)
    return {**obj, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}
