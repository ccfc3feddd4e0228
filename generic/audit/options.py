"""The flags of audit: kube-apiserver's names, meanings and defaults.

Added to the parsers of `trikube up` and of aggregated servers. `auditor` alone loads the rest of this package: a server
that does not audit pays nothing for it. Mirrors `apiserver/pkg/server/options/audit.go`.
"""

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from generic import flags
from generic.meta.errors import StatusError
from generic.metrics import Metrics
from generic.request.context import RequestContext
from generic.types import Scope

BATCH, BLOCKING, BLOCKING_STRICT = MODES = ("batch", "blocking", "blocking-strict")
JSON, LEGACY = FORMATS = ("json", "legacy")
STANDARD_OUTPUT = "-"

VERSION = "audit.k8s.io/v1"


class Auditing(Protocol):
    """The auditor, as those see it who have to do with it only if there is one: it is loaded only then."""

    async def start(self) -> None:
        """Before the first request."""

    async def stop(self) -> None:
        """After the last: all events are written, or given up, when this returns."""

    async def refused(self, scope: Scope, request: RequestContext, refusal: StatusError) -> None:
        """A filter let the request in no further than to authentication."""


class Delivery(NamedTuple):
    """How events get to a back end. Sizes of batches in events, of truncation in bytes; times in seconds."""

    mode: str
    batch_max_size: int
    batch_throttle_enable: bool
    batch_buffer_size: int = 10000
    batch_max_wait: float = 30.0
    batch_throttle_qps: float = 10.0
    batch_throttle_burst: int = 15
    truncate_enabled: bool = False
    truncate_max_batch_size: int = 10 * 1024 * 1024
    truncate_max_event_size: int = 100 * 1024
    version: str = VERSION

    def check(self, name: str) -> None:
        """Raises ValueError. `name`: of the back end."""
        if self.mode not in MODES:
            raise ValueError(f'invalid audit {name} mode {self.mode}, allowed modes are "{",".join(MODES)}"')
        if self.mode == BATCH:
            numbers: dict[str, float] = {
                "buffer size": self.batch_buffer_size,
                "max batch size": self.batch_max_size,
            }
            if self.batch_throttle_enable:
                numbers |= {"throttle QPS": self.batch_throttle_qps, "throttle burst": self.batch_throttle_burst}
            for what, number in numbers.items():
                if number <= 0:
                    raise ValueError(f"invalid audit batch {name} {what} {number}, must be a positive number")
        if self.truncate_max_event_size <= 0:
            raise ValueError(
                f"invalid audit truncate {name} max event size {self.truncate_max_event_size}, "
                "must be a positive number"
            )
        if self.truncate_max_batch_size < self.truncate_max_event_size:
            raise ValueError(
                f"invalid audit truncate {name} max batch size {self.truncate_max_batch_size}, "
                f"must be greater than max event size ({self.truncate_max_event_size})"
            )
        if self.version != VERSION:
            raise ValueError(f'invalid group version, allowed versions are ["{VERSION}"]')


_TO_LOG = Delivery(BLOCKING, batch_max_size=1, batch_throttle_enable=False)
_TO_WEBHOOK = Delivery(BATCH, batch_max_size=400, batch_throttle_enable=True)


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What the flags say; the name of a member is its flag's. Without a policy and a back end nothing is audited."""

    policy_file: Path | None = None
    log_path: str = ""
    log_maxage: int = 366
    log_maxbackup: int = 100
    log_maxsize: int = 100
    log_format: str = JSON
    log_compress: bool = False
    webhook_config_file: Path | None = None
    webhook_initial_backoff: float = 10.0
    log: Delivery = _TO_LOG
    webhook: Delivery = _TO_WEBHOOK

    def check(self) -> None:
        """Raises ValueError on the first thing that cannot work."""
        if self.log_path:
            self.log.check("log")
            if self.log_format not in FORMATS:
                allowed = ",".join(FORMATS)
                raise ValueError(f'invalid audit log format {self.log_format}, allowed formats are "{allowed}"')
            for flag in ("maxage", "maxbackup", "maxsize"):
                number = getattr(self, f"log_{flag}")
                if number < 0:
                    raise ValueError(f"--audit-log-{flag} {number} can't be a negative number")
        if self.webhook_config_file is not None:
            self.webhook.check("webhook")

    def auditor(self, metrics: Metrics) -> Auditing | None:
        """None: nothing is audited. Opens the log. Raises ValueError on what a policy or a kubeconfig says wrong."""
        if self.policy_file is None:
            return None
        build: Callable[[AuditOptions, Metrics], Auditing | None] = importlib.import_module("generic.audit.setup").build
        return build(self, metrics)


