"""The figures, one function each; `__main__.py` puts them into a table.

Every one starts from a server in a fresh folder, as a user would run it, and talks to it over TLS.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from bench import client
from bench.aggregated import register_wardle
from bench.client import Connection
from bench.server import BenchServer
from generic.types import JSONObject

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
MANY = 10_000
_KIBIBYTE = "x" * 880
"""Of data: with its metadata the object is about 1 KiB as JSON."""


@contextmanager
def running(*flags: str) -> Iterator[BenchServer]:
    folder = Path(tempfile.mkdtemp(prefix="trikube-bench-"))
    server = BenchServer(folder / "data", *flags)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def configmap(name: str) -> JSONObject:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": _KIBIBYTE}}


def first_starts(runs: int) -> list[float]:
    """Milliseconds to ready, PKI and bootstrap objects made on the way."""
    times = []
    for _ in range(runs):
        folder = Path(tempfile.mkdtemp(prefix="trikube-bench-"))
        server = BenchServer(folder / "data")
        times.append(server.start() * 1000)
        server.stop()
        shutil.rmtree(folder)
    return times


def restarts(runs: int) -> list[float]:
    """Milliseconds to ready of a server that has run before."""
    with running() as server:
        times = []
        for _ in range(runs):
            server.stop()
            times.append(server.start() * 1000)
        return times


def gets(server: BenchServer, runs: int) -> list[float]:
    """GET/s of one ConfigMap of 1 KiB, 16 clients."""
    asyncio.run(client.rate(server, lambda _: [client.send("POST", CONFIGMAPS, configmap("one"))], clients=1))
    request = client.get(f"{CONFIGMAPS}/one")
    return [asyncio.run(client.rate(server, lambda _: [request] * 250, clients=16)) for _ in range(runs)]


def creates(server: BenchServer, runs: int, *, clients: int, each: int) -> list[float]:
    """Durable CREATE/s."""

    def once(run: int) -> float:
        def requests(number: int) -> Sequence[bytes]:
            names = (f"c{clients}-{run}-{number}-{i}" for i in range(each))
            return [client.send("POST", CONFIGMAPS, configmap(name)) for name in names]

        return asyncio.run(client.rate(server, requests, clients=clients))

    return [once(run) for run in range(runs)]


def fill(server: BenchServer, count: int) -> None:
    """So many ConfigMaps of 1 KiB in the namespace `default`."""

    def requests(number: int) -> Sequence[bytes]:
        return [client.send("POST", CONFIGMAPS, configmap(f"fill-{number}-{i}")) for i in range(count // 32)]

    asyncio.run(client.rate(server, requests, clients=32))


def lists(server: BenchServer, runs: int) -> list[float]:
    """Milliseconds of a LIST of everything, from the request to its last byte."""

    async def once() -> float:
        connection = await Connection.open(server)
        started = perf_counter()
        status, _ = await connection.call(client.get(CONFIGMAPS))
        seconds = perf_counter() - started
        await connection.close()
        if status != 200:
            raise SystemExit(f"LIST answered {status}")
        return seconds * 1000

    return [asyncio.run(once()) for _ in range(runs)]


def watched(server: BenchServer, runs: int, *, watchers: int, writes: int) -> list[float]:
    """Events per second that arrive at all watchers together, while 16 clients write."""
    return [asyncio.run(_watched(server, watchers, writes, run)) for run in range(runs)]


async def _watched(server: BenchServer, watchers: int, writes: int, run: int) -> float:
    opened = [await Connection.open(server) for _ in range(watchers)]
    for connection in opened:
        await connection.begin(client.get(f"{CONFIGMAPS}?watch=true&labelSelector=run=w{watchers}-{run}"))
    clients = 16

    def requests(number: int) -> Sequence[bytes]:
        made = []
        for i in range(writes // clients):
            obj = configmap(f"w{watchers}-{run}-{number}-{i}")
            obj["metadata"]["labels"] = {"run": f"w{watchers}-{run}"}
            made.append(client.send("POST", CONFIGMAPS, obj))
        return made

    total = writes // clients * clients
    started = perf_counter()
    readers = [asyncio.create_task(count_events(connection, total)) for connection in opened]
    await client.rate(server, requests, clients=clients)
    await asyncio.gather(*readers)
    seconds = perf_counter() - started
    await asyncio.gather(*(connection.close() for connection in opened))
    return watchers * total / seconds


async def count_events(connection: Connection, expected: int) -> None:
    """Read a watch until so many objects were added."""
    seen, tail = 0, b""
    while seen < expected:
        data = await connection.read()
        if not data:
            raise SystemExit(f"a watch ended after {seen} of {expected} events")
        # An event's first words may be cut in two by the end of a read.
        seen += (tail + data).count(b'{"type":"ADDED"') - tail.count(b'{"type":"ADDED"')
        tail = data[-14:]


def proxied(runs: int) -> list[float]:
    """GET/s of a flunder through the aggregator, 16 clients."""
    with running() as server, register_wardle(server) as path:
        request = client.get(path)
        return [asyncio.run(client.rate(server, lambda _: [request] * 60, clients=16)) for _ in range(runs)]


async def timed(connection: Connection, request: bytes, count: int) -> AsyncIterator[float]:
    """Seconds of each call."""
    for _ in range(count):
        started = perf_counter()
        status, body = await connection.call(request)
        if status != 200:
            raise SystemExit(f"status {status}: {body[:300]!r}")
        yield perf_counter() - started
