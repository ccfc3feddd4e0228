"""What a namespace's labels say of the security of its pods. Called by `kubeapi/admission/pod_security.py`.

Mirrors `k8s.io/pod-security-admission/api/helpers.go`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from generic.meta import fields
from generic.meta.fields import FieldError

PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
"""From the least to the most strict."""

LATEST = (1, 1 << 30)
"""The version after all others."""

_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)")


@dataclass(frozen=True, slots=True)
class Standard:
    """A level as of a version of Kubernetes."""

    level: str = "privileged"
    version: tuple[int, int] = LATEST

    @property
    def strictness(self) -> int:
        return LEVELS.index(self.level)

    def __str__(self) -> str:
        version = "latest" if self.version == LATEST else "v{}.{}".format(*self.version)
        return f"{self.level}:{version}"


@dataclass(frozen=True, slots=True)
class Policy:
    """What is enforced, what is written into the audit log, what is warned of."""

    enforce: Standard = Standard()
    audit: Standard = Standard()
    warn: Standard = Standard()

    @property
    def is_privileged(self) -> bool:
        """Whether anything goes."""
        return not (self.enforce.strictness or self.audit.strictness or self.warn.strictness)


NO_POLICY = Policy()


def of(labels: Mapping[str, str] | None) -> tuple[Policy, list[FieldError]]:
    """The policy, and which labels cannot be read: these enforce the most, and audit and warn of nothing."""
    if not labels or not any(label.startswith(PREFIX) for label in labels):
        return NO_POLICY, []
    found: list[FieldError] = []
    enforce = _standard(labels, "enforce", found, fallback="restricted")
    audit = _standard(labels, "audit", found, fallback="privileged")
    warn = _standard(labels, "warn", found, fallback="privileged")
    said = labels.get(f"{PREFIX}enforce") in LEVELS and f"{PREFIX}warn" not in labels
    if said and enforce.strictness > warn.strictness:
        # Who enforces need not ask to be warned of what owns the pods.
        version = warn.version if f"{PREFIX}warn-version" in labels else enforce.version
        warn = replace(warn, level=enforce.level, version=version)
    return Policy(enforce, audit, warn), found


def _standard(labels: Mapping[str, str], mode: str, found: list[FieldError], *, fallback: str) -> Standard:
    level, version = labels.get(f"{PREFIX}{mode}", "privileged"), labels.get(f"{PREFIX}{mode}-version", "latest")
    parsed = LATEST
    if level not in LEVELS:
        found.append(_invalid(mode, level, f"must be one of {', '.join(LEVELS)}"))
        level = fallback
    if version != "latest":
        match = _VERSION.fullmatch(version)
        if match is None:
            found.append(_invalid(f"{mode}-version", version, 'must be "latest" or "v1.x"'))
        else:
            parsed = 1, int(match[1])
    return Standard(level, parsed)


def _invalid(label: str, value: str, why: str) -> FieldError:
    return fields.invalid(f"metadata.labels[{PREFIX}{label}]", value, why)
