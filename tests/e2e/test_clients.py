"""Client libraries as people use them: `kubernetes`, `kr8s`, and an operator on `kopf`."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import kopf
import kr8s
import kr8s.asyncio
import orjson
import pytest
from kr8s.asyncio.objects import ConfigMap, new_class
from kubernetes import client, config, watch
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError

from generic.types import JSONObject
from tests.support.crd import definition, instance
from tests.support.program import UpProcess

GROUP = "stable.example.com"
NEWER_THAN_KR8S = pytest.mark.filterwarnings("ignore:Kubernetes version .* is not supported:UserWarning")
"""kr8s names the versions it was tested with, and ours is newer than its last release."""

# These are not typed, or too narrowly for how people call them.
kubernetes: Any = client
Watch: Any = watch.Watch
_Dynamic: Any = DynamicClient
_new_client: Any = config.new_client_from_config


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpProcess]:
    made = UpProcess(tmp_path_factory.mktemp("up") / "data")
    made.start()
    yield made
    made.kill()
    assert "Traceback" not in "".join(made.said)


@pytest.fixture
def kubeconfig(process: UpProcess) -> str:
    return str(process.folder / "admin.kubeconfig")


@pytest.fixture
def api(kubeconfig: str) -> Iterator[Any]:
    with _new_client(kubeconfig) as made:
        yield made


def defined(api: Any, plural: str) -> None:
    """A custom resource that is served when this returns."""
    extensions = kubernetes.ApiextensionsV1Api(api)
    extensions.create_custom_resource_definition(definition(plural))
    name = f"{plural}.{GROUP}"
    for event in Watch().stream(
        extensions.list_custom_resource_definition, field_selector=f"metadata.name={name}", timeout_seconds=20
    ):
        conditions = event["object"].status.conditions or []
        if any(condition.type == "Established" and condition.status == "True" for condition in conditions):
            return
    raise AssertionError(f"{name} was not established")


def test_kubernetes_reads_and_writes_built_in_kinds(api: Any) -> None:
    core = kubernetes.CoreV1Api(api)
    metadata = kubernetes.V1ObjectMeta(name="typed", labels={"by": "typed"})
    made = core.create_namespaced_config_map("default", kubernetes.V1ConfigMap(metadata=metadata, data={"a": "1"}))
    assert made.metadata.uid
    assert made.metadata.creation_timestamp.tzinfo is not None
    made.data["a"] = "2"
    replaced = core.replace_namespaced_config_map("typed", "default", made)
    assert int(replaced.metadata.resource_version) > int(made.metadata.resource_version)
    with pytest.raises(kubernetes.ApiException) as refused:
        core.replace_namespaced_config_map("typed", "default", made)
    assert (refused.value.status, orjson.loads(refused.value.body)["reason"]) == (409, "Conflict")
    patched = core.patch_namespaced_config_map("typed", "default", {"data": {"a": None, "b": "3"}})
    assert patched.data == {"b": "3"}
    found = core.list_namespaced_config_map("default", label_selector="by=typed")
    assert [item.metadata.name for item in found.items] == ["typed"]
    assert core.delete_namespaced_config_map("typed", "default")["status"] == "Success"
    with pytest.raises(kubernetes.ApiException) as gone:
        core.read_namespaced_config_map("typed", "default")
    assert (gone.value.status, gone.value.reason) == (404, "Not Found")


def test_kubernetes_watches_from_a_list(api: Any) -> None:
    core = kubernetes.CoreV1Api(api)
    version = core.list_namespaced_config_map("default").metadata.resource_version

    def write() -> None:
        metadata = {"name": "watched", "labels": {"by": "watch"}}
        core.create_namespaced_config_map("default", {"metadata": metadata})
        core.patch_namespaced_config_map("watched", "default", {"data": {"a": "b"}})
        core.delete_namespaced_config_map("watched", "default")

    writer = threading.Thread(target=write)
    writer.start()
    seen = []
    watcher = Watch()
    for event in watcher.stream(
        core.list_namespaced_config_map,
        "default",
        label_selector="by=watch",
        resource_version=version,
        timeout_seconds=20,
    ):
        seen.append((event["type"], event["object"].data))
        if event["type"] == "DELETED":
            watcher.stop()
    writer.join()
    assert seen == [("ADDED", None), ("MODIFIED", {"a": "b"}), ("DELETED", {"a": "b"})]


def test_kubernetes_finds_kinds_by_discovery(api: Any, tmp_path: Path) -> None:
    defined(api, "dynas")
    dynamic = _Dynamic(api, cache_file=str(tmp_path / "discovery"))
    resource = dynamic.resources.get(api_version=f"{GROUP}/v1", kind="Dyna")
    assert (resource.name, resource.namespaced) == ("dynas", True)
    made = resource.create(body=instance("dynas", "a"), namespace="default")
    resource.patch(
        body={"spec": {"any": "other"}}, name="a", namespace="default", content_type="application/merge-patch+json"
    )
    assert resource.get(name="a", namespace="default").spec.any == "other"
    assert resource.status.patch(
        body={"status": {"ready": True}}, name="a", namespace="default", content_type="application/merge-patch+json"
    ).status.ready
    with pytest.raises(ConflictError):
        resource.replace(body=made.to_dict(), namespace="default")
    assert [item.metadata.name for item in resource.get(namespace="default").items] == ["a"]
    resource.delete(name="a", namespace="default")
    with pytest.raises(NotFoundError):
        resource.get(name="a", namespace="default")


def test_kubernetes_reads_and_writes_custom_objects(api: Any) -> None:
    defined(api, "customs")
    custom = kubernetes.CustomObjectsApi(api)
    where = (GROUP, "v1", "default", "customs")
    made = custom.create_namespaced_custom_object(*where, instance("customs", "a"))
    assert (made["kind"], made["metadata"]["generation"]) == ("Custom", 1)
    patched = custom.patch_namespaced_custom_object(*where, "a", {"spec": {"any": "other"}})
    assert (patched["spec"], patched["metadata"]["generation"]) == ({"any": "other"}, 2)
    reported = custom.patch_namespaced_custom_object_status(*where, "a", {"status": {"seen": 1}})
    assert (reported["status"], reported["metadata"]["generation"]) == ({"seen": 1}, 2)
    found = custom.list_namespaced_custom_object(*where)
    assert (found["kind"], found["items"]) == ("CustomList", [reported])
    assert custom.delete_namespaced_custom_object(*where, "a")["status"] == "Success"


@asynccontextmanager
async def kr8s_api(kubeconfig: str) -> AsyncIterator[Any]:
    made: Any = await kr8s.asyncio.api(kubeconfig=kubeconfig)
    try:
        yield made
    finally:
        # It leaves its connections to the garbage collector, which complains.
        await made._session.aclose()


@NEWER_THAN_KR8S
@pytest.mark.anyio
async def test_kr8s_reads_writes_and_watches(kubeconfig: str) -> None:
    async with kr8s_api(kubeconfig) as api:
        await _check_kr8s(api)


async def _check_kr8s(api: Any) -> None:
    assert (await api.version())["major"] == "1"
    made = await ConfigMap({"metadata": {"name": "kr8s", "namespace": "default"}, "data": {"a": "1"}}, api=api)
    await made.create()
    assert await made.exists()
    seen: list[str] = []
    async with asyncio.timeout(20):
        events = api.watch("configmaps", namespace="default", field_selector="metadata.name=kr8s")
        async with aclosing(events):
            async for kind, found in events:
                seen.append(kind)
                if kind == "ADDED":
                    assert found.raw["data"] == {"a": "1"}
                    await made.patch({"data": {"a": "2"}})
                elif kind == "MODIFIED":
                    await made.delete()
                else:
                    break
    assert seen == ["ADDED", "MODIFIED", "DELETED"]
    with pytest.raises(kr8s.NotFoundError):
        await ConfigMap.get("kr8s", namespace="default", api=api)
    namespaces = [found.name async for found in api.get("namespaces")]
    assert {"default", "kube-system"} <= set(namespaces)


@NEWER_THAN_KR8S
@pytest.mark.anyio
async def test_kr8s_knows_custom_resources(kubeconfig: str, api: Any) -> None:
    await asyncio.to_thread(defined, api, "krates")
    async with kr8s_api(kubeconfig) as asked:
        await _check_kr8s_custom(asked)


async def _check_kr8s_custom(asked: Any) -> None:
    krate: Any = new_class(kind="Krate", version=f"{GROUP}/v1", namespaced=True)
    made = await krate(instance("krates", "a") | {"metadata": {"name": "a", "namespace": "default"}}, api=asked)
    await made.create()
    await made.patch({"status": {"open": True}}, subresource="status")
    assert (await krate.get("a", namespace="default", api=asked)).status == {"open": True}
    assert [found.name async for found in asked.get(f"krates.{GROUP}", namespace="default")] == ["a"]
    await made.delete()


@asynccontextmanager
async def operating(registry: kopf.OperatorRegistry) -> AsyncIterator[None]:
    """An operator of these handlers, ready when entered, stopped in order when left."""
    ready, stop = asyncio.Event(), asyncio.Event()
    settings = kopf.OperatorSettings()
    settings.posting.level = logging.WARNING
    settings.process.ultimate_exiting_timeout = None
    operator = asyncio.create_task(
        kopf.operator(
            registry=registry,
            settings=settings,
            standalone=True,
            namespaces=["default"],
            ready_flag=ready,
            stop_flag=stop,
        )
    )
    waiter = asyncio.create_task(ready.wait())
    await asyncio.wait({operator, waiter}, return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await operator


@pytest.mark.anyio
async def test_an_operator_on_kopf_reports_holds_and_lets_go(
    process: UpProcess, api: Any, kubeconfig: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.to_thread(defined, api, "pets")
    monkeypatch.setenv("KUBECONFIG", kubeconfig)
    registry = kopf.OperatorRegistry()
    handled: list[tuple[str, Any]] = []

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.create(GROUP, "v1", "pets", registry=registry)
    async def create(spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
        handled.append(("create", spec["any"]))
        patch.status["phase"] = "Fed"

    @kopf.on.update(GROUP, "v1", "pets", field="spec.any", registry=registry)
    async def update(old: Any, new: Any, **_: Any) -> None:
        handled.append(("update", (old, new)))

    @kopf.on.delete(GROUP, "v1", "pets", registry=registry)
    async def delete(name: str, **_: Any) -> None:
        handled.append(("delete", name))

    path = f"/apis/{GROUP}/v1/namespaces/default/pets"
    async with process.http() as http, operating(registry), asyncio.timeout(20):

        async def until(condition: Callable[[JSONObject], bool]) -> JSONObject:
            found: JSONObject = {}
            while not condition(found := (await http.get(f"{path}/rex")).json()):  # noqa: ASYNC110 -- it does not tell
                await asyncio.sleep(0.02)
            return found

        assert (await http.post(path, json=instance("pets", "rex"))).status_code == 201
        fed = await until(lambda pet: (pet.get("status") or {}).get("phase") == "Fed")
        assert fed["metadata"]["finalizers"] == ["kopf.zalando.org/KopfFinalizerMarker"]
        merge = {"content-type": "application/merge-patch+json"}
        await http.patch(f"{path}/rex", content=b'{"spec":{"any":"bone"}}', headers=merge)
        await until(lambda pet: len(handled) == 2)
        # Held by the finalizer until the handler has run, then gone.
        deleted = await http.delete(f"{path}/rex")
        assert deleted.json()["metadata"]["deletionTimestamp"]
        await until(lambda answer: answer.get("code") == 404)
    assert handled == [("create", "thing"), ("update", ("thing", "bone")), ("delete", "rex")]
