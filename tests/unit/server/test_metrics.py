"""What dashboards and alerts of Kubernetes look for, beside the requests (`filters/test_observing.py`)."""

import pytest

from generic import health
from generic.authentication.authority import CertificateAuthority
from generic.authentication.x509 import X509Authenticator
from generic.client.queue_metrics import QueueMetrics
from generic.client.workqueue import WorkQueue
from generic.delegation import EmptyDelegate
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.health import HealthCheck
from generic.meta import errors
from generic.metrics import Metrics
from generic.request import context
from generic.server import GenericServer
from generic.types import Receive, Scope, Send
from generic.version import VersionInfo
from tests.support.asgi import call, scope
from tests.support.certificates import Authority, tls
from tests.support.chain import Always, Rules, chain, ok

pytestmark = pytest.mark.anyio

PODS = "/api/v1/namespaces/a/pods"


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(process=False)


def lines(metrics: Metrics, name: str) -> list[str]:
    return [line for line in metrics.render()[0].decode().splitlines() if line.startswith((f"{name}{{", f"{name} "))]


async def test_authentications_keep_their_names_without_total(metrics: Metrics) -> None:
    await call(chain(metrics=metrics), PODS)
    await call(chain(metrics=metrics, authenticator=Always(None)), PODS)
    assert sorted(lines(metrics, "authentication_attempts")) == [
        'authentication_attempts{result="failure"} 1.0',
        'authentication_attempts{result="success"} 1.0',
    ]
    assert lines(metrics, "authenticated_user_requests") == ['authenticated_user_requests{username="other"} 1.0']
    assert len(lines(metrics, "authentication_duration_seconds_count")) == 2


async def test_authorizations_are_counted_by_what_they_said(metrics: Metrics) -> None:
    class Broken(Rules):
        async def authorize(self, attributes: object) -> object:  # type: ignore[override]
            raise errors.internal_error("no connection")

    for rules in (Rules(), Rules(lambda _: False), Broken()):
        await call(chain(metrics=metrics, authorizer=rules), PODS)
    assert sorted(lines(metrics, "authorization_attempts_total")) == [
        'authorization_attempts_total{result="allowed"} 1.0',
        'authorization_attempts_total{result="error"} 1.0',
        'authorization_attempts_total{result="no-opinion"} 1.0',
    ]


async def test_the_indicator_leaves_out_what_a_request_waited(metrics: Metrics) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        context.of(scope).queued = 1000
        await ok(scope, receive, send)

    await call(chain(app, metrics=metrics), PODS)
    (whole,), (indicator,) = (lines(metrics, f"apiserver_request_{name}duration_seconds_sum") for name in ("", "sli_"))
    assert float(whole.split()[-1]) - float(indicator.split()[-1]) == pytest.approx(1000)
    assert "dry_run" not in indicator


async def test_the_events_of_watches_are_counted_as_they_are_sent(metrics: Metrics) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        count = context.of(scope).count_events
        assert count is not None
        count(3)
        assert metrics.watch_events.value("apps", "v1", "deployments") == 3
        await ok(scope, receive, send)

    await call(chain(app, metrics=metrics), "/apis/apps/v1/deployments?watch=1")


async def test_certificates_are_seen_with_what_is_left_of_them(metrics: Metrics) -> None:
    authority = Authority()
    authenticator = X509Authenticator(
        CertificateAuthority(authority.pem),
        seen=lambda seconds: metrics.certificate_expiration.observe(value=seconds),
    )
    for _ in range(2):
        assert await authenticator.authenticate(scope(tls=tls(authority.client(days=(-1, 1)))))
    name = "apiserver_client_certificate_expiration_seconds_bucket"
    seen = [line for line in lines(metrics, name) if 'le="43200"' in line or 'le="86400"' in line]
    assert [line.split()[-1] for line in seen] == ["0.0", "2.0"]


def test_the_build_says_what_version_says(metrics: Metrics) -> None:
    metrics.show_build(VersionInfo("1.37", "9.9", "1.35").to_object())
    (build,), (version,) = lines(metrics, "kubernetes_build_info"), lines(metrics, "version_info")
    assert 'git_version="v1.37.0+trikube-9.9"' in build
    assert version == 'version_info{binary="1.37.0",component="kube",emulation="1.35",min_compat="1.34"} 1.0'


async def test_queues_of_one_name_are_counted_together(metrics: Metrics) -> None:
    queues: list[WorkQueue[str]] = [WorkQueue("twins"), WorkQueue("twins")]
    for queue in queues:
        queue.add("a")
        queue.add("a")
    key = await queues[0].get()
    queues[0].done(key)
    queues[0].add_rate_limited(key)
    metrics.registry.register(QueueMetrics())
    shown = {
        name: [float(line.split()[-1]) for line in lines(metrics, f"workqueue_{name}") if 'name="twins"' in line]
        for name in ("adds_total", "depth", "retries_total", "queue_duration_seconds_count")
    }
    assert shown == {"adds_total": [2], "depth": [1], "retries_total": [1], "queue_duration_seconds_count": [1]}
    for queue in queues:
        queue.shut_down()


async def test_the_results_of_checks_are_kept_apart(metrics: Metrics) -> None:
    well = True

    async def check() -> None:
        if not well:
            raise RuntimeError

    server = GenericServer("it", EmptyDelegate(), discovery=DiscoveryManager())
    server.install_metrics(metrics)
    server.add_health_check(HealthCheck("one", check))
    await server.prepare_to_run()
    server.install_shared_paths()
    await call(server, "/livez")
    well = False
    await call(server, "/livez")
    await call(server, "/livez/one")
    answer = await call(server, "/metrics/slis")
    assert {
        'kubernetes_healthcheck{name="one",type="livez"} 0.0',
        f'kubernetes_healthcheck{{name="{health.PING.name}",type="livez"}} 1.0',
        'kubernetes_healthchecks_total{name="one",status="success",type="livez"} 1.0',
        'kubernetes_healthchecks_total{name="one",status="error",type="livez"} 1.0',
    } <= set(answer.body.decode().splitlines())
    assert not lines(metrics, "kubernetes_healthcheck")


async def test_a_scraper_may_have_it_compressed(metrics: Metrics) -> None:
    server = GenericServer("it", EmptyDelegate(), discovery=DiscoveryManager())
    server.install_metrics(metrics)
    plain = await call(server, "/metrics")
    packed = await call(server, "/metrics", headers={"Accept-Encoding": "gzip"})
    assert packed.header("content-encoding") == "gzip"
    assert len(packed.body) < len(plain.body)
