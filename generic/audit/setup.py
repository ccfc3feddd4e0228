"""The auditor that the options ask for: policy, back ends, and what stands in front of each.

Loaded by `options` alone, and only where audit is asked for. Mirrors ApplyTo of
`apiserver/pkg/server/options/audit.go`.
"""

import asyncio
import logging
from pathlib import Path

from generic.audit import policy_file
from generic.audit.auditor import Auditor
from generic.audit.buffered import Batching, BufferedBackend
from generic.audit.interface import Backend, IgnoringErrors, Union
from generic.audit.log import LogBackend, StandardOutput, Writer
from generic.audit.metrics import AuditMetrics
from generic.audit.options import BLOCKING, BLOCKING_STRICT, STANDARD_OUTPUT, AuditOptions, Delivery
from generic.audit.rotating_file import MEGABYTE, RotatingFile, Rotation
from generic.audit.truncating import Limits, TruncatingBackend
from generic.audit.webhook import WebhookBackend
from generic.client import kubeconfig
from generic.client.kubeconfig import KubeconfigError
from generic.client.rest import Client
from generic.metrics import Metrics

_LOG = logging.getLogger(__name__)


def build(options: AuditOptions, metrics: Metrics) -> Auditor | None:
    """`options`: with a policy file. None if there is no back end. Raises ValueError in one line."""
    if options.policy_file is None:
        raise ValueError("an auditor needs a policy")
    try:
        policy = policy_file.load(options.policy_file)
    except ValueError as error:
        raise ValueError(f"loading audit policy file: {error}") from None
    if not options.log_path and options.webhook_config_file is None:
        _LOG.info("no audit back end configured, no events will be recorded")
        return None
    audit_metrics, stopping = AuditMetrics(metrics), asyncio.Event()
    backends: list[Backend] = []
    if options.log_path:
        log = LogBackend(_writer(options), options.log_format, audit_metrics)
        backends.append(_delivered(log, options.log, audit_metrics, beside=False))
    if options.webhook_config_file is not None:
        client = _client(options.webhook_config_file)
        webhook = WebhookBackend(
            client, audit_metrics, initial_backoff=options.webhook_initial_backoff, stopping=stopping
        )
        backends.append(_delivered(webhook, options.webhook, audit_metrics, beside=True))
    backend = backends[0] if len(backends) == 1 else Union(backends)
    return Auditor(policy, backend, audit_metrics, stopping=stopping)


def _writer(options: AuditOptions) -> Writer:
    if options.log_path == STANDARD_OUTPUT:
        return StandardOutput()
    rotation = Rotation(
        max_size=options.log_maxsize * MEGABYTE,
        max_backups=options.log_maxbackup,
        max_age=options.log_maxage,
        compress=options.log_compress,
    )
    try:
        return RotatingFile(Path(options.log_path), rotation)
    except OSError as error:
        raise ValueError(f"--audit-log-path {options.log_path}: {error.strerror}") from None


def _client(path: Path) -> Client:
    try:
        return Client.connect(kubeconfig.load(path))
    except KubeconfigError as error:
        raise ValueError(f"initializing audit webhook: {error}") from None


def _delivered(backend: Backend, delivery: Delivery, metrics: AuditMetrics, *, beside: bool) -> Backend:
    """Whether requests wait for it, and how large its events may be."""
    if delivery.mode == BLOCKING:
        backend = IgnoringErrors(backend)
    elif delivery.mode != BLOCKING_STRICT:
        batching = Batching(
            buffer_size=delivery.batch_buffer_size,
            max_size=delivery.batch_max_size,
            max_wait=delivery.batch_max_wait,
            qps=delivery.batch_throttle_qps if delivery.batch_throttle_enable else 0.0,
            burst=delivery.batch_throttle_burst,
            beside=beside,
        )
        backend = BufferedBackend(backend, batching, metrics)
    if delivery.truncate_enabled:
        limits = Limits(event=delivery.truncate_max_event_size, batch=delivery.truncate_max_batch_size)
        backend = TruncatingBackend(backend, limits, metrics)
    return backend
