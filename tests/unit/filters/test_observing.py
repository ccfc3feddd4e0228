"""What is counted and logged of a request, and the order of the chain."""

import logging

import pytest

from generic.endpoints import responses
from generic.filters import chain as handler_chain
from generic.filters.chain import ChainConfig
from generic.filters.in_flight import InFlight
from generic.filters.latency import series_key
from generic.metrics import Metrics
from generic.request.info import resolve
from generic.types import Receive, Scope, Send
from tests.support.asgi import call
from tests.support.chain import Always, Rules, chain

pytestmark = pytest.mark.anyio

PODS = ("LIST", "", "", "v1", "pods", "", "namespace")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(process=False)


async def missing(scope: Scope, receive: Receive, send: Send) -> None:
    await responses.send_text(scope, send, "404 page not found\n", status=404)


async def test_requests_are_counted_under_kubernetes_names(metrics: Metrics) -> None:
    await call(chain(metrics=metrics), "/api/v1/namespaces/a/pods")
    exposition, content_type = metrics.render()
    labels = 'component="apiserver",dry_run="",group="",resource="pods",scope="namespace",subresource="",verb="LIST"'
    text = exposition.decode()
    counts = [line for line in text.splitlines() if line.startswith("apiserver_request_total{")]
    assert len(counts) == 1
    assert counts[0].endswith(" 1.0")
    for label in (*labels.split(","), 'version="v1"', 'code="200"'):
        assert label in counts[0]
    assert "apiserver_request_duration_seconds_bucket{" in text
    assert "apiserver_response_sizes_sum{" in text
    assert content_type.startswith(b"text/plain")


@pytest.mark.parametrize(
    ("method", "path", "verb", "scope"),
    [
        ("GET", "/api/v1/pods", "LIST", "cluster"),
        ("GET", "/api/v1/namespaces/a/pods/x", "GET", "resource"),
        ("POST", "/api/v1/namespaces/a/pods", "POST", "resource"),
        ("PUT", "/api/v1/namespaces/a/pods/x", "PUT", "resource"),
        ("DELETE", "/api/v1/namespaces/a/pods", "DELETECOLLECTION", "namespace"),
        ("GET", "/api/v1/pods?watch=1", "WATCH", "cluster"),
        ("HEAD", "/healthz", "GET", ""),
        ("BREW", "/healthz", "other", ""),
    ],
)
def test_labels_of_a_request(method: str, path: str, verb: str, scope: str) -> None:
    path, _, query = path.partition("?")
    key = series_key(resolve(method, path, query))
    assert (key[0], key[-1]) == (verb, scope)


async def test_refusals_are_counted_with_their_code(metrics: Metrics) -> None:
    await call(chain(metrics=metrics), "/api/v1/namespaces/a/pods")
    await call(chain(metrics=metrics, authorizer=Rules(lambda _: False)), "/api/v1/namespaces/a/pods")
    await call(chain(metrics=metrics, authenticator=Always(None)), "/api/v1/namespaces/a/pods")
    assert [metrics.requests.count(PODS, code) for code in (200, 403, 401)] == [1, 1, 1]


async def test_panics_are_counted_as_500(metrics: Metrics) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError

    await call(chain(metrics=metrics), "/api/v1/namespaces/a/pods")
    await call(chain(broken, metrics=metrics), "/api/v1/namespaces/a/pods")
    assert metrics.requests.count(PODS, 500) == 1


async def test_names_strangers_invent_make_no_series(metrics: Metrics) -> None:
    for number in range(50):
        await call(chain(missing, metrics=metrics), f"/apis/g{number}/v1/things{number}")
        await call(chain(missing, metrics=metrics), f"/path{number}")
    counts = [line for line in metrics.render()[0].decode().splitlines() if line.startswith("apiserver_request_total{")]
    assert len(counts) == 2  # one for LIST, one for GET
    assert metrics.requests.count(("GET", "", "", "", "", "", ""), 404) == 50


