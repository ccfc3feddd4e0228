"""`--tracing-config-file`: a control plane that tells a collector what it was asked, over real sockets."""

from pathlib import Path

import pytest

from generic.tracing.options import TracingOptions
from tests.support import plane
from tests.support.collector import Collector, Seen, collecting

pytestmark = pytest.mark.anyio

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CALLER = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
MAPS = "/api/v1/namespaces/default/configmaps"


def configuration(folder: Path, collector: Collector, rate: int) -> TracingOptions:
    file = folder / "tracing.yaml"
    head = "apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration\n"
    file.write_text(f"{head}endpoint: {collector.endpoint}\nsamplingRatePerMillion: {rate}\n")
    return TracingOptions(file)


def of_client(spans: list[Seen]) -> Seen:
    """The one that came from outside: the control plane's own clients have other names."""
    (found,) = [span for span in spans if span.attributes["user_agent.original"].startswith("test")]
    return found


async def test_every_request_is_a_span(tmp_path: Path) -> None:
    async with collecting() as collector:
        tracing = configuration(tmp_path, collector, 1_000_000)
        async with plane.running(tmp_path / "plane", tracing=tracing) as served:
            agent = {"user-agent": "test/1"}
            asked = {**agent, **CALLER, "audit-id": "abc", "x-forwarded-for": "192.0.2.9, 192.0.2.1"}
            await served.http.get(f"{MAPS}/none?pretty=true", headers=asked)
            async with served.client("bob") as bob:
                await bob.post(MAPS, json={"metadata": {"name": "it"}}, headers={**agent, **CALLER})
            await served.http.get("/version", headers=agent)
        assert collector.resource["service.name"] == "apiserver"
        assert collector.resource["service.instance.id"].startswith("kube-apiserver-")
        # The administrator's client is believed: its trace goes on here.
        read = of_client(collector.named("GET /api/v1/namespaces/{:namespace}/configmaps/{:name}"))
        assert (read.trace, read.parent, read.kind, read.failed) == (TRACE, SPAN, 2, False)
        port = int(served.url.rpartition(":")[2])
        assert read.attributes.pop("network.peer.port") > 0
        assert read.attributes == {
            "server.address": "127.0.0.1",
            "server.port": port,
            "http.request.method": "GET",
            "url.scheme": "https",
            "network.peer.address": "127.0.0.1",
            "user_agent.original": "test/1",
            "client.address": "192.0.2.9",
            "url.path": f"{MAPS}/none",
            "network.protocol.version": "1.1",
            "http.target": f"{MAPS}/none?pretty=true",
            "audit-id": "abc",
            "http.response.status_code": 404,
        }
        assert {"authorization", "kubeapi"} <= set(read.events)
        assert read.seconds > 0
        # Of anybody else the trace is only named.
        refused = of_client(collector.named("POST /api/v1/namespaces/{:namespace}/configmaps"))
        assert (refused.parent, refused.link) == ("", TRACE)
        assert refused.trace != TRACE
        assert refused.attributes["http.response.status_code"] == 403
        version = of_client(collector.named("GET")).attributes
        assert (version["url.path"], version["http.response.status_code"]) == ("/version", 200)
        assert version["http.response.body.size"] > 100


async def test_without_a_rate_only_what_its_caller_records_is(tmp_path: Path) -> None:
    async with collecting() as collector:
        tracing = configuration(tmp_path, collector, 0)
        async with plane.running(tmp_path / "plane", tracing=tracing) as served:
            await served.http.get(f"{MAPS}/seen", headers=CALLER)
            await served.http.get(f"{MAPS}/unseen")
        assert [span.attributes["url.path"] for span in collector.spans] == [f"{MAPS}/seen"]
