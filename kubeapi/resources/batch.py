"""The kinds of batch/v1. Mirrors `pkg/registry/batch/rest/storage_batch.go`."""

from functools import partial

from generic.meta.gvk import GroupVersion
from kubeapi.resources.columns import workloads as columns
from kubeapi.resources.kinds import STATUS, BuiltinKind, text_at
from kubeapi.resources.strategies import workloads as strategies

_kind = partial(BuiltinKind, GroupVersion("batch", "v1"), namespaced=True, categories=("all",), subresources=STATUS)

KINDS: tuple[BuiltinKind, ...] = (
    _kind("CronJob", "cronjobs", short_names=("cj",), strategy=strategies.CRON_JOB, columns=columns.CRON_JOB),
    _kind(
        "Job",
        "jobs",
        strategy=strategies.JOB,
        columns=columns.JOB,
        selectable_fields={"status.successful": lambda obj: text_at("status", "succeeded")(obj) or "0"},
    ),
)
