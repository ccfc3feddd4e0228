"""One trace from the client through the aggregator to a server made with the library."""

from pathlib import Path

import pytest

from examples.podlogs.__main__ import SERVER
from generic.tracing.options import TracingOptions
from tests.integration.aa.harness import running
from tests.integration.aa.test_aggregated import PATH, VERSION, register
from tests.support import plane
from tests.support.collector import collecting

pytestmark = pytest.mark.anyio

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


async def test_a_trace_goes_through_the_aggregator_to_the_server_behind_it(tmp_path: Path) -> None:
    async with collecting() as collector:
        file = tmp_path / "tracing.yaml"
        head = "apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration\n"
        file.write_text(f"{head}endpoint: {collector.endpoint}\n")
        async with plane.running(tmp_path / "plane", tracing=TracingOptions(file)) as main:
            behind = {"standalone": False, "kubeconfig": main.options.kubeconfig, "tracing_config_file": file}
            async with running(SERVER, tmp_path / "aa", **behind) as served:
                await register(main, served.listening.port, (tmp_path / "aa" / "certs" / "ca.crt").read_bytes())
                asked = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
                assert (await main.http.get(PATH, headers=asked)).status_code == 200
        spans = {span.span: span for span in collector.spans if span.trace == TRACE}
        (front,) = [span for span in spans.values() if span.parent == SPAN]
        (asking,) = [span for span in spans.values() if span.parent == front.span]
        (behind_it,) = [span for span in spans.values() if span.parent == asking.span]
        assert front.name == behind_it.name == f"GET {VERSION.path}/namespaces/{{:namespace}}/programs"
        assert (asking.name, asking.kind, asking.failed) == ("HTTP GET", 3, False)
        assert asking.attributes["url.full"] == f"https://127.0.0.1:{served.listening.port}{PATH}"
        assert front.seconds > asking.seconds > behind_it.seconds
