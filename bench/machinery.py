"""Figures of the API machinery: applies, selective lists, many watchers. Put into the table by `__main__.py`.

Each takes a server that runs, as the functions of `figures.py` do.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter

from bench import client, figures
from bench.client import Connection
from bench.figures import CONFIGMAPS
from bench.server import BenchServer
from generic.types import JSONObject

_APPLY = "application/apply-patch+yaml"
_SHELVES = 100
"""Values of the label that a selective list asks for one of."""


def _deployment(name: str, image: str) -> JSONObject:
    labels = {"app": name}
    container = {
        "name": "main",
        "image": image,
        "ports": [{"containerPort": 80, "protocol": "TCP"}],
        "env": [{"name": f"VARIABLE_{number}", "value": "x"} for number in range(5)],
        "resources": {"limits": {"cpu": "1", "memory": "64Mi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def applies(server: BenchServer, runs: int, *, clients: int = 16, each: int = 40) -> list[float]:
    """Server-side applies of a Deployment per second, each of which changes the image."""

    def once(run: int) -> float:
        def requests(number: int) -> Sequence[bytes]:
            name = f"applied-{number}"
            path = f"/apis/apps/v1/namespaces/default/deployments/{name}?fieldManager=bench"
            return [client.send("PATCH", path, _deployment(name, f"i:{run}-{i}"), _APPLY) for i in range(each)]

        return asyncio.run(client.rate(server, requests, clients=clients))

    return [once(run) for run in range(runs)]


def fill_labelled(server: BenchServer, count: int) -> None:
    """So many ConfigMaps of 1 KiB in the namespace `default`, one in a hundred with each value of the label."""

    def requests(number: int) -> Sequence[bytes]:
        made = []
        for i in range(count // 32):
            obj = figures.configmap(f"labelled-{number}-{i}")
            obj["metadata"]["labels"] = {"shelf": f"s{(number + 32 * i) % _SHELVES}"}
            made.append(client.send("POST", CONFIGMAPS, obj))
        return made

    asyncio.run(client.rate(server, requests, clients=32))


def selective_lists(server: BenchServer, runs: int) -> list[float]:
    """Milliseconds of a LIST by label that finds one in a hundred."""
    request = client.get(f"{CONFIGMAPS}?labelSelector=shelf%3Ds7")

    async def once() -> float:
        connection = await Connection.open(server)
        await connection.call(request)
        started = perf_counter()
        status, body = await connection.call(request)
        seconds = perf_counter() - started
        await connection.close()
        if status != 200 or b'"shelf":"s7"' not in body:
            raise SystemExit(f"LIST answered {status}: {body[:300]!r}")
        return seconds * 1000

    return [asyncio.run(once()) for _ in range(runs)]


def watcher_memory(server: BenchServer, *, watchers: int) -> float:
    """KiB that each of so many idle watches costs the server, its TLS connection included."""

    async def opened() -> float:
        request = client.get(f"{CONFIGMAPS}?watch=true&labelSelector=none%3Dsuch")
        first = await Connection.open(server)
        await first.begin(request)
        before = server.resident()
        connections = [first]
        for _ in range(watchers):
            connection = await Connection.open(server)
            await connection.begin(request)
            connections.append(connection)
        after = server.resident()
        await asyncio.gather(*(connection.close() for connection in connections))
        return (after - before) * 1024 / watchers

    return asyncio.run(opened())
