"""What can come of asking a webhook, beside leave: it could not be asked, or it refuses.

Raised by `calling.py`, settled by `mutating.py` and `validating.py`. Mirrors `apiserver/pkg/util/webhook/error.go` and
`apiserver/pkg/admission/plugin/webhook/errors`.
"""

from typing import Any

from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.go_text import quote
from generic.types import JSONObject

_LEAST_CODE = 400


class CallFailed(Exception):
    """The webhook was not asked, or its answer is of no use: its failurePolicy decides. `code`: for metrics."""

    def __init__(self, webhook: str, why: str, *, code: int = 503) -> None:
        super().__init__(f"failed calling webhook {quote(webhook)}: {why}")
        self.code = code


class Rejected(StatusError):
    """The webhook refuses; that is final."""


def rejection(webhook: str, result: JSONObject | None) -> Rejected:
    """What the client is told, from the status of the answer."""
    status = result or {}
    denied = f"admission webhook {quote(webhook)} denied the request"
    message, reason, code = _text(status, "message"), _text(status, "reason"), status.get("code")
    given = message or reason
    details = status.get("details")
    return Rejected(
        code if isinstance(code, int) and code >= _LEAST_CODE else _LEAST_CODE,
        reason,
        f"{denied}: {given}" if given else f"{denied} without explanation",
        details=details if isinstance(details, dict) else None,
    )


def _text(status: JSONObject, key: str) -> str:
    value: Any = status.get(key)
    return value if isinstance(value, str) else ""


def no_dry_run(webhook: str) -> StatusError:
    """400 for a dry run of what a webhook with side effects has to see."""
    return errors.bad_request(f"admission webhook {quote(webhook)} does not support dry run")


def not_ready(attributes: Attributes) -> StatusError:
    """403: nobody knows yet which webhooks there are."""
    return errors.forbidden(attributes.resource.group_resource, attributes.name, "not yet ready to handle request")


def out_of_time() -> StatusError:
    """504: the request itself has run out of time."""
    return errors.timeout("request did not complete within requested timeout")
