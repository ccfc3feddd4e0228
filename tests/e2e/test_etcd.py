"""`trikube up` on a real etcd: outages, two control planes side by side, and what stands where."""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import orjson
import pytest

from generic.types import JSONObject
from tests.support.crd import CRDS, definition, instance
from tests.support.etcd import EtcdServer
from tests.support.load import PATH, Load
from tests.support.program import UpProcess
from trikube.background.process import eventually

pytestmark = pytest.mark.anyio

ETCDCTL = Path(sys.executable).with_name("etcdctl")


@pytest.fixture
def etcd_server(tmp_path: Path) -> Iterator[EtcdServer]:
    server = EtcdServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def process(tmp_path: Path, etcd_server: EtcdServer) -> Iterator[UpProcess]:
    made = UpProcess(tmp_path / "data", "--etcd-servers", etcd_server.endpoint)
    made.start()
    yield made
    made.kill()


class Follower:
    """Watches as an informer does: again from where it was whenever the stream ends; notes a 410."""

    def __init__(self, http: httpx.AsyncClient, version: str) -> None:
        self.seen: dict[int, tuple[str, str]] = {}
        """resourceVersion to (type, name)."""
        self.expired = False
        self._http = http
        self._version = version
        self._changed = asyncio.Event()

    async def run(self) -> None:
        while not self.expired:
            try:
                await self._once()
            except httpx.TransportError:
                await asyncio.sleep(0.05)

    async def _once(self) -> None:
        query = {"watch": "1", "resourceVersion": self._version}
        async with self._http.stream("GET", PATH, params=query) as response:
            if response.status_code != 200:
                await asyncio.sleep(0.05)
                return
            async for line in response.aiter_lines():
                event = orjson.loads(line)
                if event["type"] == "ERROR":
                    assert event["object"]["code"] == 410
                    self.expired = True
                    return
                self._note(event["type"], event["object"]["metadata"])

    def _note(self, kind: str, metadata: JSONObject) -> None:
        version = int(metadata["resourceVersion"])
        # In order, and nothing twice.
        assert version > int(self._version)
        self._version = metadata["resourceVersion"]
        self.seen[version] = (kind, metadata["name"])
        self._changed.set()

    async def until_seen(self, version: int) -> None:
        async with asyncio.timeout(30):
            while not self.expired and int(self._version) < version:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def following(http: httpx.AsyncClient) -> AsyncIterator[Follower]:
    follower = Follower(http, (await http.get(PATH)).json()["metadata"]["resourceVersion"])
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_outage_of_etcd_is_a_refusal_and_passes_by_itself(process: UpProcess, etcd_server: EtcdServer) -> None:
    async with process.http() as http, following(http) as follower:
        load = Load(process.http)
        await load.until_acknowledged(150)
        etcd_server.kill()
        await load.until(lambda: len(load.refusals) > 20)
        refused = await http.get(f"{PATH}/none")
        assert refused.status_code in (500, 503, 504), refused.text
        etcd_server.start()
        await load.until_acknowledged(150)
        await load.finish()
        # A connection to us is never the victim, and no request waits for longer than its client.
        assert not load.failures
        for refusal in [refused, *load.refusals]:
            status = refusal.json()
            assert (status["kind"], status["status"], status["code"]) == ("Status", "Failure", refusal.status_code)
            assert refusal.status_code in (500, 503, 504), status
            assert status["reason"] in ("ServerTimeout", "ServiceUnavailable", "Timeout"), status
        found = (await http.get(PATH)).json()
        load.told.check(found, unanswered_may_be_done=True)
        await follower.until_seen(load.told.highest)
        if not follower.expired:
            versions = {version: name for name, state in load.told.states.items() if state for version in state[:1]}
            assert versions.items() <= {version: name for version, (_, name) in follower.seen.items()}.items()
            gone = {name for name, state in load.told.states.items() if state is None}
            assert gone <= {name for kind, name in follower.seen.values() if kind == "DELETED"}
        assert (await http.get("/readyz")).text == "ok"
    assert "Traceback" not in "".join(process.said)


async def test_an_etcd_that_does_not_answer_keeps_nobody_waiting_beyond_their_time(
    process: UpProcess, etcd_server: EtcdServer
) -> None:
    async with process.http() as http:
        assert (await http.post(PATH, json={"metadata": {"name": "before"}})).status_code == 201
        etcd_server.freeze()
        limit = {"timeout": "1s"}
        answers = await asyncio.gather(
            http.get(f"{PATH}/before", params=limit),
            http.get(PATH, params=limit),
            http.post(PATH, params=limit, json={"metadata": {"name": "during"}}),
            http.delete(f"{PATH}/before", params=limit),
        )
        for answer in answers:
            status = answer.json()
            assert (answer.status_code, status["kind"], status["reason"]) == (504, "Status", "Timeout")
        # What needs no etcd is answered as ever.
        assert (await http.get("/livez/ping")).text == "ok"
        assert (await http.get(f"{PATH}/before", params={"resourceVersion": "0"})).status_code == 200
        etcd_server.thaw()
        assert (await http.post(PATH, json={"metadata": {"name": "after"}})).status_code == 201
        assert (await http.get(f"{PATH}/after")).status_code == 200
    assert "Traceback" not in "".join(process.said)


