"""What the proxy costs: the sample aggregated server asked directly and through the aggregator, one function a figure.

Called by `__main__.py`.
"""

import asyncio
import contextlib
import multiprocessing
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlsplit

import orjson

from bench import client, figures, misbehaving
from bench.aggregated import register_wardle
from bench.client import Connection, Reachable
from bench.server import BenchServer
from generic.client import kubeconfig
from generic.types import JSONObject
from trikube.pki import layout

_GROUP_VERSION = "wardle.example.com/v1alpha1"
_FLUNDERS = f"/apis/{_GROUP_VERSION}/namespaces/default/flunders"
_APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
_LOCAL = "/api/v1/namespaces/default"
_WARM_UP = 1.0
_TURNS = 5


@dataclass(frozen=True)
class Direct:
    """The sample server itself, for an administrator."""

    host: str
    port: int
    ssl: ssl.SSLContext


@dataclass(frozen=True)
class Both:
    """A control plane, the sample server behind it, and the path of an object there."""

    server: BenchServer
    direct: Direct
    path: str


@contextmanager
def both() -> Iterator[Both]:
    with figures.running() as server, register_wardle(server) as path:
        folder = server.folder.parent / "wardle"
        context = ssl.create_default_context(cafile=folder / "ca.crt")
        context.check_hostname = False
        pki = server.folder / "pki"
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        host, port = asyncio.run(_endpoint(server))
        yield Both(server, Direct(host, port, context), path)


async def _endpoint(server: BenchServer) -> tuple[str, int]:
    found = await _get(server, "/apis/discovery.k8s.io/v1/namespaces/wardle/endpointslices")
    one = found["items"][0]
    return one["endpoints"][0]["addresses"][0], one["ports"][0]["port"]


def added_latency(target: Both, runs: int) -> tuple[list[float], list[float]]:
    """Milliseconds a GET of 1 client takes longer through the proxy: median and 99th percentile."""
    medians, tails = [], []
    for _ in range(runs):
        request = client.get(target.path)
        direct = asyncio.run(_times(target.direct, request, 300))
        through = asyncio.run(_times(target.server, request, 300))
        medians.append(median(through) - median(direct))
        tails.append(_p99(through) - _p99(direct))
    return medians, tails


def throughput_ratio(target: Both, runs: int) -> list[float]:
    """GET/s of 16 clients through the proxy, divided by GET/s of the same directly."""
    request = client.get(target.path)

    def rate(server: Reachable) -> float:
        return asyncio.run(client.rate(server, lambda _: [request] * 60, clients=16))

    return [rate(target.server) / rate(target.direct) for _ in range(runs)]


def watch_events(target: Both, runs: int, *, events: int = 400) -> list[float]:
    """Events per second to one watcher through the proxy, while 8 clients write directly."""
    return [asyncio.run(_watch_events(target, events, run)) for run in range(runs)]


