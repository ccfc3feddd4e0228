"""Owners and dependents over HTTP: the three policies, custom resources, and what must not be deleted."""

import contextlib
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from generic.types import JSONObject
from tests.support import crd
from tests.support.owned import DEFAULT, Objects, config_map, owned
from tests.support.plane import Running, running
from tests.support.program import UpProcess

pytestmark = pytest.mark.anyio

SECRETS = f"{DEFAULT}/secrets"
GADGETS = "/apis/stable.example.com/v1/namespaces/default/gadgets"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"


@pytest.fixture
def objects(control_plane: Running) -> Objects:
    return Objects(control_plane)


def secret(name: str) -> JSONObject:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}}


def api_service(group: str, service: str) -> JSONObject:
    """Its version v1 is served behind that Service."""
    spec = {
        "group": group,
        "version": "v1",
        "service": {"namespace": "default", "name": service},
        "groupPriorityMinimum": 100,
        "versionPriority": 10,
        "insecureSkipTLSVerify": True,
    }
    metadata = {"name": f"v1.{group}"}
    return {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": metadata, "spec": spec}


async def chain(objects: Objects, name: str, *, blocks: bool = False) -> None:
    """A ConfigMap that owns a Secret that owns a custom resource, all of that name."""
    if await objects.get("gadgets.stable.example.com", crd.CRDS) is None:
        await objects.make(crd.definition("gadgets"), crd.CRDS)
        await objects.plane.until(GADGETS)
    first = await objects.make(config_map(name))
    second = await objects.make(owned(secret(name), first, blocks=blocks), SECRETS)
    await objects.make(owned(crd.instance("gadgets", name), second, blocks=blocks), GADGETS)


async def test_a_chain_goes_with_its_first_owner_custom_resources_included(objects: Objects) -> None:
    await chain(objects, "chain")
    await objects.collected_by_now()
    assert await objects.get("chain", GADGETS) is not None
    answer = await objects.delete("chain", "Background")
    assert answer["status"] == "Success"
    await objects.gone("chain", SECRETS)
    await objects.gone("chain", GADGETS)


async def test_owners_are_heard_of_though_their_definition_changes(objects: Objects) -> None:
    await chain(objects, "changing")
    owner = await objects.get("changing", GADGETS)
    assert owner is not None
    await objects.make(owned(config_map("of-changing"), owner))
    await objects.collected_by_now()
    # Another storage version is another watch cache, and its objects' deletions are heard of there.
    found = await objects.get("gadgets.stable.example.com", crd.CRDS)
    assert found is not None
    (first,) = found["spec"]["versions"]
    versions = [{**first, "name": "v2"}, {**first, "storage": False}]
    await objects.patch("gadgets.stable.example.com", {"spec": {"versions": versions}}, crd.CRDS)
    newer = GADGETS.replace("/v1/", "/v2/")
    await objects.plane.until(newer)
    await objects.delete("changing", "Orphan", newer)
    await objects.gone("changing", newer)
    left = await objects.get("of-changing")
    assert left is not None
    assert "ownerReferences" not in left["metadata"]
    second = await objects.make(crd.instance("gadgets", "second", version="v2"), newer)
    await objects.make(owned(config_map("of-second"), second))
    await objects.delete("second", "Background", GADGETS)
    await objects.gone("of-second")


async def test_in_the_foreground_the_owner_goes_last(objects: Objects) -> None:
    await chain(objects, "slow", blocks=True)
    await objects.patch("slow", {"metadata": {"finalizers": ["example.com/hold"]}}, GADGETS)
    marked = await objects.delete("slow", "Foreground")
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert marked["metadata"]["deletionTimestamp"]
    await objects.plane.until(f"{GADGETS}/slow", deleted="deletionTimestamp")
    await objects.collected_by_now()
    for collection in (f"{DEFAULT}/configmaps", SECRETS):
        held = await objects.get("slow", collection)
        assert held is not None
        assert held["metadata"]["finalizers"] == ["foregroundDeletion"]
    await objects.patch("slow", {"metadata": {"finalizers": None}}, GADGETS)
    await objects.gone("slow", SECRETS)
    await objects.gone("slow")


async def test_in_the_foreground_who_does_not_block_is_not_waited_for(objects: Objects) -> None:
    owner = await objects.make(config_map("impatient"))
    await objects.make(owned(config_map("held", "example.com/hold"), owner))
    await objects.delete("impatient", "Foreground")
    await objects.gone("impatient")
    await objects.plane.until(f"{DEFAULT}/configmaps/held", deleted="deletionTimestamp")
    await objects.patch("held", {"metadata": {"finalizers": None}})


async def test_orphans_stay_without_their_owner(objects: Objects) -> None:
    first, second = await objects.make(config_map("parent")), await objects.make(config_map("other-parent"))
    await objects.make(owned(config_map("orphan"), first))
    await objects.make(owned(config_map("half-orphan"), first, second))
    marked = await objects.delete("parent", "Orphan")
    assert marked["metadata"]["finalizers"] == ["orphan"]
    await objects.gone("parent")
    orphan, half = await objects.get("orphan"), await objects.get("half-orphan")
    assert orphan is not None
    assert "ownerReferences" not in orphan["metadata"]
    assert half is not None
    assert [ref["uid"] for ref in half["metadata"]["ownerReferences"]] == [second["metadata"]["uid"]]


async def test_of_two_owners_the_last_one_counts(objects: Objects) -> None:
    first, second = await objects.make(config_map("mother")), await objects.make(config_map("father"))
    await objects.make(owned(config_map("child"), first, second))
    await objects.delete("mother", "Background")
    await objects.collected_by_now()
    child = await objects.get("child")
    assert child is not None
    assert [ref["name"] for ref in child["metadata"]["ownerReferences"]] == ["father"]
    await objects.delete("father", "Background")
    await objects.gone("child")


async def test_an_owner_of_the_same_name_is_another(objects: Objects) -> None:
    first = await objects.make(config_map("twice"))
    await objects.delete("twice", "Orphan")
    await objects.gone("twice")
    await objects.make(config_map("twice"))
    await objects.make(owned(config_map("of-the-first"), first))
    await objects.gone("of-the-first")


async def test_an_owner_in_another_namespace_does_not_exist(objects: Objects) -> None:
    namespaces = "/api/v1/namespaces"
    await objects.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}}, namespaces)
    owner = await objects.make(config_map("far"), f"{namespaces}/elsewhere/configmaps")
    await objects.make(owned(config_map("near"), owner))
    await objects.gone("near")
    assert await objects.get("far", f"{namespaces}/elsewhere/configmaps") is not None


