"""AdmissionMetrics: how long webhooks take, how often they refuse, and how often nobody asks them.

Made by whoever composes a server, told by `calling.py`. Mirrors `apiserver/pkg/admission/metrics/metrics.go`.
"""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.registry import Collector

from generic.metrics import Counts, Histogram

_BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 10.0, 25.0)
_LARGEST_CODE = 600


class AdmissionMetrics(Collector):
    """The series of both plugins; the label `type` tells them apart: admit or validating."""

    def __init__(self) -> None:
        self.seconds = Histogram(
            "apiserver_admission_webhook_admission_duration_seconds",
            "Admission webhook latency histogram in seconds, identified by name and broken out for each operation and "
            "API resource and type (validate or admit).",
            ("name", "type", "operation", "rejected"),
            _BOUNDS,
        )
        self.requests = Counts(
            "apiserver_admission_webhook_request_total",
            "Admission webhook requests by name, type, operation, response code and whether they were rejected.",
            ("name", "type", "operation", "code", "rejected"),
        )
        self.rejections = Counts(
            "apiserver_admission_webhook_rejection_count",
            "Admission webhook rejections by name, type and operation, with what went wrong and the code.",
            ("name", "type", "operation", "error_type", "rejection_code"),
            bare=True,
        )
        self.failed_open = Counts(
            "apiserver_admission_webhook_fail_open_count",
            "Calls of admission webhooks that failed and were ignored.",
            ("name", "type"),
            bare=True,
        )

    def observe(self, name: str, step: str, operation: str, *, seconds: float, code: int, rejected: bool) -> None:
        """One call."""
        told = "true" if rejected else "false"
        self.seconds.observe(name, step, operation, told, value=seconds)
        self.requests.add(name, step, operation, str(min(code, _LARGEST_CODE)), told)

    def reject(self, name: str, step: str, operation: str, *, error_type: str, code: int) -> None:
        """A write was refused. `error_type`: no_error, calling_webhook_error or apiserver_internal_error."""
        self.rejections.add(name, step, operation, error_type, str(min(code, _LARGEST_CODE)))

    def describe(self) -> Iterable[Metric]:
        return [family for part in self._parts for family in part.describe()]

    def collect(self) -> Iterable[Metric]:
        return [family for part in self._parts for family in part.collect()]

    @property
    def _parts(self) -> tuple[Histogram | Counts, ...]:
        return self.seconds, self.requests, self.rejections, self.failed_open