async def _watch_events(target: Both, events: int, run: int) -> float:
    watcher = await Connection.open(target.server)
    await watcher.begin(client.get(f"{_FLUNDERS}?watch=true&labelSelector=run%3Dr{run}"))

    def requests(number: int) -> list[bytes]:
        return [client.send("POST", _FLUNDERS, _flunder(f"r{run}-{number}-{i}", run)) for i in range(events // 8)]

    started = perf_counter()
    reading = asyncio.create_task(figures.count_events(watcher, events))
    await client.rate(target.direct, requests, clients=8)
    await reading
    seconds = perf_counter() - started
    await watcher.close()
    return events / seconds


def _flunder(name: str, run: int) -> JSONObject:
    metadata = {"name": name, "labels": {"run": f"r{run}"}}
    return {"apiVersion": _GROUP_VERSION, "kind": "Flunder", "metadata": metadata, "spec": {"reference": "none"}}


def creation_to_available(target: Both, runs: int) -> list[float]:
    """Milliseconds from the creation of an APIService to its condition Available."""
    return [asyncio.run(_creation_to_available(target.server)) for _ in range(runs)]


async def _creation_to_available(server: BenchServer) -> float:
    path = f"{_APISERVICES}/v1alpha1.wardle.example.com"
    found = await _get(server, path)
    name = found["metadata"]["name"]
    connection = await Connection.open(server)
    await connection.call(f"DELETE {path} HTTP/1.1\r\nhost: bench\r\n\r\n".encode())
    watcher = await Connection.open(server)
    await watcher.begin(client.get(f"{_APISERVICES}?watch=true&fieldSelector=metadata.name%3D{name}"))
    made = {key: found[key] for key in ("apiVersion", "kind", "spec")}
    made["metadata"] = {"name": name}
    started = perf_counter()
    status, body = await connection.call(client.send("POST", _APISERVICES, made))
    if status >= 300:
        raise SystemExit(f"status {status}: {body[:300]!r}")
    seen = b""
    while b'"reason":"Passed"' not in seen:
        seen += await watcher.read()
    milliseconds = (perf_counter() - started) * 1000
    await asyncio.gather(connection.close(), watcher.close())
    return milliseconds


def p99_beside_misbehaving(runs: int) -> list[float]:
    """The 99th percentile of a local GET while three servers misbehave, divided by that while none does."""
    with figures.running() as server, _misbehaving(server):
        return [_p99_ratio(server) for _ in range(runs)]


def _p99_ratio(server: BenchServer) -> float:
    """In turns, medians of both: on a busy machine either alone says little."""
    # Callers of the misbehaving servers are a process of their own: reading what they get takes time, too.
    victims = multiprocessing.get_context("spawn").Process(target=suffer, args=(str(server.kubeconfig),), daemon=True)
    victims.start()
    assert victims.pid is not None
    alone, beside = [], []
    try:
        time.sleep(_WARM_UP)
        for _ in range(_TURNS):
            beside.append(asyncio.run(_loaded(server)))
            os.kill(victims.pid, signal.SIGSTOP)
            alone.append(asyncio.run(_loaded(server)))
            os.kill(victims.pid, signal.SIGCONT)
    finally:
        victims.kill()
        victims.join()
    return median(beside) / median(alone)


async def _loaded(server: BenchServer) -> float:
    """The 99th percentile of local GETs, milliseconds, of 4 clients."""
    times = await asyncio.gather(*(_times(server, client.get(_LOCAL), 300) for _ in range(4)))
    return _p99([one for each in times for one in each])


def suffer(path: str, hows: Sequence[str] = misbehaving.HOWS) -> None:
    """One client of each server that misbehaves, for ever."""
    config = kubeconfig.load(Path(path))
    url = urlsplit(config.server)
    server = Direct(url.hostname or "", url.port or 443, config.ssl_context())

    async def all_of_them() -> None:
        await asyncio.gather(*(_suffer(server, how) for how in hows))

    asyncio.run(all_of_them())


async def _suffer(server: Reachable, how: str) -> None:
    """A client that reads whatever it is sent, a little slowly."""
    while True:
        connection = await Connection.open(server)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await connection.begin(client.get(f"/apis/{misbehaving.GROUP}/v1/namespaces/default/{how}"))
            while await connection.read():  # noqa: ASYNC110, it is slow on purpose
                await asyncio.sleep(0.05)
        await connection.close()
        await asyncio.sleep(0.05)


@contextmanager
def _misbehaving(server: BenchServer) -> Iterator[None]:
    """Registered as one APIService, whose paths say how."""
    pki = layout.ensure(server.folder / "pki")
    command = [sys.executable, "-m", "bench.misbehaving", str(pki.serving_cert), str(pki.serving_key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        asyncio.run(_register(server, int(process.stdout.readline())))
        try:
            yield
        finally:
            process.kill()


async def _register(server: BenchServer, port: int) -> None:
    namespace = "/namespaces/default"
    ports = [{"name": "https", "port": 443}]
    labels = {"kubernetes.io/service-name": "bad"}
    objects: list[tuple[str, JSONObject]] = [
        (f"/api/v1{namespace}/services", {"metadata": {"name": "bad"}, "spec": {"ports": ports}}),
        (
            f"/apis/discovery.k8s.io/v1{namespace}/endpointslices",
            {
                "metadata": {"name": "bad-1", "labels": labels},
                "addressType": "IPv4",
                "endpoints": [{"addresses": ["127.0.0.1"]}],
                "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
            },
        ),
        (
            _APISERVICES,
            {
                "metadata": {"name": f"v1.{misbehaving.GROUP}"},
                "spec": {
                    "group": misbehaving.GROUP,
                    "version": "v1",
                    "groupPriorityMinimum": 1000,
                    "versionPriority": 10,
                    "insecureSkipTLSVerify": True,
                    "service": {"namespace": "default", "name": "bad"},
                },
            },
        ),
    ]
    connection = await Connection.open(server)
    for path, obj in objects:
        status, body = await connection.call(client.send("POST", path, obj))
        if status >= 300:
            raise SystemExit(f"status {status}: {body[:300]!r}")
    while (await connection.call(client.get(f"/apis/{misbehaving.GROUP}/v1")))[0] != 200:  # noqa: ASYNC110, availability is asked for
        await asyncio.sleep(0.01)
    await connection.close()


async def _get(server: BenchServer, path: str) -> JSONObject:
    connection = await Connection.open(server)
    status, body = await connection.call(client.get(path))
    await connection.close()
    if status != 200:
        raise SystemExit(f"status {status}: {body[:300]!r}")
    found: JSONObject = orjson.loads(body)
    return found


async def _times(server: Reachable, request: bytes, count: int) -> list[float]:
    """Milliseconds of each call."""
    connection = await Connection.open(server)
    times = [seconds * 1000 async for seconds in figures.timed(connection, request, count)]
    await connection.close()
    return times


def _p99(times: list[float]) -> float:
    return quantiles(times, n=100)[-1]
