"""Which APIServices are made, put right, deleted, and left alone."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from aggregator.controllers.autoregister import LABEL, AutoRegister, NotRegistered
from aggregator.priorities import Priority
from generic.meta import errors
from generic.meta.gvk import GroupResource, GroupVersion, GroupVersionResource
from generic.types import JSONObject
from tests.unit.aggregator.objects import Informer, apiservice

pytestmark = pytest.mark.anyio

GV = GroupVersion("a.example.com", "v1")
NAME = "v1.a.example.com"
PRIORITY = Priority(1000, 100)


class Store(Informer):
    """The APIServices there are: an informer and a client in one, that never disagree."""

    def __init__(self, *objects: JSONObject) -> None:
        super().__init__()
        self.held = {one["metadata"]["name"]: one for one in objects}
        self.calls: list[str] = []
        self.changed = asyncio.Event()

    async def wait_synced(self) -> None: ...

    def get(self, name: str) -> JSONObject | None:
        return self.held.get(name)

    def list(self) -> list[JSONObject]:
        return [*self.held.values()]

    async def create(self, gvr: GroupVersionResource, obj: JSONObject) -> None:
        self.put("create", obj)

    async def update(self, gvr: GroupVersionResource, obj: JSONObject) -> None:
        self.put("update", obj)

    async def delete(self, gvr: GroupVersionResource, name: str, *, uid: str) -> None:
        assert self.held[name]["metadata"]["uid"] == uid
        self.drop("delete", name)

    def put(self, call: str, obj: JSONObject) -> None:
        name = obj["metadata"]["name"]
        old, self.held[name] = self.held.get(name), obj
        self._called(f"{call} {name}")
        self.tell(old, obj)

    def drop(self, call: str, name: str) -> None:
        old = self.held.pop(name)
        self._called(f"{call} {name}")
        self.tell(old, None)

    def _called(self, call: str) -> None:
        self.calls.append(call)
        self.changed.set()

    async def until(self, *calls: str) -> None:
        while self.calls != [*calls]:
            self.changed.clear()
            await self.changed.wait()


def managed(managed: str, **spec: Any) -> JSONObject:
    made = apiservice("a.example.com", **spec)
    made["metadata"] |= {"uid": "u1", "labels": {LABEL: managed}} if managed else {"uid": "u1"}
    return made


class Setup:
    def __init__(self, *objects: JSONObject) -> None:
        self.store = Store(*objects)
        self.complete = asyncio.Event()
        store: Any = self.store
        self.register = AutoRegister(store, store, self._wait)

    async def _wait(self) -> None:
        await self.complete.wait()

    async def settle(self) -> None:
        """Give every queued key its turn: a key of our own is reconciled after all before it."""
        probe = GroupVersion("probe.example.com", "v1")
        before = len(self.store.calls)
        self.register.add(probe, PRIORITY)
        while f"create v1.{probe.group}" not in self.store.calls[before:]:
            self.store.changed.clear()
            await self.store.changed.wait()
        self.store.held.pop(f"v1.{probe.group}")
        self.store.calls.remove(f"create v1.{probe.group}")
        self.register._desired.pop(f"v1.{probe.group}")


@pytest.fixture
async def made() -> AsyncIterator[Setup]:
    setup = Setup()
    setup.register.start()
    setup.complete.set()
    yield setup
    await setup.register.stop()


async def test_a_custom_resources_apiservice_comes_back_and_is_put_right(made: Setup) -> None:
    made.register.add(GV, PRIORITY)
    await made.store.until(f"create {NAME}")
    assert made.store.held[NAME]["metadata"]["labels"] == {LABEL: "true"}
    made.store.drop("by hand", NAME)
    await made.store.until(f"create {NAME}", f"by hand {NAME}", f"create {NAME}")
    made.store.calls.clear()
    made.store.put("by hand", managed("true", priorities=(7, 7)))
    await made.store.until(f"by hand {NAME}", f"update {NAME}")
    spec = made.store.held[NAME]["spec"]
    assert (spec["groupPriorityMinimum"], spec["versionPriority"]) == PRIORITY
    made.register.remove(GV)
    await made.store.until(f"by hand {NAME}", f"update {NAME}", f"delete {NAME}")


async def test_one_without_the_label_is_nobodys_business(made: Setup) -> None:
    made.store.put("by hand", managed("", priorities=(7, 7)))
    made.register.add(GV, PRIORITY)
    await made.settle()
    made.register.remove(GV)
    await made.settle()
    assert made.store.calls == [f"by hand {NAME}"]


async def test_a_built_in_one_is_made_once_a_start_and_not_again(made: Setup) -> None:
    made.register.add_on_start(GV, PRIORITY)
    await made.store.until(f"create {NAME}")
    await made.settle()
    made.store.drop("by hand", NAME)
    await made.settle()
    assert made.store.calls == [f"create {NAME}", f"by hand {NAME}"]


async def test_an_on_start_one_that_came_later_is_left_alone(made: Setup) -> None:
    await made.settle()
    made.store.put("by hand", managed("onstart"))
    await made.settle()
    assert made.store.calls == [f"by hand {NAME}"]


async def test_who_was_faster_with_the_same_is_no_failure(made: Setup, caplog: pytest.LogCaptureFixture) -> None:
    async def create(gvr: GroupVersionResource, obj: JSONObject) -> None:
        made.store.calls.append("refused")
        made.store.changed.set()
        raise errors.already_exists(GroupResource("apiregistration.k8s.io", "apiservices"), NAME)

    made.store.create = create  # type: ignore[method-assign]
    made.register.add_on_start(GV, PRIORITY)
    await made.store.until("refused")
    del made.store.create
    await made.settle()
    assert (made.store.calls, caplog.records) == (["refused"], [])


async def test_nothing_is_deleted_before_all_that_is_wanted_is_known() -> None:
    setup = Setup(managed("true"))
    setup.register.start()
    setup.store.tell(None, setup.store.held[NAME])
    for _ in range(10):
        await asyncio.sleep(0)
    setup.register.add(GV, PRIORITY)
    setup.complete.set()
    await setup.settle()
    assert setup.store.calls == []
    await setup.register.stop()


async def test_what_nobody_wants_any_more_goes_at_the_start() -> None:
    setup = Setup(managed("onstart"))
    setup.register.start()
    setup.complete.set()
    setup.store.tell(None, setup.store.held[NAME])
    await setup.store.until(f"delete {NAME}")
    await setup.register.stop()


async def test_readiness_waits_for_every_built_in_one_to_be_available(made: Setup) -> None:
    check = made.register.check()
    await check.run()
    made.register.add_on_start(GV, PRIORITY)
    with pytest.raises(NotRegistered, match=NAME):
        await check.run()
    available = {"conditions": [{"type": "Available", "status": "True"}]}
    made.store.put("by hand", {**managed("onstart"), "status": available})
    await check.run()
