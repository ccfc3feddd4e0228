"""Event: one audit event, encoded once for all back ends.

Made by `auditor` from what is known at the beginning of a request (`beginning`) and what was collected since. Mirrors
`audit.k8s.io/v1` Event, `apiserver/pkg/audit/{request,format}.go` and SourceIPs of `apimachinery/pkg/util/net/http.go`.
"""

import ipaddress
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from time import monotonic, time
from typing import Any, Self
from urllib.parse import quote

import orjson

from generic.audit.policy import RECEIVED
from generic.meta import go_text
from generic.request.audited import Audited
from generic.request.context import RequestContext
from generic.request.info import RequestInfo
from generic.request.user import UserInfo
from generic.types import JSONObject, Scope

TRUNCATED = "audit.k8s.io/truncated"

_HEAD = b'{"kind":"Event","apiVersion":"audit.k8s.io/v1",'
_LONGEST_AGENT = 1024
_CUT = "...TRUNCATED"
_RECEIVED_AT = "requestReceivedTimestamp"
_OBJECTS = ("requestObject", "responseObject")


class Event:
    """What happened at one stage of a request. `fields`: in the order they are written; not to be changed."""

    __slots__ = ("_encoded", "fields")

    def __init__(self, fields: JSONObject) -> None:
        self.fields = fields
        self._encoded = b""

    @property
    def encoded(self) -> bytes:
        """JSON without kind and apiVersion: an item of an EventList."""
        if not self._encoded:
            self._encoded = orjson.dumps(self.fields)
        return self._encoded

    @property
    def line(self) -> bytes:
        """JSON with kind and apiVersion, and a line break."""
        return b"%b%b\n" % (_HEAD, self.encoded[1:])

    @property
    def has_objects(self) -> bool:
        return any(name in self.fields for name in _OBJECTS)

    def without_objects(self) -> Self:
        """The same with neither object, and an annotation that says so."""
        fields = {name: value for name, value in self.fields.items() if name not in _OBJECTS}
        fields["annotations"] = {**fields.get("annotations", {}), TRUNCATED: "true"}
        return type(self)(fields)

    def as_text(self) -> str:
        """One line for people, without its line break."""
        fields, q = self.fields, go_text.quote
        user, other = fields["user"], fields.get("impersonatedUser")
        status, addresses = fields.get("responseStatus"), fields.get("sourceIPs")
        asked = {
            "id": fields["auditID"],
            "stage": fields["stage"],
            "ip": addresses[0] if addresses else "<unknown>",
            "method": fields["verb"],
            "user": user.get("username", "<none>"),
            "groups": _quoted(user["groups"]) if user.get("groups") else "<none>",
            "as": "<self>" if other is None else other.get("username", ""),
            "asgroups": _quoted(other["groups"]) if other and "groups" in other else "<lookup>",
            "user-agent": fields.get("userAgent", ""),
            "namespace": fields.get("objectRef", {}).get("namespace", "<none>"),
            "uri": fields["requestURI"],
            "response": str(status.get("code", 0)) if status else "<deferred>",
        }
        when = fields["requestReceivedTimestamp"].removesuffix("Z").rstrip("0").rstrip(".")
        return f"{when}Z AUDIT: {' '.join(f'{name}={q(value)}' for name, value in asked.items())}"


def beginning(scope: Scope, request: RequestContext, level: str) -> JSONObject:
    """The fields of a request's events that are known before it is handled, in their order; `of` adds the rest."""
    info = request.info
    agent = forwarded = real = b""
    for name, value in scope["headers"]:
        if name == b"user-agent":
            agent = agent or value
        elif name == b"x-forwarded-for":
            forwarded = forwarded or value
        elif name == b"x-real-ip":
            real = real or value
    known: JSONObject = {
        "level": level,
        "auditID": request.audit_id,
        "stage": "",
        "requestURI": _uri(scope),
        "verb": info.verb,
        "user": {} if request.user is None else _user(request.user),
    }
    addresses = _source_ips(forwarded, real, scope.get("client"))
    if addresses:
        known["sourceIPs"] = addresses
    if agent:
        known["userAgent"] = _agent(agent)
    if info.is_resource_request:
        known["objectRef"] = _reference(info)
    waited = monotonic() - request.received_at if request.received_at else 0.0
    known[_RECEIVED_AT] = _micro_time(time() - waited)
    return known