async def test_a_cluster_scoped_owner_has_dependents_in_namespaces(objects: Objects) -> None:
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    cluster = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 9}
    owner = await objects.make(cluster, classes)
    await objects.make(owned(config_map("of-a-class"), owner))
    await objects.collected_by_now()
    assert await objects.get("of-a-class") is not None
    await objects.delete("high", "Background", classes)
    await objects.gone("of-a-class")


async def test_a_cluster_scoped_object_with_a_namespaced_owner_is_left_alone(objects: Objects) -> None:
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    owner = await objects.make(config_map("namespaced-owner"))
    cluster = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "odd"}, "value": 9}
    await objects.make(owned(cluster, owner), classes)
    await objects.delete("namespaced-owner", "Background")
    await objects.collected_by_now()
    assert await objects.get("odd", classes) is not None


async def test_a_circle_is_deleted_once_one_of_it_is(objects: Objects) -> None:
    for policy in ("Background", "Foreground"):
        names = [f"{turn}-{policy.lower()}" for turn in ("a", "b", "c")]
        made = [await objects.make(config_map(name)) for name in names]
        for name, owner in zip(names, [*made[1:], made[0]], strict=True):
            await objects.patch(name, {"metadata": owned(config_map(name), owner, blocks=True)["metadata"]})
        await objects.collected_by_now()
        assert await objects.get(names[0]) is not None
        await objects.delete(names[0], policy)
        for name in names:
            await objects.gone(name)


async def test_an_owner_of_an_unknown_kind_may_exist(objects: Objects) -> None:
    unknown = {"apiVersion": "late.example.com/v1", "kind": "Late", "metadata": {"name": "late", "uid": "late-uid"}}
    await objects.make(owned(config_map("of-unknown"), unknown))
    await objects.collected_by_now()
    assert await objects.get("of-unknown") is not None
    # Once the kind is known it can be said that the owner does not exist.
    await objects.make(crd.definition("lates", group="late.example.com"), crd.CRDS)
    await objects.gone("of-unknown")


async def test_an_owner_that_cannot_be_asked_for_may_exist(objects: Objects) -> None:
    away = {"apiVersion": "away.example.com/v1", "kind": "Gone", "metadata": {"name": "gone", "uid": "gone-uid"}}
    await objects.make(api_service("away.example.com", "nobody-there"), API_SERVICES)
    await objects.make(owned(config_map("of-away"), away))
    await objects.collected_by_now()
    assert await objects.get("of-away") is not None
    # Nor does it keep what has nothing to do with it.
    await chain(objects, "meanwhile")
    await objects.delete("meanwhile", "Background")
    await objects.gone("meanwhile", GADGETS)
    await objects.delete("v1.away.example.com", "Background", API_SERVICES)


async def test_jobs_orphan_their_pods_unless_told_otherwise(objects: Objects) -> None:
    jobs = "/apis/batch/v1/namespaces/default/jobs"
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "image"}]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "old-habit"},
        "spec": {"template": {"spec": pod}},
    }
    owner = await objects.make(job, jobs)
    await objects.make(owned(config_map("of-a-job"), owner))
    marked = await objects.delete("old-habit", collection=jobs)
    assert marked["metadata"]["finalizers"] == ["orphan"]
    await objects.gone("old-habit", jobs)
    dependent = await objects.get("of-a-job")
    assert dependent is not None
    assert "ownerReferences" not in dependent["metadata"]


