"""Compaction, keys that expire, and what is there after closing and opening again."""

import asyncio

import pytest

from generic.storage.interface import Compacted, FutureRevision, StorageError
from tests.contract.conftest import Engine
from tests.support.watching import Recorder

pytestmark = pytest.mark.anyio


async def history(engine: Engine) -> list[int]:
    """a is changed twice, b deleted, c made anew."""
    a1 = await engine.put("a", b"1")
    b1 = await engine.put("b", b"1")
    c1 = await engine.put("c", b"1")
    a2 = await engine.put("a", b"2", after=a1)
    b2 = await engine.storage.delete(engine.key("b"), expected_revision=b1)
    c2 = await engine.storage.delete(engine.key("c"), expected_revision=c1)
    c3 = await engine.put("c", b"3")
    a3 = await engine.put("a", b"3", after=a2)
    return [a1, b1, c1, a2, b2, c2, c3, a3]


async def content(engine: Engine, revision: int = 0) -> dict[str, bytes]:
    found = await engine.storage.range(engine.root, revision=revision)
    return {item.key.removeprefix(engine.root): item.value for item in found.items}


async def test_compaction_keeps_every_state_from_its_revision_on(engine: Engine) -> None:
    revisions = await history(engine)
    before = {revision: await content(engine, revision) for revision in revisions}
    for compacted in revisions:
        await engine.storage.compact(compacted)
        for revision in revisions:
            if revision < compacted:
                with pytest.raises(Compacted) as failure:
                    await engine.storage.range(engine.root, revision=revision)
                assert failure.value.compact_revision == compacted
            else:
                assert await content(engine, revision) == before[revision]
    assert await content(engine) == before[revisions[-1]]


async def test_watches_from_before_a_compaction_are_refused(engine: Engine) -> None:
    revisions = await history(engine)
    await engine.storage.compact(revisions[4])
    with pytest.raises(Compacted) as failure:
        await engine.storage.watch(engine.root, after_revision=revisions[1], sink=Recorder())
    assert failure.value.compact_revision == revisions[4]
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=revisions[4], sink=sink)
    await handle.sync(revisions[-1])
    assert sink.seen == [("deleted", "c", b""), ("created", "c", b"3"), ("changed", "a", b"3")]


async def test_a_running_watch_does_not_notice_compaction(engine: Engine) -> None:
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=await engine.storage.revision(), sink=sink)
    revisions = await history(engine)
    await handle.sync(revisions[-1])
    await engine.storage.compact(revisions[-1])
    await handle.sync(await engine.put("d"))
    assert len(sink.events) == len(revisions) + 1
    assert sink.lost is None


async def test_the_revision_does_not_go_back_when_the_last_change_was_a_deletion(engine: Engine) -> None:
    created = await engine.put("a")
    deleted = await engine.storage.delete(engine.key("a"), expected_revision=created)
    await engine.storage.compact(deleted)
    assert await engine.storage.revision() == deleted
    await engine.storage.close()
    engine.storage = engine.open()
    await engine.storage.start()
    assert await engine.storage.revision() == deleted
    assert await engine.put("a") == deleted + 1


async def test_compacting_twice_is_fine_and_the_future_cannot_be_compacted(engine: Engine) -> None:
    revisions = await history(engine)
    await engine.storage.compact(revisions[-1])
    await engine.storage.compact(revisions[-1])
    await engine.storage.compact(revisions[0])
    with pytest.raises(Compacted):
        await engine.storage.get(engine.key("a"), revision=revisions[-2])
    with pytest.raises(FutureRevision):
        await engine.storage.compact(await engine.storage.revision() + 1)


async def test_writes_go_on_during_compaction(engine: Engine) -> None:
    revision = await engine.put("a")
    for i in range(1200):
        revision = await engine.put("a", b"%d" % i, after=revision)
    compacting = asyncio.create_task(engine.storage.compact(revision))
    await asyncio.gather(*(engine.put(f"k{i}") for i in range(100)))
    await compacting
    assert len(await content(engine)) == 101
    with pytest.raises(Compacted):
        await engine.storage.get(engine.key("a"), revision=revision - 1)


