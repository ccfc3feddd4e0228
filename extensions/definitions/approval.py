"""Whether a definition in a group of the Kubernetes project says who approved it.

Called by validation and by the approval controller. Mirrors `apiextensions-apiserver/pkg/apihelpers/helpers.go`.
"""

import enum
from collections.abc import Mapping
from urllib.parse import urlsplit

ANNOTATION = "api-approved.kubernetes.io"
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"


class Approval(enum.Enum):
    """The states of the annotation; the value is the condition's reason."""

    INVALID = "InvalidAnnotation"
    APPROVED = "ApprovedAnnotation"
    BYPASSED = "UnapprovedAnnotation"
    MISSING = "MissingAnnotation"


def is_protected(group: str) -> bool:
    """Whether the group belongs to the Kubernetes project."""
    return f".{group}".endswith((".k8s.io", ".kubernetes.io"))


def approval(annotations: Mapping[str, str]) -> tuple[Approval, str]:
    """The state and the message that explains it."""
    given = annotations.get(ANNOTATION) or ""
    if not given:
        return Approval.MISSING, f'protected groups must have approval annotation "{ANNOTATION}", {_SEE}'
    if given.startswith("unapproved"):
        return Approval.BYPASSED, f'not approved: "{given}"'
    if _is_url(given):
        return Approval.APPROVED, f"approved in {given}"
    why = f'protected groups must have approval annotation "{ANNOTATION}" with either a URL or a reason starting with'
    return Approval.INVALID, f'{why} "unapproved", {_SEE}'


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)
