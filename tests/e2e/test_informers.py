"""Copies that real clients keep by watching, while others write, the server is killed and its history forgotten.

Each client follows the ConfigMaps of a namespace in the way its documentation has it. Whatever comes between, all of
them end with exactly what the server has.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import kopf
import kr8s
import pytest
import urllib3
from kubernetes import client, config, watch

from generic.storage.sqlite import SqliteStorage
from tests.e2e.test_clients import NEWER_THAN_KR8S, kr8s_api, operating
from tests.support.etcd import free_port
from tests.support.load import PATH, Load
from tests.support.program import UpProcess
from trikube.storage import DATABASE

PATIENCE = 20.0
"""Seconds; only a failing test waits that long."""

# These are not typed, or too narrowly for how people call them.
kubernetes: Any = client
Watch: Any = watch.Watch
_new_client: Any = config.new_client_from_config

Copy = dict[str, str]
"""Names and resourceVersions."""


def apply(copy: Copy, kind: str, name: str, version: str) -> None:
    if kind == "DELETED":
        copy.pop(name, None)
    else:
        copy[name] = version


class Kubernetes:
    """`kubernetes`: list, watch from there, watch on after a lost connection, list anew when that is too late."""

    def __init__(self, kubeconfig: str) -> None:
        self.copy: Copy = {}
        self.lists = 0
        self._kubeconfig = kubeconfig
        self._watch = Watch()
        self._stop = threading.Event()

    def run(self) -> None:
        with _new_client(self._kubeconfig) as api:
            # Ours is the loop around it; its own retries would only wait longer.
            api.configuration.retries = False
            core = kubernetes.CoreV1Api(api)
            while not self._stop.is_set():
                with suppress(urllib3.exceptions.HTTPError, kubernetes.ApiException):
                    found = core.list_namespaced_config_map("default")
                    self.lists += 1
                    self.copy.clear()
                    self.copy.update({item.metadata.name: item.metadata.resource_version for item in found.items})
                    self._follow(core, found.metadata.resource_version)
                self._stop.wait(0.05)

    def _follow(self, core: Any, version: str) -> None:
        """Raises ApiException when the server no longer knows what came after `version`."""
        while not self._stop.is_set():
            with suppress(urllib3.exceptions.HTTPError):
                for event in self._watch.stream(
                    core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=5
                ):
                    metadata = event["object"].metadata
                    version = metadata.resource_version
                    apply(self.copy, event["type"], metadata.name, version)
                    if self._stop.is_set():
                        return
            self._stop.wait(0.05)

    def stop(self) -> None:
        """It notices with the next event."""
        self._stop.set()


async def follow_with_kr8s(api: Any, copy: Copy) -> None:
    """`kr8s` says nothing of its own resuming, so whoever loses a watch begins a new one with all that is there."""
    while True:
        with suppress(httpx.HTTPError, kr8s.ServerError, kr8s.APITimeoutError, ConnectionError):
            async with api.call_api("GET", url="configmaps", namespace="default") as answer:
                found = answer.json()
            copy.clear()
            copy.update({item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in found["items"]})
            since = found["metadata"]["resourceVersion"]
            async for kind, seen in api.watch("configmaps", namespace="default", since=since):
                apply(copy, kind, seen.name, seen.metadata.resourceVersion)
        await asyncio.sleep(0.05)


def kopf_registry(copy: Copy) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.startup(registry=registry)
    def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.networking.error_backoffs = [0.1] * 200
        settings.watching.initial_streaming = True

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.event("v1", "configmaps", registry=registry)
    def seen(type: str | None, name: str, meta: kopf.Meta, **_: Any) -> None:
        apply(copy, type or "ADDED", name, meta["resourceVersion"])

    return registry


async def compact(folder: Path) -> None:
    """Forget everything but the present, while no server has the file open."""
    storage = SqliteStorage(folder / DATABASE)
    await storage.start()
    try:
        await storage.compact(await storage.revision())
    finally:
        await storage.close()


async def until(condition: Callable[[], bool], what: str) -> None:
    """Return once it holds; the clients do not tell."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(what) from None


@asynccontextmanager
async def running(process: UpProcess) -> AsyncIterator[UpProcess]:
    try:
        await asyncio.to_thread(process.start)
        yield process
    finally:
        process.kill()


@asynccontextmanager
async def following(kubeconfig: str, ours: Kubernetes, by_kr8s: Copy, by_kopf: Copy) -> AsyncIterator[None]:
    """Three clients at work. A write after `ours.stop()` spares the wait for the end of its watch."""
    async with kr8s_api(kubeconfig) as api, operating(kopf_registry(by_kopf)):
        thread = threading.Thread(target=ours.run)
        thread.start()
        task = asyncio.create_task(follow_with_kr8s(api, by_kr8s))
        try:
            yield
        finally:
            ours.stop()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await asyncio.to_thread(thread.join)


@NEWER_THAN_KR8S
@pytest.mark.anyio
async def test_copies_of_real_clients_survive_churn_kills_and_compaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = UpProcess(tmp_path / "data", "--secure-port", str(free_port()))
    kubeconfig = process.folder / "admin.kubeconfig"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(process))
        # The file is made anew with each start; who reads it late must not meet it half written.
        kept = tmp_path / "kubeconfig"
        kept.write_bytes(kubeconfig.read_bytes())
        monkeypatch.setenv("KUBECONFIG", str(kept))
        ours, by_kr8s, by_kopf = Kubernetes(str(kept)), Copy(), Copy()
        http = await stack.enter_async_context(process.http())

        async def check() -> None:
            items = (await http.get(PATH)).json()["items"]
            there = {item["metadata"]["name"]: item["metadata"]["resourceVersion"] for item in items}
            assert len(there) > 50
            await until(lambda: ours.copy == there, "the copy of kubernetes")
            await until(lambda: by_kr8s == there, "the copy of kr8s")
            # kopf tells no handler of what was deleted while it could not watch.
            await until(lambda: there.items() <= by_kopf.items(), "the copy of kopf")

        await stack.enter_async_context(following(str(kept), ours, by_kr8s, by_kopf))
        load = Load(process.http, writers=4)
        await load.until_acknowledged(150)
        await until(lambda: min(len(ours.copy), len(by_kr8s), len(by_kopf)) > 50, "all are following")
        process.kill()
        await asyncio.to_thread(process.start)
        await load.until_acknowledged(150)
        await load.finish()
        await check()

        lists = ours.lists
        # What they do not follow moves time on, so that theirs is before the compaction.
        secret = {"metadata": {"name": "elsewhere"}}
        assert (await http.post(PATH.replace("configmaps", "secrets"), json=secret)).status_code == 201
        process.kill()
        await compact(process.folder)
        await asyncio.to_thread(process.start)
        load = Load(process.http, writers=4, tag="-later")
        await load.until_acknowledged(100)
        await load.finish()
        await check()
        assert ours.lists > lists
        ours.stop()
        assert (await http.post(PATH, json={"metadata": {"name": "last"}})).status_code == 201