async def test_nothing_is_kept_of_long_running_requests_that_are_over(metrics: Metrics) -> None:
    """Whoever may not even be served can ask for any number of logs."""
    for number in range(50):
        await call(chain(missing, metrics=metrics), f"/apis/g{number}/v1/namespaces/a/things/x/log")
    exposition = metrics.render()[0].decode()
    assert not [line for line in exposition.splitlines() if line.startswith("apiserver_longrunning_requests{")]


def test_labels_without_number_are_not_counted_without_end(metrics: Metrics) -> None:
    for number in range(20_000):
        metrics.terminations.add(f"method{number}", "429")
    metrics.terminations.add("method7", "429")
    shown = [text for text in metrics.render()[0].decode().splitlines() if "request_terminations_total{" in text]
    assert len(shown) == 10_000
    assert metrics.terminations.value("method7", "429") == 2


async def test_long_running_requests_are_shown_while_they_run(metrics: Metrics) -> None:
    shown: list[float] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        shown.append(metrics.long_running.value("WATCH", "", "v1", "pods", "", "cluster", "apiserver"))

    await call_unanswered(chain(app, metrics=metrics), "/api/v1/pods?watch=1")
    assert shown == [1]
    assert metrics.long_running.value("WATCH", "", "v1", "pods", "", "cluster", "apiserver") == 0


async def call_unanswered(app: object, path: str) -> None:
    await call(app, path)  # type: ignore[arg-type]


def test_process_metrics_are_there_by_default() -> None:
    assert b"process_resident_memory_bytes" in Metrics().render()[0]


async def test_http_log_has_one_line_a_request(caplog: pytest.LogCaptureFixture) -> None:
    headers = {"User-Agent": "kubectl", "Audit-ID": "mine"}
    with caplog.at_level(logging.INFO, logger="generic.filters.http_log"):
        await call(chain(http_logging=True), "/api/v1/pods?limit=5", headers=headers)
    [record] = [record for record in caplog.records if record.name == "generic.filters.http_log"]
    line = record.getMessage()
    for part in ("verb='list'", "URI='/api/v1/pods?limit=5'", "user='bob'", "userAgent='kubectl'", "audit-ID='mine'"):
        assert part in line
    assert line.endswith(" resp=200 hops=authorization=allow")


async def test_http_log_cannot_be_forged_by_a_path(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="generic.filters.http_log"):
        await call(chain(http_logging=True), "/a\nHTTP verb='delete'")
    assert all("\n" not in record.getMessage() for record in caplog.records)


async def test_http_log_is_off_by_default(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        await call(chain(), "/api/v1/pods")
    assert [record for record in caplog.records if record.name == "generic.filters.http_log"] == []


def names(**changes: object) -> list[str]:
    config = ChainConfig(
        authenticator=Always(),
        authorizer=Rules(),
        in_flight=InFlight(),
        is_mux_complete=lambda: True,
        **changes,  # type: ignore[arg-type]
    )
    # A filter is a function `with_x`, or the `wrap` that one made.
    return [one.__qualname__.removeprefix("InFlight.").split(".")[0] for one in handler_chain.filters(config)]


def test_filters_stand_in_kubernetes_order() -> None:
    everything = names(
        metrics=Metrics(process=False),
        http_logging=True,
        retry_after_while=lambda: False,
        goaway_chance=0.01,
        cors_allowed_origins=("x",),
    )
    assert everything == [
        "with_arrival",
        "with_panic_recovery",
        "with_mux_complete",
        "with_received_timestamp",
        "with_latency_tracking",
        "with_http_logging",
        "with_retry_after",
        "with_headers",
        "with_probabilistic_goaway",
        "with_watch_termination",
        "with_wait_group",
        "with_request_deadline",
        "with_timeout",
        "with_cors",
        "with_authentication",
        "with_impersonation",
        "with_max_in_flight",
        "with_authorization",
    ]


def test_filters_not_configured_are_not_in_the_chain() -> None:
    optional = {
        "with_latency_tracking",
        "with_http_logging",
        "with_retry_after",
        "with_probabilistic_goaway",
        "with_cors",
    }
    assert optional.isdisjoint(names())