GEARS = "/apis/remote.example.com/v1/namespaces/default/gears"


@contextlib.asynccontextmanager
async def another_server(plane: Running, folder: Path) -> AsyncIterator[Running]:
    """A second control plane, which serves gears as an aggregated server of the first; it collects nothing itself."""
    shutil.copytree(plane.options.data_dir / "pki", folder / "pki")
    async with running(folder, controllers=("*", "-garbagecollector")) as other:
        await other.create(crd.CRDS, crd.definition("gears", group="remote.example.com"))
        await other.until(GEARS)
        port = int(other.url.rpartition(":")[2])
        service: JSONObject = {"ports": [{"name": "https", "port": 443}]}
        await plane.create(f"{DEFAULT}/services", {"metadata": {"name": "gears"}, "spec": service})
        endpoints: JSONObject = {
            "metadata": {"name": "gears-1", "labels": {"kubernetes.io/service-name": "gears"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["127.0.0.1"]}],
            "ports": [{"name": "https", "port": port}],
        }
        await plane.create("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", endpoints)
        await plane.create(API_SERVICES, api_service("remote.example.com", "gears"))
        await plane.until(GEARS)
        yield other


async def test_dependents_and_owners_may_be_on_an_aggregated_server(objects: Objects, tmp_path: Path) -> None:
    def gear(name: str) -> JSONObject:
        return crd.instance("gears", name, group="remote.example.com")

    async with another_server(objects.plane, tmp_path / "other"):
        owner = await objects.make(config_map("here"))
        middle = await objects.make(owned(gear("there"), owner), GEARS)
        await objects.make(owned(config_map("here-again"), middle))
        await objects.collected_by_now()
        assert await objects.get("here-again") is not None
        await objects.delete("here", "Background")
        await objects.gone("there", GEARS)
        await objects.gone("here-again")
        last = await objects.make(gear("last"), GEARS)
        await objects.make(owned(config_map("of-the-last"), last))
        await objects.delete("last", "Orphan", GEARS)
        await objects.gone("last", GEARS)
        kept = await objects.make(gear("kept"), GEARS)
        await objects.make(owned(config_map("of-the-kept"), kept))
    # The server is gone, and with it all that could be known of its objects.
    await objects.plane.until(GEARS, 503)
    nobody = {**kept, "metadata": {**kept["metadata"], "name": "nobody", "uid": "another"}}
    await objects.make(owned(config_map("of-nobody"), nobody))
    await objects.collected_by_now()
    for name in ("of-the-last", "of-the-kept", "of-nobody"):
        assert await objects.get(name) is not None
    await objects.delete("v1.remote.example.com", collection=API_SERVICES)


async def test_what_was_left_half_done_is_finished_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path, controllers=("*", "-garbage-collector-controller")) as plane:
        objects = Objects(plane)
        for name, policy in (("background", "Background"), ("foreground", "Foreground"), ("orphaning", "Orphan")):
            owner = await objects.make(config_map(name))
            await objects.make(owned(config_map(f"of-{name}"), owner, blocks=True))
            await objects.delete(name, policy)
        # A kube-controller-manager may be the one to take them off.
        for name, finalizer in (("foreground", "foregroundDeletion"), ("orphaning", "orphan")):
            held = await objects.get(name)
            assert held is not None
            assert held["metadata"]["finalizers"] == [finalizer]
    async with running(tmp_path) as plane:
        objects = Objects(plane)
        for name in ("of-background", "of-foreground", "foreground", "orphaning"):
            await objects.gone(name)
        orphan = await objects.get("of-orphaning")
        assert orphan is not None
        assert "ownerReferences" not in orphan["metadata"]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    made = UpProcess(Path(tmp_path_factory.mktemp("up")) / "data")
    made.start()
    yield made
    made.terminate()


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
def test_kubectl_deletes_with_every_cascade(up: UpProcess, cascade: str) -> None:
    name = f"with-{cascade}"
    made = up.kubectl.run("create", "configmap", name, "-o", "json")
    dependent = owned(config_map(f"{name}-dependent"), json.loads(made.out), blocks=True)
    up.kubectl.run("create", "-f", "-", stdin=json.dumps(dependent))
    gone = up.kubectl.run("delete", "configmap", name, f"--cascade={cascade}", "--timeout=10s")
    assert gone.out.startswith(f'configmap "{name}" deleted'), gone.err
    if cascade == "orphan":
        left = up.kubectl.run("get", "configmap", f"{name}-dependent", "-o", "jsonpath={.metadata.ownerReferences}")
        assert (left.out, left.err) == ("", "")
    else:
        waited = up.kubectl.run("wait", "--for=delete", f"configmap/{name}-dependent", "--timeout=10s")
        assert waited.code == 0, waited.err