async def test_a_key_expires_as_a_deletion(engine: Engine) -> None:
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=await engine.storage.revision(), sink=sink)
    await engine.storage.put(engine.key("short"), b"1", expected_revision=0, ttl=1)
    await engine.put("for-ever")
    await sink.until(lambda recorder: len(recorder.events) == 3)
    assert sink.seen[2] == ("deleted", "short", b"")
    await handle.sync(await engine.storage.revision())
    assert await content(engine) == {"for-ever": b"v"}
    assert await engine.put("short", b"again") > sink.events[2].item.mod_revision


async def test_a_later_put_replaces_the_time_to_live(engine: Engine) -> None:
    sink = Recorder()
    await engine.storage.watch(engine.root, after_revision=await engine.storage.revision(), sink=sink)

    async def put(name: str, ttl: float | None, after: int = 0) -> int:
        return (await engine.storage.put(engine.key(name), b"1", expected_revision=after, ttl=ttl)).mod_revision

    await put("kept", None, await put("kept", 1))
    await put("prolonged", 3600, await put("prolonged", 1))
    await put("last", 1)
    await sink.until(lambda recorder: ("deleted", "last", b"") in recorder.seen)
    assert set(await content(engine)) == {"kept", "prolonged"}


async def test_a_deleted_key_made_anew_does_not_inherit_the_time_to_live(engine: Engine) -> None:
    sink = Recorder()
    await engine.storage.watch(engine.root, after_revision=await engine.storage.revision(), sink=sink)
    first = await engine.storage.put(engine.key("a"), b"1", expected_revision=0, ttl=1)
    await engine.storage.delete(engine.key("a"), expected_revision=first.mod_revision)
    await engine.put("a", b"2")
    await engine.storage.put(engine.key("last"), b"1", expected_revision=0, ttl=1)
    await sink.until(lambda recorder: ("deleted", "last", b"") in recorder.seen)
    assert await content(engine) == {"a": b"2"}


async def test_many_keys_expire(engine: Engine) -> None:
    sink = Recorder()
    await engine.storage.watch(engine.root, after_revision=await engine.storage.revision(), sink=sink)
    puts = (engine.storage.put(engine.key(f"k{i}"), b"", expected_revision=0, ttl=1) for i in range(1200))
    await asyncio.gather(*puts)
    await sink.until(lambda recorder: len(recorder.events) == 2400)
    assert await content(engine) == {}


async def test_keys_expire_after_a_restart(engine: Engine) -> None:
    written = await engine.storage.put(engine.key("short"), b"1", expected_revision=0, ttl=1)
    await engine.storage.close()
    engine.storage = engine.open()
    await engine.storage.start()
    sink = Recorder()
    await engine.storage.watch(engine.root, after_revision=written.mod_revision, sink=sink)
    await sink.until(lambda recorder: recorder.seen == [("deleted", "short", b"")])


async def test_everything_is_there_after_closing_and_opening(engine: Engine) -> None:
    revisions = await history(engine)
    before = [await content(engine, revision) for revision in revisions]
    await engine.storage.close()
    engine.storage = engine.open()
    await engine.storage.start()
    assert [await content(engine, revision) for revision in revisions] == before
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=revisions[0], sink=sink)
    await handle.sync(revisions[-1])
    assert [event.item.mod_revision for event in sink.events] == revisions[1:]


async def test_closing_finishes_the_writes_under_way(engine: Engine) -> None:
    writes = [asyncio.create_task(engine.put(f"k{i}")) for i in range(100)]
    await asyncio.sleep(0)
    await engine.storage.close()
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [result for result in results if not isinstance(result, int)] == []
    engine.storage = engine.open()
    await engine.storage.start()
    assert len(await content(engine)) == 100


async def test_a_closed_engine_refuses_and_closes_again(engine: Engine) -> None:
    await engine.storage.close()
    await engine.storage.close()
    with pytest.raises(StorageError):
        await engine.storage.revision()
    with pytest.raises(StorageError):
        await engine.storage.get(engine.key("a"))
    with pytest.raises(StorageError):
        await engine.storage.range(engine.root)
    with pytest.raises(StorageError):
        await engine.put("a")
    with pytest.raises(StorageError):
        await engine.storage.watch(engine.root, after_revision=0, sink=Recorder())
    with pytest.raises(StorageError):
        await engine.storage.compact(1)
