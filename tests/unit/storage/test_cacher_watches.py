"""What watches of the watch cache receive, and when they end."""

import asyncio
import random

import pytest

from generic.meta.errors import StatusError
from generic.meta.selectors import FieldSelector, LabelSelector
from generic.storage.cacher import Cacher
from generic.storage.cacher_ring import EventRing
from generic.storage.cacher_watchers import WatcherIndex
from generic.storage.predicate import Predicate
from generic.storage.watch_stream import WatchEvent, WatchStream
from tests.support.configmaps import ConfigMaps, cacher_over, color, names, take, told
from tests.support.memory_storage import MemoryStorage

pytestmark = pytest.mark.anyio


def nothing_queued(stream: WatchStream) -> bool:
    """Whether a reader would have to wait."""
    step = stream.next_batch()
    try:
        step.send(None)
    except StopIteration:
        return False
    step.close()
    return True


async def test_a_watch_from_a_revision_sees_what_came_after_it(cacher: Cacher, maps: ConfigMaps) -> None:
    await cacher.start()
    await maps.put("a")
    then = await maps.put("b")
    await maps.put("c")
    stream = await cacher.watch(Predicate(), resource_version=str(then.mod_revision))
    await maps.put("a")
    await maps.delete("b")
    assert [told(event) for event in await take(stream, 3)] == [("ADDED", "c"), ("MODIFIED", "a"), ("DELETED", "b")]
    assert nothing_queued(stream)


@pytest.mark.parametrize("resource_version", ["", "0"])
async def test_a_watch_without_a_revision_begins_with_the_state(
    cacher: Cacher, maps: ConfigMaps, resource_version: str
) -> None:
    await maps.put("a")
    await maps.put("b", "other")
    await cacher.start()
    stream = await cacher.watch(Predicate(namespace="default"), resource_version=resource_version)
    await maps.put("c")
    await maps.put("d", "other")
    assert [told(event) for event in await take(stream, 2)] == [("ADDED", "a"), ("ADDED", "c")]


