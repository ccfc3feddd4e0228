"""Figures of custom resources: how soon a new definition serves, what its objects cost, what many definitions cost.

Called by `__main__.py`, as `figures.py` is, and measured in the same way: over TLS, against `trikube up`.
"""

import asyncio
from collections.abc import Sequence
from time import perf_counter

from bench import client, figures
from bench.client import Connection
from bench.server import BenchServer
from generic.types import JSONObject

MANY = 1_000
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_OTHER = "/api/v1/namespaces/default"
_PATIENCE = 30.0
_RULES = [
    {"rule": "self.minimum <= self.maximum", "message": "minimum must not exceed maximum"},
    {"rule": "self.names.all(name, name.startsWith('a'))", "message": "names begin with a"},
    {"rule": "self.mode == 'on' || size(self.names) > 0", "message": "off needs names"},
]


def definition(group: str, *, rules: bool = False) -> JSONObject:
    """A namespaced kind `Thing`, with or without rules in CEL."""
    spec: JSONObject = {
        "type": "object",
        "required": ["minimum", "maximum"],
        "properties": {
            "minimum": {"type": "integer", "minimum": 0},
            "maximum": {"type": "integer"},
            "names": {"type": "array", "maxItems": 10, "items": {"type": "string", "maxLength": 20}},
            "mode": {"type": "string", "enum": ["on", "off"], "default": "on"},
            "text": {"type": "string"},
        },
    }
    if rules:
        spec["x-kubernetes-validations"] = _RULES
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
    }
    names = {"plural": "things", "kind": "Thing"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"things.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


def thing(group: str, name: str) -> JSONObject:
    """An object of about 1 KiB."""
    spec = {"minimum": 1, "maximum": 9, "names": [f"a{i}" for i in range(10)], "text": "x" * 500}
    return {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec}


def first_served(server: BenchServer, runs: int) -> list[float]:
    """Milliseconds from sending a definition to the first answer of 200 for what it defines."""

    async def once(group: str) -> float:
        connection = await Connection.open(server)
        started = perf_counter()
        await _make(connection, definition(group))
        await _until_served(connection, group)
        seconds = perf_counter() - started
        await connection.close()
        return seconds * 1000

    return [asyncio.run(once(f"soon{run}.example.com")) for run in range(runs)]


def creates(server: BenchServer, runs: int, *, rules: bool, clients: int = 32, each: int = 30) -> list[float]:
    """Durable CREATE/s of custom resources; with `rules`, three in CEL are checked for each."""
    group = f"{'ruled' if rules else 'plain'}.example.com"
    asyncio.run(_define(server, group, rules=rules))

    def once(run: str, count: int) -> float:
        def requests(number: int) -> Sequence[bytes]:
            path = _collection(group)
            return [client.send("POST", path, thing(group, f"t{run}-{number}-{i}")) for i in range(count)]

        return asyncio.run(client.rate(server, requests, clients=clients))

    once("warm", 1)  # the schema and its rules are compiled for the first object
    return [once(str(run), each) for run in range(runs)]


def latency_while_defining(server: BenchServer, runs: int, *, count: int = 200) -> list[float]:
    """Milliseconds that 99 of 100 GETs of others take at most, while 4 clients make so many definitions."""

    async def once(run: int) -> float:
        def requests(number: int) -> Sequence[bytes]:
            mine = range(number, count, 4)
            return [client.send("POST", DEFINITIONS, definition(f"busy{run}-{i}.example.com")) for i in mine]

        connection = await Connection.open(server)
        times: list[float] = []
        defining = asyncio.create_task(client.rate(server, requests, clients=4))
        while not defining.done():
            times += [seconds async for seconds in figures.timed(connection, client.get(_OTHER), 10)]
        await defining
        await connection.close()
        return sorted(times)[len(times) * 99 // 100] * 1000

    return [asyncio.run(once(run)) for run in range(runs)]


def restarts_with_many(runs: int) -> list[float]:
    """Milliseconds to ready of a server that has 1,000 definitions; the last one made is served then."""
    with figures.running() as server:

        def requests(number: int) -> Sequence[bytes]:
            mine = range(number, MANY, 8)
            return [client.send("POST", DEFINITIONS, definition(f"many{i}.example.com")) for i in mine]

        asyncio.run(client.rate(server, requests, clients=8))
        asyncio.run(_until_all_served(server))
        return [_restart(server) for _ in range(runs)]


def _restart(server: BenchServer) -> float:
    server.stop()
    seconds = server.start()
    status = asyncio.run(_status(server, f"many{MANY - 1}.example.com"))
    if status != 200:
        raise SystemExit(f"ready, but a custom resource answers {status}")
    return seconds * 1000


def _collection(group: str) -> str:
    return f"/apis/{group}/v1/namespaces/default/things"


async def _define(server: BenchServer, group: str, *, rules: bool) -> None:
    connection = await Connection.open(server)
    await _make(connection, definition(group, rules=rules))
    await _until_served(connection, group)
    await connection.close()


async def _make(connection: Connection, obj: JSONObject) -> None:
    status, body = await connection.call(client.send("POST", DEFINITIONS, obj))
    if status != 201:
        raise SystemExit(f"the definition answered {status}: {body[:300]!r}")


async def _until_all_served(server: BenchServer) -> None:
    connection = await Connection.open(server)
    for i in range(MANY):
        await _until_served(connection, f"many{i}.example.com")
    await connection.close()


async def _until_served(connection: Connection, group: str) -> None:
    request = client.get(_collection(group))
    until = perf_counter() + _PATIENCE
    while (await connection.call(request))[0] != 200:
        if perf_counter() > until:
            raise SystemExit(f"what {group} defines is not served")


async def _status(server: BenchServer, group: str) -> int:
    connection = await Connection.open(server)
    status, _ = await connection.call(client.get(_collection(group)))
    await connection.close()
    return status
