"""The one error hierarchy: every refusal is a `StatusError` that renders to a Kubernetes `Status`.

Raised anywhere below the handler chain; turned into a response in one place
(`generic/endpoints/responses.py`). Wording mirrors `apimachinery/pkg/api/errors/errors.go`.
"""

from collections.abc import Sequence
from typing import Any

from generic.meta.fields import FieldError
from generic.meta.gvk import GroupKind, GroupResource
from generic.types import JSONObject


class StatusError(Exception):
    """A refusal with HTTP code, machine-readable reason, message and details."""

    def __init__(
        self, code: int, reason: str, message: str, *, details: JSONObject | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.retry_after = retry_after
        """Seconds for the Retry-After header; also put into details.retryAfterSeconds."""

    def to_status(self) -> JSONObject:
        """The `Status` object of the response body."""
        details = dict(self.details) if self.details is not None else None
        if self.retry_after is not None:
            details = {**(details or {}), "retryAfterSeconds": self.retry_after}
        status: JSONObject = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if details is not None:
            status["details"] = details
        status["code"] = self.code
        return status


def _details(resource: GroupResource, name: str, **more: Any) -> JSONObject:
    details: JSONObject = {}
    if name:
        details["name"] = name
    if resource.group:
        details["group"] = resource.group
    if resource.resource:
        details["kind"] = resource.resource
    return {**details, **more}


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def unauthorized(message: str = "Unauthorized") -> StatusError:
    return StatusError(401, "Unauthorized", message)


def forbidden(resource: GroupResource, name: str, why: str, **more: Any) -> StatusError:
    """403 on a resource; `more` goes into details (e.g. causes)."""
    if not resource.resource:
        message = f"forbidden: {why}"
    elif name:
        message = f'{resource} "{name}" is forbidden: {why}'
    else:
        message = f"{resource} is forbidden: {why}"
    return StatusError(403, "Forbidden", message, details=_details(resource, name, **more))


def not_found(resource: GroupResource, name: str) -> StatusError:
    return StatusError(404, "NotFound", f'{resource} "{name}" not found', details=_details(resource, name))


def route_not_found(resource: GroupResource | None = None, name: str = "") -> StatusError:
    """404 for a path under a known REST root that routes nowhere."""
    details = _details(resource, name) if resource is not None else {}
    return StatusError(404, "NotFound", "the server could not find the requested resource", details=details)


def route_method_not_allowed() -> StatusError:
    """405 by the router, of a path that has no route for the method."""
    message = "the server does not allow this method on the requested resource"
    return StatusError(405, "MethodNotAllowed", message, details={})


def route_not_acceptable(produced: Sequence[str]) -> StatusError:
    """406 by the router, of a path whose routes all answer in other types."""
    message = f"406: Not Acceptable\n\nAvailable representations: {', '.join(produced)}"
    return StatusError(406, "NotAcceptable", message, details={})


def route_unsupported_media_type() -> StatusError:
    """415 by the router, of a path whose routes all read other types."""
    return StatusError(415, "UnsupportedMediaType", "415: Unsupported Media Type", details={})


def method_not_allowed(resource: GroupResource, verb: str) -> StatusError:
    message = f'{verb} is not supported on resources of kind "{resource}"'
    return StatusError(405, "MethodNotAllowed", message, details=_details(resource, ""))


def not_acceptable(accepted: Sequence[str]) -> StatusError:
    message = f"only the following media types are accepted: {', '.join(accepted)}"
    return StatusError(406, "NotAcceptable", message)


def already_exists(resource: GroupResource, name: str) -> StatusError:
    return StatusError(409, "AlreadyExists", f'{resource} "{name}" already exists', details=_details(resource, name))


def generate_name_conflict(resource: GroupResource, name: str) -> StatusError:
    message = f'{resource} "{name}" already exists, the server was not able to generate a unique name for the object'
    return StatusError(409, "AlreadyExists", message, details=_details(resource, name), retry_after=1)


def conflict(resource: GroupResource, name: str, why: str) -> StatusError:
    message = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return StatusError(409, "Conflict", message, details=_details(resource, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


def expired(message: str, **more: Any) -> StatusError:
    """410 with reason Expired: a resourceVersion or continue token too old to serve."""
    return StatusError(410, "Expired", message, details=more or None)


def gone(message: str) -> StatusError:
    return StatusError(410, "Gone", message)


def request_entity_too_large(message: str) -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", message)


def unsupported_media_type(accepted: Sequence[str], given: str = "") -> StatusError:
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    return StatusError(415, "UnsupportedMediaType", message)


def invalid(kind: GroupKind, name: str, failures: Sequence[FieldError]) -> StatusError:
    """422 with one cause per field error, all of them at once."""
    causes = [{"reason": f.type, "message": f.body, "field": f.field} for f in failures]
    texts = list(dict.fromkeys(str(f) for f in failures))
    what = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: JSONObject = {"name": name, "group": kind.group, "kind": kind.kind, "causes": causes}
    details = {key: value for key, value in details.items() if value}
    return StatusError(422, "Invalid", f'{kind} "{name}" is invalid: {what}', details=details)


def too_many_requests(message: str, retry_after: int) -> StatusError:
    return StatusError(429, "TooManyRequests", message, retry_after=retry_after)


def internal_error(message: str) -> StatusError:
    causes = [{"message": message}]
    return StatusError(500, "InternalError", f"Internal error occurred: {message}", details={"causes": causes})


def service_unavailable(message: str, retry_after: int | None = None) -> StatusError:
    return StatusError(503, "ServiceUnavailable", message, retry_after=retry_after)


def timeout(message: str, *, retry_after: int = 0, causes: list[JSONObject] | None = None) -> StatusError:
    """504 for an operation that ran out of time; the client may retry."""
    details: JSONObject = {"causes": causes} if causes else {}
    return StatusError(504, "Timeout", f"Timeout: {message}", details=details, retry_after=retry_after or None)


def resource_version_too_large(requested: int, current: int) -> StatusError:
    """504 for a resourceVersion from the future; clients look for the cause (client-go relies on it)."""
    message = f"Too large resource version: {requested}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return timeout(message, retry_after=1, causes=causes)
