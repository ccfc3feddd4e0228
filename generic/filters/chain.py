"""The handler chain: which filters stand around a server, and in which order.

Built once, around the outermost server only, by `trikube.controlplane` and `trikube.aa`. Mirrors
`DefaultBuildHandlerChain` in `apiserver/pkg/server/config.go`.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from generic.audit.options import Auditing
from generic.authentication.interface import RequestAuthenticator
from generic.authentication.request_header import RequestHeaderOptions
from generic.authorization.interface import Authorizer
from generic.filters import response_headers
from generic.filters.arrival import with_arrival
from generic.filters.authentication import with_authentication
from generic.filters.authorization import with_authorization
from generic.filters.cors import with_cors
from generic.filters.deadline import with_request_deadline, with_timeout
from generic.filters.http_log import with_http_logging
from generic.filters.impersonation import with_impersonation
from generic.filters.in_flight import InFlight
from generic.filters.latency import with_latency_tracking
from generic.filters.max_in_flight import with_max_in_flight
from generic.filters.panic_recovery import with_panic_recovery
from generic.filters.stamps import with_mux_complete, with_received_timestamp
from generic.metrics import Metrics
from generic.tracing.tracer import Tracer
from generic.types import ASGIApp, Filter

MOST_GOAWAY_CHANCE = 0.02


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """What the filters need. Defaults are kube-apiserver's; a filter that is not configured is not in the chain."""

    authenticator: RequestAuthenticator
    authorizer: Authorizer
    in_flight: InFlight
    is_mux_complete: Callable[[], bool]
    metrics: Metrics | None = None
    request_timeout: float = 60.0
    """Seconds a request that is not long-running may take."""
    max_requests_in_flight: int = 400
    max_mutating_requests_in_flight: int = 200
    """0 for no limit, both."""
    priority_and_fairness: Filter | None = None
    """Instead of those two limits."""
    constrained_impersonation: bool = True
    """False before Kubernetes 1.36: the old right to impersonate is the only one."""
    front_proxy: RequestHeaderOptions | None = None
    tracer: Tracer | None = None
    auditor: Auditing | None = None
    cors_allowed_origins: Sequence[str] = field(default=())
    """Regular expressions."""
    hsts_directives: Sequence[str] = field(default=())
    goaway_chance: float = 0.0
    http_logging: bool = False
    retry_after_while: Callable[[], bool] | None = None
    """Answer 429 while this is true (`--shutdown-send-retry-after`)."""

    def __post_init__(self) -> None:
        if not 0 <= self.goaway_chance <= MOST_GOAWAY_CHANCE:
            raise ValueError(f"goaway chance can not be less than 0 or greater than {MOST_GOAWAY_CHANCE}")


def filters(config: ChainConfig) -> list[Filter]:
    """The chain, outermost first."""
    metrics, headers = config.metrics, [response_headers.CACHE_CONTROL]
    if config.hsts_directives:
        headers.insert(0, response_headers.hsts(config.hsts_directives))
    chain: list[Filter | None] = [
        with_arrival,  # audit id, request info, warnings: all that is made first and goes out with the response
        with_panic_recovery,
        with_mux_complete(config.is_mux_complete),
        with_received_timestamp,
        with_latency_tracking(metrics) if metrics else None,
        with_http_logging if config.http_logging else None,
        response_headers.with_retry_after(config.retry_after_while) if config.retry_after_while else None,
        response_headers.with_headers(*headers),
        response_headers.with_probabilistic_goaway(config.goaway_chance) if config.goaway_chance else None,
        config.in_flight.with_watch_termination,
        config.in_flight.with_wait_group,
        with_request_deadline(config.request_timeout, config.auditor),
        with_timeout(metrics),
        with_cors(config.cors_allowed_origins) if config.cors_allowed_origins else None,
        with_authentication(
            config.authenticator, front_proxy=config.front_proxy, metrics=metrics, auditor=config.auditor
        ),
        _with_tracing(config.tracer) if config.tracer else None,
        _with_audit(config.auditor) if config.auditor else None,
        with_impersonation(config.authorizer, constrained=config.constrained_impersonation),
        config.priority_and_fairness
        or with_max_in_flight(config.max_requests_in_flight, config.max_mutating_requests_in_flight, metrics),
        with_authorization(config.authorizer, metrics),
    ]
    return [one for one in chain if one is not None]


def _with_audit(auditor: Auditing) -> Filter:
    """Loaded only where it is asked for."""
    made: Filter = importlib.import_module("generic.filters.audit").with_audit(auditor)
    return made


def _with_tracing(tracer: Tracer) -> Filter:
    """The same."""
    made: Filter = importlib.import_module("generic.filters.tracing").with_tracing(tracer)
    return made


def build_handler_chain(app: ASGIApp, config: ChainConfig) -> ASGIApp:
    """`app` behind all filters."""
    for wrap in reversed(filters(config)):
        app = wrap(app)
    return app
