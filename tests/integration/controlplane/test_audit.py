"""A control plane that audits: what its log and its collector hold after real requests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from generic.audit.options import AuditOptions
from generic.types import JSONObject
from tests.support import plane
from tests.support.plane import Running
from trikube.controlplane import ControlPlane
from trikube.errors import OptionsError
from trikube.options import ControlPlaneOptions

pytestmark = pytest.mark.anyio

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
POLICY = """
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver"]
- level: RequestResponse
  omitManagedFields: true
  resources: [{group: "", resources: [configmaps]}]
- level: Request
  resources: [{group: "", resources: [namespaces]}]
- level: Metadata
"""


class Collector:
    """An HTTP server that answers 200 to whatever it is sent, and keeps it."""

    def __init__(self) -> None:
        self.bodies: list[JSONObject] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split()[0])
                self.bodies.append(orjson.loads(await reader.readexactly(length)))
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        writer.close()


class Audited:
    """A control plane, its log and its collector."""

    def __init__(self, served: Running, log: Path, collector: Collector) -> None:
        self.served = served
        self.log = log
        self.collector = collector

    def events(self, audit_id: str) -> list[JSONObject]:
        """Those of one request, in order."""
        lines = self.log.read_bytes().splitlines()
        return [event for line in lines if (event := orjson.loads(line))["auditID"] == audit_id]

    async def completed(self, audit_id: str) -> JSONObject:
        async with asyncio.timeout(20):
            while True:
                found = self.events(audit_id)
                if found and found[-1]["stage"] != "ResponseStarted":
                    return found[-1]
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Audited]:
    collector = Collector()
    server = await asyncio.start_server(collector.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    policy, log, hook = folder / "policy.yaml", folder / "audit.log", folder / "hook.kubeconfig"
    policy.write_text(POLICY)
    hook.write_bytes(
        orjson.dumps({
            "clusters": [{"name": "a", "cluster": {"server": f"http://{host}:{port}/events"}}],
            "contexts": [{"name": "a", "context": {"cluster": "a"}}],
            "current-context": "a",
        })
    )
    # The webhook keeps its defaults: batches of 400, twice a minute. Only the end of the server can flush them here.
    audit = AuditOptions(policy_file=policy, log_path=str(log), webhook_config_file=hook)
    async with server, plane.running(folder / "data", audit=audit) as served:
        yield Audited(served, log, collector)


@pytest.fixture(scope="module")
async def audited(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Audited]:
    async with running(tmp_path_factory.mktemp("audited")) as found:
        yield found


async def test_a_created_object_is_in_the_event_as_it_was_asked_for_and_as_it_was_answered(audited: Audited) -> None:
    obj = {"metadata": {"generateName": "made-"}, "data": {"a": "b"}}
    made = (await audited.served.http.post(CONFIGMAPS, json=obj, headers={"Audit-ID": "created"})).json()
    event = await audited.completed("created")
    assert event["requestObject"] == {**obj, "apiVersion": "v1", "kind": "ConfigMap"}
    assert made["metadata"].pop("managedFields")
    assert event["responseObject"] == made
    assert event["responseStatus"] == {"metadata": {}, "code": 201}
    assert event["user"]["username"] == "kubernetes-admin"


async def test_an_update_completes_the_reference_by_what_the_object_says(audited: Audited) -> None:
    obj = {"metadata": {"name": "replaced"}, "data": {"a": "b"}}
    made = await audited.served.create(CONFIGMAPS, obj)
    await audited.served.http.put(f"{CONFIGMAPS}/replaced", json=made, headers={"Audit-ID": "updated"})
    event = await audited.completed("updated")
    metadata = made["metadata"]
    assert event["objectRef"] == {
        "resource": "configmaps",
        "namespace": "default",
        "name": "replaced",
        "uid": metadata["uid"],
        "apiVersion": "v1",
        "resourceVersion": metadata["resourceVersion"],
    }
    assert "managedFields" not in event["requestObject"]["metadata"]


async def test_patches_are_in_the_event_as_they_were_sent_in_one_line(audited: Audited) -> None:
    await audited.served.create(CONFIGMAPS, {"metadata": {"name": "patched"}, "data": {"a": "b"}})
    path, http = f"{CONFIGMAPS}/patched", audited.served.http
    await http.patch(
        path,
        content='[{"op": "test",\n"path": "/data/a", "value": "b"}]',
        headers={"Content-Type": "application/json-patch+json", "Audit-ID": "patched"},
    )
    await http.patch(
        f"{path}?fieldManager=me",
        content="{apiVersion: v1, kind: ConfigMap, metadata: {name: patched}, data: {c: d}}",
        headers={"Content-Type": "application/apply-patch+yaml", "Audit-ID": "applied"},
    )
    patched, applied = await audited.completed("patched"), await audited.completed("applied")
    assert patched["requestObject"] == [{"op": "test", "path": "/data/a", "value": "b"}]
    assert applied["requestObject"]["data"] == {"c": "d"}
    assert applied["responseObject"]["data"] == {"a": "b", "c": "d"}


async def test_a_deletion_shows_its_options_and_its_outcome(audited: Audited) -> None:
    made = await audited.served.create(CONFIGMAPS, {"metadata": {"name": "gone"}})
    path = f"{CONFIGMAPS}/gone"
    body = b'{"gracePeriodSeconds": 0}'
    await audited.served.http.request("DELETE", path, content=body, headers={"Audit-ID": "deleted"})
    event = await audited.completed("deleted")
    assert event["requestObject"]["gracePeriodSeconds"] == 0
    details = {"name": "gone", "kind": "configmaps", "uid": made["metadata"]["uid"]}
    assert event["responseStatus"] == {"metadata": {}, "status": "Success", "details": details, "code": 200}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/json", "ConfigMapList"),
        ("application/yaml", "ConfigMapList"),
        ("application/json;as=Table;v=v1;g=meta.k8s.io", "Table"),
    ],
)
async def test_a_list_is_in_the_event_as_json_without_managed_fields(audited: Audited, accept: str, kind: str) -> None:
    await audited.served.http.get(CONFIGMAPS, headers={"Accept": accept, "Audit-ID": accept})
    event = await audited.completed(accept)
    assert event["responseObject"]["kind"] == kind
    assert "managedFields" not in str(event["responseObject"])


async def test_at_level_request_answers_are_not_written(audited: Audited) -> None:
    made = {"metadata": {"name": "some"}}
    await audited.served.http.post("/api/v1/namespaces", json=made, headers={"Audit-ID": "named"})
    event = await audited.completed("named")
    assert event["requestObject"]["metadata"]["name"] == "some"
    assert "responseObject" not in event


async def test_a_watch_ends_with_its_client_and_shows_no_objects(audited: Audited) -> None:
    headers = {"Audit-ID": "watched"}
    async with audited.served.http.stream("GET", f"{CONFIGMAPS}?watch=true", headers=headers) as response:
        assert response.status_code == 200
        assert [event["stage"] for event in audited.events("watched")] == ["ResponseStarted"]
    event = await audited.completed("watched")
    assert (event["stage"], event["verb"]) == ("ResponseComplete", "watch")
    assert "responseObject" not in event


async def test_secrets_of_callers_are_not_written(audited: Audited) -> None:
    async with audited.served.client(anonymous=True) as stranger:
        response = await stranger.get(CONFIGMAPS, headers={"Authorization": "Bearer s3cret", "Audit-ID": "stranger"})
    assert response.status_code == 401
    (event,) = audited.events("stranger")
    assert (event["stage"], event["user"]) == ("ResponseStarted", {})
    assert b"s3cret" not in audited.log.read_bytes()


async def test_metrics_count_events(audited: Audited) -> None:
    text = (await audited.served.http.get("/metrics")).text
    assert 'apiserver_audit_level_total{level="Metadata"}' in text
    assert "apiserver_audit_event_total" in text
    assert "apiserver_audit_requests_rejected_total 0.0" in text


async def test_the_server_flushes_to_the_collector_when_it_stops(tmp_path: Path) -> None:
    async with running(tmp_path) as audited:
        await audited.served.http.get(CONFIGMAPS, headers={"Audit-ID": "last"})
        await audited.completed("last")
        assert audited.collector.bodies == []
    received = [event for body in audited.collector.bodies for event in body["items"]]
    assert audited.collector.bodies[0]["kind"] == "EventList"
    assert [event["stage"] for event in received if event["auditID"] == "last"] == ["ResponseComplete"]
    # All back ends have every event.
    assert len(received) == len(audited.log.read_bytes().splitlines())
    assert audited.log.stat().st_mode & 0o777 == 0o600


async def test_a_bad_policy_stops_the_start_with_one_line(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: []")
    options = ControlPlaneOptions(data_dir=tmp_path / "data", audit=AuditOptions(policy_file=policy))
    with pytest.raises(
        OptionsError, match=r"^loading audit policy file: loaded illegal policy with 0 rules: from file"
    ):
        ControlPlane(options)
