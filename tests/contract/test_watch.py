"""Watch: past then present, in order, without gap or duplicate; how far it is; how it ends."""

import asyncio

import pytest

from generic.storage.interface import CompareFailed, StorageError, WatchBatch
from tests.contract.conftest import Engine
from tests.support.watching import Recorder

pytestmark = pytest.mark.anyio


async def test_changes_are_seen_with_what_they_are(engine: Engine) -> None:
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=await engine.storage.revision(), sink=sink)
    created = await engine.put("a", b"1")
    changed = await engine.put("a", b"2", after=created)
    deleted = await engine.storage.delete(engine.key("a"), expected_revision=changed)
    await handle.sync(deleted)
    assert sink.seen == [("created", "a", b"1"), ("changed", "a", b"2"), ("deleted", "a", b"")]
    assert [event.item.mod_revision for event in sink.events] == [created, changed, deleted]
    assert [event.item.create_revision for event in sink.events] == [created, created, 0]


async def test_the_past_is_replayed_from_the_given_revision(engine: Engine) -> None:
    first = await engine.put("a", b"1")
    second = await engine.put("b", b"1")
    await engine.storage.delete(engine.key("a"), expected_revision=first)
    await engine.put("b", b"2", after=second)
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=first, sink=sink)
    await handle.sync(await engine.storage.revision())
    assert sink.seen == [("created", "b", b"1"), ("deleted", "a", b""), ("changed", "b", b"2")]


async def test_only_changes_below_the_prefix(engine: Engine) -> None:
    sinks = {prefix: Recorder() for prefix in ("pods/", "pods/ns1/", "po", "")}
    before = await engine.storage.revision()
    handles = [await engine.storage.watch(engine.key(p), after_revision=before, sink=s) for p, s in sinks.items()]
    for name in ("pods/ns1/a", "pods/ns2/b", "podsx", "nodes/c", "pod/d"):
        await engine.put(name)
    for handle in handles:
        await handle.sync(await engine.storage.revision())
    assert {prefix: [name for _, name, _ in sink.seen] for prefix, sink in sinks.items()} == {
        "pods/": ["a", "b"],
        "pods/ns1/": ["a"],
        "po": ["a", "b", "podsx", "d"],
        "": ["a", "b", "podsx", "c", "d"],
    }


async def test_replay_and_present_join_without_gap_or_duplicate(engine: Engine) -> None:
    start = await engine.storage.revision()
    stop = False

    async def write(writer: int) -> list[int]:
        revisions: list[int] = []
        revision = 0
        while not stop or len(revisions) < 40:
            name = f"k{writer}"
            if revision and len(revisions) % 5 == 4:
                revisions.append(await engine.storage.delete(engine.key(name), expected_revision=revision))
                revision = 0
            else:
                revision = await engine.put(name, b"%d" % len(revisions), after=revision)
                revisions.append(revision)
        return revisions

    progress = Recorder()
    await engine.storage.watch(engine.root, after_revision=start, sink=progress)
    writers = [asyncio.create_task(write(i)) for i in range(8)]
    sinks: list[tuple[int, Recorder]] = []
    handles = []
    for step in range(5):
        await progress.until_more_than(20 * step)
        # From the beginning, and from wherever the writers are by now.
        for after in (start, await engine.storage.revision()):
            sinks.append((after, Recorder()))
            handles.append(await engine.storage.watch(engine.root, after_revision=after, sink=sinks[-1][1]))
    stop = True
    written = sorted(revision for revisions in await asyncio.gather(*writers) for revision in revisions)
    for handle in handles:
        await handle.sync(written[-1])
    for after, sink in sinks:
        assert [event.item.mod_revision for event in sink.events] == [r for r in written if r > after]


async def test_a_long_past_is_replayed_whole(engine: Engine) -> None:
    start = await engine.storage.revision()
    written = sorted(await asyncio.gather(*(engine.put(f"k{i}") for i in range(2500))))
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=start, sink=sink)
    await handle.sync(written[-1])
    assert [event.item.mod_revision for event in sink.events] == written