async def test_two_control_planes_on_one_etcd_are_one(
    process: UpProcess, etcd_server: EtcdServer, tmp_path: Path
) -> None:
    # The second trusts and is trusted as the first: the PKI is the cluster's, not the process's.
    shutil.copytree(process.folder / "pki", tmp_path / "second" / "pki")
    second = UpProcess(tmp_path / "second", "--etcd-servers", etcd_server.endpoint)
    try:
        second.start()
        await _check_two(process, second)
        assert second.terminate() == 0
        assert process.kubectl.run("get", "configmaps").code == 0
    finally:
        second.kill()
    assert "Traceback" not in "".join(process.said + second.said)


async def _check_two(first: UpProcess, second: UpProcess) -> None:
    async with first.http() as one, second.http() as other, following(other) as follower:
        # What one has acknowledged the other has, at once and at the same resourceVersion.
        for number in range(20):
            made = (await one.post(PATH, json={"metadata": {"name": f"shared-{number}"}})).json()
            assert (await other.get(f"{PATH}/shared-{number}")).json() == made
            assert made in (await other.get(PATH)).json()["items"]
        wanted = {"metadata": {"name": "shared-0"}, "data": {"a": "b"}}
        changed = (await other.put(f"{PATH}/shared-0", json=wanted)).json()
        stale = await one.put(f"{PATH}/shared-1", json={**made, "metadata": {**made["metadata"], "name": "shared-1"}})
        assert stale.status_code == 409
        await one.delete(f"{PATH}/shared-1")
        last = (await one.post(PATH, json={"metadata": {"name": "last"}})).json()
        await follower.until_seen(int(last["metadata"]["resourceVersion"]))
        seen = list(follower.seen.values())
        assert [name for kind, name in seen if kind == "ADDED"] == [*(f"shared-{n}" for n in range(20)), "last"]
        assert follower.seen[int(changed["metadata"]["resourceVersion"])] == ("MODIFIED", "shared-0")
        assert ("DELETED", "shared-1") in seen
        # A kind that one learns the other serves, and an identity of one is one of the other.
        assert (await one.post(CRDS, json=definition("pairs"))).status_code == 201
        path = "/apis/stable.example.com/v1/namespaces/default/pairs"
        async with asyncio.timeout(20):
            await _until_served(one, path)
            await _until_served(other, path)
        assert (await other.post(path, json=instance("pairs", "a"))).status_code == 201
        assert (await one.get(f"{path}/a")).json()["spec"] == {"any": "thing"}


async def test_objects_stand_under_the_keys_of_kubernetes(process: UpProcess, etcd_server: EtcdServer) -> None:
    async with process.http() as http:
        await http.post(PATH, json={"metadata": {"name": "kept"}, "data": {"a": "b"}})
        await http.post(CRDS, json=definition("keys"))
        path = "/apis/stable.example.com/v1/namespaces/default/keys"
        async with asyncio.timeout(20):
            await _until_served(http, path)
        assert (await http.post(path, json=instance("keys", "a"))).status_code == 201
        made = (await http.get(f"{PATH}/kept")).json()
    expected = {
        "/registry/configmaps/default/kept",
        "/registry/namespaces/default",
        "/registry/serviceaccounts/default/default",
        "/registry/services/specs/default/kubernetes",
        "/registry/clusterroles/cluster-admin",
        "/registry/apiregistration.k8s.io/apiservices/v1.apps",
        "/registry/apiextensions.k8s.io/customresourcedefinitions/keys.stable.example.com",
        "/registry/stable.example.com/keys/default/a",
    }
    # Controllers write some of them after the start.
    assert eventually(lambda: expected <= _keys(etcd_server), 20), expected - _keys(etcd_server)
    stored = orjson.loads(_etcdctl(etcd_server, "get", "/registry/configmaps/default/kept", "--print-value-only"))
    version = made["metadata"].pop("resourceVersion")
    assert stored == made
    fields = _etcdctl(etcd_server, "get", "/registry/configmaps/default/kept", "-w", "json")
    assert orjson.loads(fields)["kvs"][0]["mod_revision"] == int(version)


async def _until_served(http: httpx.AsyncClient, path: str) -> None:
    while (await http.get(path)).status_code != 200:  # noqa: ASYNC110 -- a server does not tell
        await asyncio.sleep(0.05)


def _keys(server: EtcdServer) -> set[str]:
    return set(_etcdctl(server, "get", "", "--prefix", "--keys-only").split())


def _etcdctl(server: EtcdServer, *arguments: str) -> str:
    command = [str(ETCDCTL), f"--endpoints={server.endpoint}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