async def test_a_watch_of_the_newest_state_waits_for_a_cache_that_lags(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await cacher.start()
    storage.hold = True
    await maps.put("a")
    asyncio.get_running_loop().call_soon(storage.release)
    stream = await cacher.watch(Predicate())
    assert [told(event) for event in await take(stream, 1)] == [("ADDED", "a")]


async def test_send_initial_events_end_with_a_marked_bookmark(cacher: Cacher, maps: ConfigMaps) -> None:
    await maps.put("a")
    await maps.put("b")
    stream = await cacher.watch(Predicate(), send_initial_events=True, bookmarks=True)
    await maps.put("c")
    events = await take(stream, 4)
    assert [told(event) for event in events] == [("ADDED", "a"), ("ADDED", "b"), ("BOOKMARK", ""), ("ADDED", "c")]
    bookmark = events[2]
    assert bookmark.initial_events_end
    assert events[1].revision <= bookmark.revision < events[3].revision


async def test_without_send_initial_events_a_watch_begins_at_the_present(cacher: Cacher, maps: ConfigMaps) -> None:
    await maps.put("a")
    stream = await cacher.watch(Predicate(), send_initial_events=False, bookmarks=True)
    await maps.put("b")
    assert [told(event) for event in await take(stream, 1)] == [("ADDED", "b")]


async def test_a_watch_from_a_revision_to_come_skips_what_is_before_it(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await cacher.start()
    stream = await cacher.watch(Predicate(), resource_version=str(storage.newest + 1))
    await maps.put("a")
    await maps.put("b")
    assert [told(event) for event in await take(stream, 1)] == [("ADDED", "b")]


async def test_a_deletion_carries_the_last_state_at_its_own_revision(cacher: Cacher, maps: ConfigMaps) -> None:
    await maps.put("a", color="red")
    stream = await cacher.watch(Predicate(), send_initial_events=False)
    revision = await maps.delete("a")
    (event,) = await take(stream, 1)
    assert event.object is not None
    assert (event.type, color(event.object), event.object.revision) == ("DELETED", "red", revision)
    assert event.object.decoded()["metadata"]["resourceVersion"] == str(revision)


async def test_objects_enter_and_leave_a_selection(cacher: Cacher, maps: ConfigMaps) -> None:
    await cacher.start()
    stream = await cacher.watch(Predicate(labels=LabelSelector.parse("app=x")), resource_version=str(cacher.revision))
    await maps.put("a", labels={"app": "y"}, color="1")
    await maps.put("a", labels={"app": "x"}, color="2")
    await maps.put("a", labels={"app": "x"}, color="3")
    left = await maps.put("a", labels={"app": "y"}, color="4")
    await maps.delete("a")
    events = await take(stream, 3)
    assert [(event.type, color(event.object)) for event in events] == [
        ("ADDED", "2"),
        ("MODIFIED", "3"),
        ("DELETED", "3"),  # the state that was selected, at the revision at which it left
    ]
    assert events[2].object is not None
    assert events[2].object.decoded()["metadata"]["resourceVersion"] == str(left.mod_revision)
    replay = await cacher.watch(stream.predicate, resource_version=str(stream.after))
    assert [told(event) for event in await take(replay, 3)] == [told(event) for event in events]


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [
        (Predicate(), ["a", "b", "a"]),
        (Predicate(namespace="n1"), ["a", "b"]),
        (Predicate(namespace="n1", name="a"), ["a"]),
        (Predicate(name="a"), ["a", "a"]),
        (Predicate(fields=FieldSelector.parse("metadata.name=a")), ["a", "a"]),
        (Predicate(namespace="n1", fields=FieldSelector.parse("metadata.name=a")), ["a"]),
        (Predicate(fields=FieldSelector.parse("metadata.namespace=n2,metadata.name=a")), ["a"]),
        (Predicate(fields=FieldSelector.parse("metadata.name!=a")), ["b"]),
        (Predicate(namespace="n3"), []),
    ],
)
async def test_scope_decides_who_sees_an_object(
    cacher: Cacher, maps: ConfigMaps, predicate: Predicate, expected: list[str]
) -> None:
    stream = await cacher.watch(predicate)
    await maps.put("a", "n1")
    await maps.put("b", "n1")
    await maps.put("a", "n2")
    await cacher.stop()
    assert names(event.object for event in await take(stream, 3)) == expected
    listed = cacher_over(maps.storage)
    assert names((await listed.list(predicate)).items) == expected
    await listed.stop()


async def test_watchers_share_one_event_and_its_encoding(cacher: Cacher, maps: ConfigMaps) -> None:
    first = await cacher.watch(Predicate())
    second = await cacher.watch(Predicate(namespace="default"))
    await maps.put("a")
    (one,), (two,) = await take(first, 1), await take(second, 1)
    assert one is two
    assert one.encoding("json") is None
    one.remember_encoding("json", b"{}")
    assert two.encoding("json") == b"{}"
    assert two.encoding("table") is None


async def test_one_wake_up_brings_everything_queued(cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps) -> None:
    stream = await cacher.watch(Predicate())
    reading = asyncio.ensure_future(stream.next_batch())
    await asyncio.sleep(0)
    storage.hold = True
    for name in "abc":
        await maps.put(name)
    storage.release()
    assert len(await reading) == 3


async def test_too_old_a_revision_is_410(storage: MemoryStorage, maps: ConfigMaps) -> None:
    cacher = cacher_over(storage, ring=EventRing(min_events=2, fresh_seconds=0))
    await maps.put("before")
    await cacher.start()
    loaded = cacher.revision
    for name in "abcd":
        await maps.put(name)
    with pytest.raises(StatusError) as refused:
        await cacher.watch(Predicate(), resource_version=str(loaded))
    assert (refused.value.code, refused.value.reason) == (410, "Expired")
    assert refused.value.message == f"too old resource version: {loaded} ({loaded + 2})"
    stream = await cacher.watch(Predicate(), resource_version=str(loaded + 2))
    assert [told(event) for event in await take(stream, 2)] == [("ADDED", "c"), ("ADDED", "d")]
    await cacher.stop()


async def test_what_came_before_the_cache_is_too_old(cacher: Cacher, maps: ConfigMaps) -> None:
    old = await maps.put("a")
    await maps.put("b")
    await cacher.start()
    with pytest.raises(StatusError, match="too old resource version"):
        await cacher.watch(Predicate(), resource_version=str(old.mod_revision))


async def test_a_slow_watcher_is_cut_off_and_the_others_are_not(storage: MemoryStorage, maps: ConfigMaps) -> None:
    cacher = cacher_over(storage, queue_limit=3)
    slow = await cacher.watch(Predicate())
    fast = await cacher.watch(Predicate())
    seen: list[WatchEvent] = []
    for i in range(5):
        await maps.put(f"m{i}")
        seen += await fast.next_batch()
    assert len(seen) == 5
    assert slow.cut_off
    assert await slow.next_batch() == []
    again = await cacher.watch(Predicate(), resource_version=str(seen[0].revision))
    assert len(await take(again, 4)) == 4
    await cacher.stop()


async def test_initial_events_do_not_count_as_slowness(storage: MemoryStorage, maps: ConfigMaps) -> None:
    cacher = cacher_over(storage, queue_limit=3)
    for i in range(10):
        await maps.put(f"m{i}")
    stream = await cacher.watch(Predicate())
    await maps.put("n")
    assert len(await take(stream, 11)) == 11
    await cacher.stop()


async def test_a_closed_stream_ends_its_reader_and_is_forgotten(cacher: Cacher, maps: ConfigMaps) -> None:
    stream = await cacher.watch(Predicate())
    reading = asyncio.ensure_future(stream.next_batch())
    await asyncio.sleep(0)
    stream.close()
    stream.close()
    assert await reading == []
    await maps.put("a")
    assert await stream.next_batch() == []


async def test_a_cancelled_reader_loses_no_event(cacher: Cacher, maps: ConfigMaps) -> None:
    stream = await cacher.watch(Predicate())
    reading = asyncio.ensure_future(stream.next_batch())
    await asyncio.sleep(0)
    reading.cancel()
    await maps.put("a")
    assert [told(event) for event in await take(stream, 1)] == [("ADDED", "a")]


async def test_bookmarks_come_to_those_who_asked(storage: MemoryStorage, maps: ConfigMaps) -> None:
    cacher = cacher_over(storage, bookmark_period=0.01)
    asked = await cacher.watch(Predicate(), bookmarks=True)
    silent = await cacher.watch(Predicate())
    storage.touch()
    (bookmark,) = await asked.next_batch()
    assert (bookmark.type, bookmark.initial_events_end) == ("BOOKMARK", False)
    assert bookmark.revision == storage.newest
    (again,) = await asked.next_batch()
    assert again.type == "BOOKMARK"
    assert nothing_queued(silent)
    await cacher.stop()


async def test_a_bookmark_is_due_about_every_minute(cacher: Cacher, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    for drawn in (0.75, 1.25):
        monkeypatch.setattr(random, "uniform", lambda low, high, drawn=drawn: min(max(low, drawn), high))
        before = loop.time()
        stream = await cacher.watch(Predicate(), bookmarks=True)
        assert before + 60 * drawn <= stream.next_bookmark <= loop.time() + 60 * drawn


async def test_a_last_bookmark_is_only_given_to_who_has_everything_before_it(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    stream = await cacher.watch(Predicate(), bookmarks=True)
    assert nothing_queued(stream)
    await maps.put("a")
    assert stream.bookmark() is None
    await take(stream, 1)
    storage.touch()
    bookmark = stream.bookmark()
    assert bookmark is not None
    assert bookmark.revision == storage.newest
    assert (await cacher.watch(Predicate())).bookmark() is None


async def test_a_watch_for_one_field_value_sees_objects_come_and_go(cacher: Cacher, maps: ConfigMaps) -> None:
    red = await cacher.watch(Predicate(fields=FieldSelector.parse("data.color=red")))
    none = await cacher.watch(Predicate(namespace="default", fields=FieldSelector.parse("data.color=")))
    await maps.put("a", color="red")
    await maps.put("b", color="blue")
    await maps.put("a", color="blue")
    await maps.put("b", color="red")
    await maps.put("b")
    assert [told(event) for event in await take(red, 4)] == [
        ("ADDED", "a"),
        ("DELETED", "a"),
        ("ADDED", "b"),
        ("DELETED", "b"),
    ]
    assert [told(event) for event in await take(none, 1)] == [("ADDED", "b")]


async def test_closed_watches_leave_nothing_behind() -> None:
    index = WatcherIndex(bookmark_period=60)
    streams = [
        WatchStream(
            predicate,
            after=0,
            backlog=iter(()),
            bookmarks=True,
            limit=1,
            revision=lambda: 0,
            on_close=index.remove,
        )
        for predicate in (Predicate(), Predicate(), Predicate(fields=FieldSelector.parse("data.color=red")))
    ]
    empty = {name: dict(value) for name, value in vars(index).items() if isinstance(value, dict)}
    for stream in streams:
        index.add(stream, 0.0)
    assert len(index) == 3
    for stream in streams:
        stream.close()
        index.remove(stream)
    assert len(index) == 0
    assert {name: value for name, value in vars(index).items() if isinstance(value, dict)} == empty