def of(
    audited: Audited, stage: str, *, code: int = 0, impersonated: UserInfo | None = None, constraint: str = ""
) -> Event:
    """The event of a stage. `code`: of the answer, once there is one; `constraint`: of the impersonation."""
    fields = {**audited.event, "stage": stage}
    if impersonated is not None:
        fields = _with_impersonated(fields, impersonated, constraint)
    arrived: str = fields.pop(_RECEIVED_AT)
    if code or audited.status:
        fields["responseStatus"] = {"metadata": {}, **audited.status}
        if code:
            fields["responseStatus"]["code"] = code
    if audited.request_object is not None:
        fields["requestObject"] = orjson.Fragment(audited.request_object)
    if audited.response_object is not None:
        fields["responseObject"] = orjson.Fragment(audited.response_object)
    fields[_RECEIVED_AT] = arrived
    fields["stageTimestamp"] = arrived if stage == RECEIVED else _micro_time(time())
    if audited.annotations:
        fields["annotations"] = dict(sorted(audited.annotations.items()))
    return Event(fields)


def _with_impersonated(fields: JSONObject, user: UserInfo, constraint: str) -> JSONObject:
    """Its place is behind the user."""
    found: JSONObject = {}
    for name, value in fields.items():
        found[name] = value
        if name == "user":
            found["impersonatedUser"] = _user(user)
            if constraint:
                found["authenticationMetadata"] = {"impersonationConstraint": constraint}
    return found


def _reference(info: RequestInfo) -> JSONObject:
    reference = {
        "resource": info.resource,
        "namespace": info.namespace,
        "name": info.name,
        "apiGroup": info.group,
        "apiVersion": info.version,
        "subresource": info.subresource,
    }
    return {name: value for name, value in reference.items() if value}


def _micro_time(seconds: float) -> str:
    # As `meta.time` formats one, at a third of its price; this is done thrice a request.
    return f"{datetime.fromtimestamp(seconds, UTC).isoformat(timespec='microseconds')[:-6]}Z"


def _quoted(names: Iterable[str]) -> str:
    return ",".join(map(go_text.quote, names))


def _user(user: UserInfo) -> JSONObject:
    fields = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    return {name: value for name, value in fields.items() if value}


def _uri(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    path: str = raw.decode("latin-1") if raw else quote(scope["path"])
    query: bytes = scope["query_string"]
    return f"{path}?{query.decode('latin-1')}" if query else path


def header(scope: Scope, wanted: bytes) -> str:
    """The first of that name; empty if there is none."""
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value.decode("utf-8", "replace") for name, value in headers if name == wanted), "")


def _agent(raw: bytes) -> str:
    agent = raw.decode("utf-8", "replace")
    return agent if len(agent) <= _LONGEST_AGENT else agent[:_LONGEST_AGENT] + _CUT


def _source_ips(forwarded: bytes, real: bytes, client: Any) -> list[str]:
    """Whom the proxies in between name, then who really connected: only the last cannot be made up."""
    found: list[str] = []
    for part in forwarded.split(b","):
        if address := _address(part.strip().decode("latin-1")):
            found.append(address)
    if real and (address := _address(real.decode("latin-1"))) and address not in found:
        found.append(address)
    remote = _address(client[0]) if client else ""
    if remote and found[-1:] != [remote]:
        found.append(remote)
    return found


@lru_cache(maxsize=1024)
def _address(text: str) -> str:
    """As Go prints it; empty if it is none."""
    if text.isascii() and ":" not in text:
        # Go's parser takes numbers with leading zeros, and takes them for decimal.
        text = ".".join(part.lstrip("0") or part[:1] for part in text.split("."))
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        return "" if address.scope_id else str(address.ipv4_mapped or address)
    return str(address)