async def test_large_changes_come_whole(engine: Engine) -> None:
    start = await engine.storage.revision()
    values = [bytes([i]) * 1_000_000 for i in range(12)]
    await asyncio.gather(*(engine.put(f"k{i:02}", value) for i, value in enumerate(values)))
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=start, sink=sink)
    await handle.sync(await engine.storage.revision())
    assert sorted(event.item.value for event in sink.events) == values


async def test_a_watch_from_the_future_waits_for_it(engine: Engine) -> None:
    revision = await engine.put("a")
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=revision + 2, sink=sink)
    assert handle.revision == revision + 2
    last = 0
    for name in ("b", "c", "d", "e"):
        last = await engine.put(name)
    await handle.sync(last)
    assert [name for _, name, _ in sink.seen] == ["d", "e"]


async def test_sync_needs_no_change_below_the_prefix(engine: Engine) -> None:
    sink = Recorder()
    handle = await engine.storage.watch(engine.key("quiet/"), after_revision=await engine.put("a"), sink=sink)
    revision = await engine.put("b")
    async with asyncio.timeout(20):
        await handle.sync(revision)
    assert handle.revision >= revision
    assert sink.events == []


async def test_after_sync_to_the_newest_revision_every_acknowledged_write_was_seen(engine: Engine) -> None:
    sink = Recorder()
    handle = await engine.storage.watch(engine.root, after_revision=await engine.storage.revision(), sink=sink)

    async def write_and_look(writer: int) -> None:
        for i in range(20):
            written = await engine.put(f"k{writer}-{i}")
            await handle.sync(await engine.storage.revision())
            assert written in {event.item.mod_revision for event in sink.events}

    await asyncio.gather(*(write_and_look(i) for i in range(8)))


async def test_sync_to_a_revision_that_comes_later(engine: Engine) -> None:
    handle = await engine.storage.watch(engine.root, after_revision=await engine.storage.revision(), sink=Recorder())
    waiting = asyncio.create_task(handle.sync(await engine.storage.revision() + 2))
    await engine.put("a")
    await asyncio.sleep(0)
    assert not waiting.done()
    await engine.put("b")
    async with asyncio.timeout(20):
        await waiting


async def test_a_cancelled_watch_is_silent(engine: Engine) -> None:
    kept, cancelled = Recorder(), Recorder()
    before = await engine.storage.revision()
    handles = [await engine.storage.watch(engine.root, after_revision=before, sink=sink) for sink in (kept, cancelled)]
    handles[1].cancel()
    handles[1].cancel()
    await handles[0].sync(await engine.put("a"))
    assert len(kept.events) == 1
    assert cancelled.events == []


async def test_a_sink_may_cancel_its_watch_and_write(engine: Engine) -> None:
    class Once(Recorder):
        def on_batch(self, batch: WatchBatch) -> None:
            super().on_batch(batch)
            handle.cancel()
            writes.append(asyncio.create_task(engine.put("from-the-sink")))

    writes: list[asyncio.Task[int]] = []
    sink, other = Once(), Recorder()
    before = await engine.storage.revision()
    handle = await engine.storage.watch(engine.root, after_revision=before, sink=sink)
    await engine.storage.watch(engine.root, after_revision=before, sink=other)
    await engine.put("a")
    await other.until(lambda recorder: len(recorder.events) == 2)
    assert len(sink.events) == len(writes) == 1
    await writes[0]


async def test_a_failed_write_is_no_change(engine: Engine) -> None:
    sink = Recorder()
    revision = await engine.put("a")
    handle = await engine.storage.watch(engine.root, after_revision=revision, sink=sink)
    with pytest.raises(CompareFailed):
        await engine.put("a", b"2")
    await handle.sync(await engine.put("b"))
    assert [name for _, name, _ in sink.seen] == ["b"]


async def test_closing_ends_watches_and_those_who_wait(engine: Engine) -> None:
    sink = Recorder()
    revision = await engine.storage.revision()
    handle = await engine.storage.watch(engine.root, after_revision=revision, sink=sink)
    waiting = asyncio.create_task(handle.sync(revision + 100))
    await asyncio.sleep(0)
    await engine.storage.close()
    assert isinstance(sink.lost, StorageError)
    with pytest.raises(StorageError):
        await waiting
    with pytest.raises(StorageError):
        await handle.sync(revision + 100)
