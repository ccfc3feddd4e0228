"""The watch cache over the engine it is shipped with."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from generic.meta.errors import StatusError
from generic.storage.predicate import Predicate
from generic.storage.sqlite import SqliteStorage
from generic.storage.watch_stream import WatchEvent, WatchStream
from tests.support.configmaps import IMPATIENT, ConfigMaps, cacher_over, color, names, take, told

pytestmark = pytest.mark.anyio


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    storage = SqliteStorage(tmp_path / "state.db")
    await storage.start()
    yield storage
    await storage.close()


async def test_a_write_is_in_the_cache_when_it_is_acknowledged(storage: SqliteStorage) -> None:
    cacher, maps = cacher_over(storage), ConfigMaps(storage)
    await cacher.start()
    for i in range(20):
        item = await maps.put("a", color=str(i))
        held = cacher.peek("default", "a")
        assert held is not None
        assert held.revision == item.mod_revision
        assert color(await cacher.get("default", "a")) == str(i)
    await maps.delete("a")
    assert await cacher.get("default", "a") is None
    await cacher.stop()


async def test_concurrent_writers_are_told_to_every_watcher_in_order(storage: SqliteStorage) -> None:
    cacher, maps = cacher_over(storage), ConfigMaps(storage)
    streams = [await cacher.watch(Predicate()) for _ in range(3)]

    async def read(stream: WatchStream) -> list[WatchEvent]:
        return await take(stream, 200)

    async def churn(name: str) -> None:
        for i in range(20):
            await maps.put(name, color=str(i))

    readers = [asyncio.ensure_future(read(stream)) for stream in streams]
    await asyncio.gather(*(churn(f"m{i}") for i in range(10)))
    first, *others = await asyncio.gather(*readers)
    revisions = [event.revision for event in first]
    assert revisions == sorted(set(revisions))
    assert all([e.revision for e in other] == revisions for other in others)
    await cacher.stop()


async def test_pages_under_churn_show_one_revision_until_it_is_compacted(storage: SqliteStorage) -> None:
    cacher, maps = cacher_over(storage), ConfigMaps(storage)
    for i in range(9):
        await maps.put(f"m{i}", color="old")
    page = await cacher.list(Predicate(), limit=3)
    await maps.delete("m3")
    await maps.put("m4", color="new")
    second = await cacher.list(Predicate(), limit=3, continue_token=page.continue_token)
    assert (names(second.items), {color(obj) for obj in second.items}) == (["m3", "m4", "m5"], {"old"})
    assert (second.revision, second.remaining) == (page.revision, 3)
    await storage.compact(cacher.revision)
    with pytest.raises(StatusError) as refused:
        await cacher.list(Predicate(), limit=3, continue_token=page.continue_token)
    token = refused.value.to_status()["metadata"]["continue"]
    rest = await cacher.list(Predicate(), limit=3, continue_token=token)
    assert names(rest.items) == ["m4", "m5", "m6"]
    await cacher.stop()


async def test_a_closed_storage_ends_watches_and_refuses_requests(tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "state.db")
    await storage.start()
    cacher, maps = cacher_over(storage, patience=IMPATIENT), ConfigMaps(storage)
    stream = await cacher.watch(Predicate())
    await maps.put("a")
    await storage.close()
    assert [told(event) for event in await take(stream, 2)] == [("ADDED", "a")]
    with pytest.raises(StatusError):
        await cacher.list(Predicate())
    await cacher.stop()


async def test_the_cache_of_a_reopened_file_is_what_was_written(tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "state.db")
    await storage.start()
    maps = ConfigMaps(storage)
    await maps.put("a", color="red")
    await maps.put("b")
    last = await maps.delete("b")
    await storage.close()
    await storage.start()
    cacher = cacher_over(storage)
    result = await cacher.list(Predicate())
    assert (names(result.items), result.revision) == (["a"], last)
    with pytest.raises(StatusError, match="too old resource version"):
        await cacher.watch(Predicate(), resource_version=str(last - 1))
    await cacher.stop()
    await storage.close()
