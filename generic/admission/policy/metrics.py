"""PolicyMetrics: how often policies looked at writes, and what came of it.

Made by whoever composes a server, told by the two plugins. Mirrors
`apiserver/pkg/admission/plugin/policy/{validating,mutating}/metrics`, durations aside.
"""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.registry import Collector

from generic.metrics import Counts

NO_ERROR = "no_error"
_TYPES = (
    ("compilation", "compile_error"),
    ("validation failed due to running out of cost budget", "out_of_budget"),
)


class PolicyMetrics(Collector):
    """The series of both plugins."""

    def __init__(self) -> None:
        labels = ("policy", "policy_binding", "error_type")
        self.validations = Counts(
            "apiserver_validating_admission_policy_check_total",
            "Validation admission policy check total, labeled by policy and further identified by binding and "
            "enforcement action taken.",
            (*labels, "enforcement_action"),
        )
        self.mutations = Counts(
            "apiserver_mutating_admission_policy_check_total",
            "Mutation admission policy check total, labeled by policy and further identified by binding.",
            labels,
        )

    def describe(self) -> Iterable[Metric]:
        return [*self.validations.describe(), *self.mutations.describe()]

    def collect(self) -> Iterable[Metric]:
        return [*self.validations.collect(), *self.mutations.collect()]


def error_type(message: str) -> str:
    """Of a failure, from its words."""
    return next((type for start, type in _TYPES if message.startswith(start)), "invalid_error")
