"""What audit counts, and how a back end tells that it failed. One a process, made by `setup`.

Mirrors `apiserver/pkg/audit/metrics.go`.
"""

import logging
from collections.abc import Sequence

from generic.audit.event import Event
from generic.metrics import Counts, Metrics

_LOG = logging.getLogger(__name__)


class AuditMetrics:
    """Counters under Kubernetes' names, registered with the process's metrics."""

    def __init__(self, metrics: Metrics) -> None:
        self.events = Counts("apiserver_audit_event", "Audit events generated and sent to the audit back end.", ())
        self.errors = Counts(
            "apiserver_audit_error", "Audit events that failed to be audited properly, by plugin.", ("plugin",)
        )
        self.levels = Counts("apiserver_audit_level", "Policy levels for audit events, one a request.", ("level",))
        self.rejected = Counts(
            "apiserver_audit_requests_rejected", "Requests rejected because the audit back end failed.", ()
        )
        for counts in (self.events, self.rejected):
            counts.set(to=0)
        for counts in (self.events, self.errors, self.levels, self.rejected):
            metrics.registry.register(counts)

    def failed(self, plugin: str, why: object, events: Sequence[Event]) -> None:
        """Count events that are lost, and say so in the log."""
        self.errors.add(plugin, by=len(events))
        lost = "\n".join(event.as_text() for event in events)
        _LOG.error("Error in audit plugin '%s' affecting %d audit events: %s\n%s", plugin, len(events), why, lost)