_PREFIX = "audit_"
_DELIVERIES = ("log", "webhook")
NAMES = frozenset(
    f"{_PREFIX}{name}"
    for name in (
        *(each.name for each in fields(AuditOptions) if each.name not in _DELIVERIES),
        *(f"{back_end}_{each}" for back_end in _DELIVERIES for each in Delivery._fields),
    )
)
"""What the flags are called in a parsed namespace."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of audit, in a group of their own."""
    defaults = AuditOptions()
    group = parser.add_argument_group("audit", "nothing is audited without a policy and a back end")

    def add(name: str, kind: Callable[[str], object], default: object, help_: str) -> None:
        metavar = {Path: "FILE", int: "NUMBER", float: "NUMBER", str: "TEXT", flags.duration: "DURATION"}.get(kind)
        group.add_argument(f"--{name}", type=kind, default=default, metavar=metavar, help=help_)

    def switch(name: str, help_: str, *, default: bool = False) -> None:
        flags.add_boolean(group, f"--{name}", default=default, help=help_)

    add("audit-policy-file", Path, None, "which requests are audited, and at which level: a Policy of audit.k8s.io/v1")
    add("audit-log-path", str, "", "write events to this file; - is standard output")
    add("audit-log-format", str, defaults.log_format, "json, or legacy: a line for people")
    add("audit-log-maxage", int, defaults.log_maxage, "days to keep rotated files; 0: for ever")
    add("audit-log-maxbackup", int, defaults.log_maxbackup, "rotated files to keep; 0: all")
    add("audit-log-maxsize", int, defaults.log_maxsize, "megabytes of a file before it is rotated; 0: never")
    switch("audit-log-compress", "compress rotated files with gzip")
    add("audit-webhook-config-file", Path, None, "post events to the server this kubeconfig names")
    backoff = defaults.webhook_initial_backoff
    add("audit-webhook-initial-backoff", flags.duration, backoff, "how long to wait before the first retry")
    for name, delivery in (("log", defaults.log), ("webhook", defaults.webhook)):
        start, only = f"audit-{name}-", "; in mode batch"
        add(f"{start}mode", str, delivery.mode, f"how requests wait for their events: {', '.join(MODES)}")
        add(f"{start}batch-buffer-size", int, delivery.batch_buffer_size, f"events that may wait{only}")
        add(f"{start}batch-max-size", int, delivery.batch_max_size, f"events in a batch at most{only}")
        longest = delivery.batch_max_wait
        add(f"{start}batch-max-wait", flags.duration, longest, f"how long a batch may take to fill{only}")
        throttled = delivery.batch_throttle_enable
        switch(f"{start}batch-throttle-enable", f"limit the rate of batches{only}", default=throttled)
        add(f"{start}batch-throttle-qps", float, delivery.batch_throttle_qps, f"batches a second on average{only}")
        add(f"{start}batch-throttle-burst", int, delivery.batch_throttle_burst, f"batches at once{only}")
        switch(f"{start}truncate-enabled", "drop the objects of events that are too large")
        largest = delivery.truncate_max_batch_size
        add(f"{start}truncate-max-batch-size", int, largest, "bytes of a batch, if truncating")
        add(f"{start}truncate-max-event-size", int, delivery.truncate_max_event_size, "bytes of an event, likewise")
        add(f"{start}version", str, delivery.version, "group and version of the events")


def from_arguments(parsed: argparse.Namespace) -> AuditOptions:
    """What was parsed by a parser with these flags. Not checked yet."""
    given: dict[str, Any] = {name.removeprefix(_PREFIX): value for name, value in vars(parsed).items() if name in NAMES}
    given |= {
        name: Delivery(**{each: given.pop(f"{name}_{each}") for each in Delivery._fields}) for name in _DELIVERIES
    }
    return AuditOptions(**given)
