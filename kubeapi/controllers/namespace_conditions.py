"""The conditions of a terminating namespace: what is in the way of its end.

Called by `namespace_content.py`. Mirrors `pkg/controller/namespace/deletion/status_condition_utils.go`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from generic.meta import time as meta_time
from generic.meta.gvk import GroupResource
from generic.types import JSONObject

_OK = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}
"""Every condition type, in order, with the reason and message it has while nothing is wrong."""


@dataclass(slots=True)
class Findings:
    """What one pass over a namespace's content found."""

    discovery_errors: list[str] = field(default_factory=list)
    """One text per group-version that could not be discovered."""
    deletion_errors: list[str] = field(default_factory=list)
    remaining: Counter[GroupResource] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)

    @property
    def errors(self) -> list[str]:
        return [*self.discovery_errors, *self.deletion_errors]

    def problems(self) -> dict[str, tuple[str, str]]:
        """Reason and message of each condition that is True."""
        found: dict[str, tuple[str, str]] = {}
        if self.discovery_errors:
            listed = ", ".join(sorted(self.discovery_errors))
            message = (
                f"Discovery failed for some groups, {len(self.discovery_errors)} failing: "
                f"unable to retrieve the complete list of server APIs: {listed}"
            )
            found["NamespaceDeletionDiscoveryFailure"] = ("DiscoveryFailed", message)
        if self.deletion_errors:
            listed = ", ".join(sorted(self.deletion_errors))
            message = f"Failed to delete all resource types, {len(self.deletion_errors)} remaining: {listed}"
            found["NamespaceDeletionContentFailure"] = ("ContentDeletionFailed", message)
        if self.remaining:
            # The core group leaves its dot behind, as in Kubernetes.
            texts = (f"{r.resource}.{r.group} has {count} resource instances" for r, count in self.remaining.items())
            message = f"Some resources are remaining: {', '.join(sorted(texts))}"
            found["NamespaceContentRemaining"] = ("SomeResourcesRemain", message)
        if self.finalizers:
            texts = (f"{name} in {count} resource instances" for name, count in self.finalizers.items())
            message = f"Some content in the namespace has finalizers remaining: {', '.join(sorted(texts))}"
            found["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", message)
        return found


def updated(conditions: Sequence[JSONObject], findings: Findings) -> list[JSONObject] | None:
    """The conditions as the findings have them; None if that changes nothing."""
    made, changed, problems = [dict(found) for found in conditions], False, findings.problems()
    for type, fine in _OK.items():
        status = "True" if type in problems else "False"
        reason, message = problems.get(type, fine)
        wanted = {"type": type, "status": status, "reason": reason, "message": message}
        held = next((found for found in made if found.get("type") == type), None)
        if held is None:
            made.append({**wanted, "lastTransitionTime": meta_time.now()})
            changed = True
        elif any(held.get(key) != value for key, value in wanted.items()):
            if held.get("status") != status:
                held["lastTransitionTime"] = meta_time.now()
            held.update(wanted)
            changed = True
    return made if changed else None
