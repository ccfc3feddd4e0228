"""The first and the third tier alone audit and trace as the whole does, by the same flags."""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import orjson
import pytest

from generic.client import kubeconfig
from tests.support import plane
from tests.support.collector import Collector, collecting
from trikube import extensions_standalone, observing, standalone
from trikube.extensions_standalone import ExtensionsOptions
from trikube.observing import Observing
from trikube.standalone import StandaloneOptions

pytestmark = pytest.mark.anyio

ASKED = "/apis"


def observed(folder: Path, collector: Collector) -> Observing:
    """Everything that shows how a server does, switched on by its flags."""
    (folder / "policy.yaml").write_text(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n"
        "rules: [{level: Metadata, users: [kubernetes-admin], nonResourceURLs: [/apis]}]"
    )
    (folder / "tracing.yaml").write_text(
        "apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration\n"
        f"endpoint: {collector.endpoint}\nsamplingRatePerMillion: 1000000\n"
    )
    parser = argparse.ArgumentParser()
    observing.add_flags(parser)
    flags = {
        "audit-policy-file": folder / "policy.yaml",
        "audit-log-path": folder / "audit.log",
        "tracing-config-file": folder / "tracing.yaml",
        "livez-grace-period": "1m",
    }
    return observing.from_arguments(parser.parse_args([f"--{flag}={value}" for flag, value in flags.items()]))


@contextlib.asynccontextmanager
async def serving(
    run: Callable[[asyncio.Event, Callable[[str], None]], Awaitable[None]], config: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the administrator whom `config` names."""
    stop, listening = asyncio.Event(), asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(run(stop, listening.set_result))
    await asyncio.wait((task, listening), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        verify = kubeconfig.load(config).ssl_context()
        async with httpx.AsyncClient(base_url=listening.result(), verify=verify) as client:
            yield client
    finally:
        stop.set()
        await task


def audited(folder: Path) -> list[tuple[str, str]]:
    events = [orjson.loads(line) for line in (folder / "audit.log").read_bytes().splitlines()]
    return [(event["stage"], event["requestURI"]) for event in events]


async def test_the_third_tier(tmp_path: Path) -> None:
    async with collecting() as collector:
        options = ExtensionsOptions(tmp_path / "data", secure_port=0, observing=observed(tmp_path, collector))
        run = extensions_standalone.run
        async with serving(lambda stop, say: run(options, stop, on_listening=say), options.kubeconfig) as client:
            assert (await client.get(ASKED)).status_code == 200
            assert (await client.get("/livez")).text == "ok"
    assert audited(tmp_path) == [("ResponseComplete", ASKED)]
    assert collector.resource["service.instance.id"].startswith("apiextensions-apiserver-")
    assert ASKED in [span.attributes.get("url.path") for span in collector.spans]


async def test_the_first_tier(tmp_path: Path) -> None:
    async with collecting() as collector, plane.running(tmp_path / "behind") as behind:
        options = StandaloneOptions(
            behind.options.kubeconfig,
            tmp_path / "data",
            secure_port=0,
            observing=observed(tmp_path, collector),
        )
        run, config = standalone.run, tmp_path / "data" / standalone.KUBECONFIG
        async with serving(lambda stop, say: run(options, stop, on_listening=say), config) as client:
            assert (await client.get(ASKED)).status_code == 200
    assert audited(tmp_path) == [("ResponseComplete", ASKED)]
    assert collector.resource["service.instance.id"].startswith("kube-aggregator-")
    assert ASKED in [span.attributes.get("url.path") for span in collector.spans]
