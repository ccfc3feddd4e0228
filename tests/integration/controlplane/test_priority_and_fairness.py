"""Priority and fairness of a running control plane, over TLS: a flood does not starve others."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from generic.flowcontrol import sharding
from generic.flowcontrol.options import FlowControlOptions
from generic.types import JSONObject
from tests.support.plane import Running, running

pytestmark = pytest.mark.anyio

FLOWCONTROL = "/apis/flowcontrol.apiserver.k8s.io/v1"
MAPS = "/api/v1/namespaces/default/configmaps"
DUMPS = "/debug/api_priority_and_fairness"
QUEUES, LENGTH = 8, 6
FLOOD, OTHER = "alice", "bob"

LEVEL: JSONObject = {
    "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
    "kind": "PriorityLevelConfiguration",
    "metadata": {"name": "narrow"},
    "spec": {
        "type": "Limited",
        "limited": {
            "nominalConcurrencyShares": 1,
            "borrowingLimitPercent": 0,
            "limitResponse": {
                "type": "Queue",
                "queuing": {"queues": QUEUES, "handSize": 1, "queueLengthLimit": LENGTH},
            },
        },
    },
}
SCHEMA: JSONObject = {
    "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
    "kind": "FlowSchema",
    "metadata": {"name": "writers"},
    "spec": {
        "priorityLevelConfiguration": {"name": "narrow"},
        "matchingPrecedence": 10,
        "distinguisherMethod": {"type": "ByUser"},
        "rules": [
            {
                "subjects": [{"kind": "Group", "group": {"name": "writers"}}],
                "resourceRules": [
                    {"verbs": ["*"], "apiGroups": ["*"], "resources": ["configmaps"], "namespaces": ["*"]},
                ],
            }
        ],
    },
}
BINDING: JSONObject = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "writers"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "writers"}],
}


@pytest.fixture(scope="module")
async def plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    few = FlowControlOptions(max_requests_in_flight=40, max_mutating_requests_in_flight=20)
    folder: Path = tmp_path_factory.mktemp("plane")
    async with running(folder, flow_control=few) as served:
        await served.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", BINDING)
        await served.create(f"{FLOWCONTROL}/prioritylevelconfigurations", LEVEL)
        await served.create(f"{FLOWCONTROL}/flowschemas", SCHEMA)
        await served.until(f"{FLOWCONTROL}/flowschemas/writers", says="and it exists")
        yield served


class SlowWrite:
    """A POST whose body does not come to its end before it is told to."""

    def __init__(self, client: httpx.AsyncClient, name: str) -> None:
        self._head = f'{{"apiVersion":"v1","kind":"ConfigMap","metadata":{{"name":"{name}"}}'.encode()
        self._go = asyncio.Event()
        headers = {"content-type": "application/json"}
        self.task = asyncio.create_task(client.post(MAPS, content=self._body(), headers=headers))

    async def _body(self) -> AsyncIterator[bytes]:
        yield self._head
        await self._go.wait()
        yield b"}"

    async def finish(self) -> int:
        self._go.set()
        return (await self.task).status_code


async def level(plane: Running) -> dict[str, str]:
    """The level's line of the dump, by column."""
    text = (await plane.http.get(f"{DUMPS}/dump_priority_levels")).text
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines()]
    return next(dict(zip(rows[0], row, strict=True)) for row in rows[1:] if row[0] == "narrow")


async def until_level(plane: Running, **expected: int) -> None:
    async with asyncio.timeout(20):
        while True:
            found = await level(plane)
            if all(found[key] == str(value) for key, value in expected.items()):
                return
            await asyncio.sleep(0.01)


async def test_a_flood_of_slow_requests_fills_its_own_queue_and_lets_others_pass(plane: Running) -> None:
    hands = {sharding.deal(sharding.flow_hash("writers", user), QUEUES, 1) for user in (FLOOD, OTHER)}
    assert len(hands) == 2, "the test needs users of different queues"
    async with plane.client(FLOOD, "writers") as flood, plane.client(OTHER, "writers") as other:
        first = SlowWrite(flood, "slow")
        await until_level(plane, ExecutingRequests=1)
        writes = [SlowWrite(flood, f"slow-{number}") for number in range(LENGTH)]
        await until_level(plane, WaitingRequests=LENGTH)
        refused = await flood.get(f"{MAPS}/none")
        assert (refused.status_code, refused.text) == (429, "Too many requests, please try again later.\n")
        assert refused.headers["retry-after"] == "1"
        # The one seat is taken: the other's request waits, but not behind the flood.
        waiting = asyncio.create_task(other.get(MAPS))
        await until_level(plane, WaitingRequests=LENGTH + 1)
        queued = (await plane.http.get(f"{DUMPS}/dump_requests?includeRequestDetails=1")).text
        assert sum(OTHER in line for line in queued.splitlines()) == 1
        assert await first.finish() == 201
        assert (await waiting).status_code == 200
        assert not any(write.task.done() for write in writes)
        assert [await write.finish() for write in writes] == [201] * LENGTH
    await until_level(plane, ExecutingRequests=0, WaitingRequests=0)


async def test_a_client_that_hangs_up_frees_its_place_in_the_queue(plane: Running) -> None:
    async with plane.client(FLOOD, "writers") as flood, plane.client(OTHER, "writers") as other:
        slow = SlowWrite(flood, "hung-up")
        await until_level(plane, ExecutingRequests=1)
        impatient = asyncio.create_task(other.get(MAPS))
        await until_level(plane, WaitingRequests=1)
        impatient.cancel()
        await until_level(plane, WaitingRequests=0)
        assert await slow.finish() == 201


async def test_a_watch_leaves_its_seat_to_others_once_it_has_begun(plane: Running) -> None:
    async with plane.client(OTHER, "writers") as client:
        async with client.stream("GET", MAPS, params={"watch": "1"}) as watch:
            lines = watch.aiter_lines()
            await anext(lines)
            await until_level(plane, ExecutingRequests=0)
            assert (await client.get(MAPS)).status_code == 200
        uid = watch.headers["x-kubernetes-pf-flowschema-uid"]
    schema = (await plane.http.get(f"{FLOWCONTROL}/flowschemas/writers")).json()
    assert uid == schema["metadata"]["uid"]


async def test_flow_schemas_are_listed_as_kubectl_shows_them(plane: Running) -> None:
    accept = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
    table = (await plane.http.get(f"{FLOWCONTROL}/flowschemas", headers=accept)).json()
    titles = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    assert titles == ["Name", "PriorityLevel", "MatchingPrecedence", "DistinguisherMethod", "Age", "MissingPL"]
    rows = {row["cells"][0]: row["cells"] for row in table["rows"]}
    assert rows["probes"][1:4] == ["exempt", 2, "<none>"]
    assert rows["global-default"][1:4] == ["global-default", 9900, "ByUser"]
    assert {cells[5] for cells in rows.values()} == {"False"}


async def test_the_dumps_are_not_listed_but_counted_in_metrics(plane: Running) -> None:
    assert not any("debug/api_priority" in path for path in (await plane.http.get("/")).json()["paths"])
    text = (await plane.http.get("/metrics")).text
    assert 'apiserver_flowcontrol_nominal_limit_seats{priority_level="narrow"} 1.0' in text
    assert 'reason="queue-full"' in text
    assert "apiserver_flowcontrol_request_wait_duration_seconds_bucket" in text
