"""What watches of the watch cache receive, and when they end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from generic.meta.errors import StatusError
from generic.meta.selectors import FieldSelector, LabelSelector
from generic.storage.cacher import Cacher
from generic.storage.cacher_ring import EventRing
from generic.storage.interface import StorageError
from generic.storage.predicate import Predicate
from generic.storage.watch_stream import WatchEvent, WatchStream
from tests.support.configmaps import IMPATIENT, ConfigMaps, cacher_over, color, names, take, told
from tests.support.memory_storage import MemoryStorage

pytestmark = pytest.mark.anyio


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
async def cacher(storage: MemoryStorage) -> AsyncIterator[Cacher]:
    cacher = cacher_over(storage, patience=IMPATIENT)
    yield cacher
    await cacher.stop()


@pytest.fixture
def maps(storage: MemoryStorage) -> ConfigMaps:
    return ConfigMaps(storage)


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


async def test_stop_ends_watches_after_what_is_queued(cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps) -> None:
    stream = await cacher.watch(Predicate())
    await maps.put("a")
    await cacher.stop()
    assert [told(event) for event in await stream.next_batch()] == [("ADDED", "a")]
    assert await stream.next_batch() == []
    assert not storage.handles
    with pytest.raises(StatusError) as refused:
        await cacher.get("default", "a")
    assert refused.value.code == 503


async def test_a_lost_watch_ends_watchers_and_the_cache_loads_anew(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await maps.put("a")
    await maps.put("b")
    stream = await cacher.watch(Predicate(), send_initial_events=False)
    storage.hold = True
    await maps.delete("a")
    await maps.put("c")
    storage.hold = False
    storage.lose(StorageError("connection lost"))
    assert await stream.next_batch() == []
    assert names((await cacher.list(Predicate())).items) == ["b", "c"]
    with pytest.raises(StatusError, match="too old"):
        await cacher.watch(Predicate(), resource_version=str(stream.after))
    fresh = await cacher.watch(Predicate())
    await maps.put("d")
    assert [told(event) for event in await take(fresh, 3)] == [("ADDED", "b"), ("ADDED", "c"), ("ADDED", "d")]


async def test_while_it_cannot_load_anew_requests_are_429_until_it_can(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await maps.put("a")
    await cacher.start()
    storage.fail = StorageError("still down")
    storage.lose(StorageError("connection lost"))
    with pytest.raises(StatusError) as refused:
        await cacher.list(Predicate(), resource_version="0")
    status = refused.value.to_status()
    assert (status["code"], status["reason"]) == (429, "TooManyRequests")
    assert status["message"] == "storage is (re)initializing"
    assert status["details"]["retryAfterSeconds"] == 1
    assert cacher.peek("default", "a") is not None
    storage.fail = None
    for _ in range(100):
        with contextlib.suppress(StatusError):
            assert names((await cacher.list(Predicate())).items) == ["a"]
            return
    pytest.fail("it does not come back")


async def test_a_first_load_that_fails_is_told_and_tried_again_by_the_next(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await maps.put("a")
    storage.fail = StorageError("no connection")
    with pytest.raises(StatusError) as refused:
        await cacher.start()
    assert (refused.value.code, refused.value.reason) == (500, "ServerTimeout")
    assert refused.value.message == (
        "The list operation against configmaps could not be completed at this time, please try again."
    )
    storage.fail = None
    assert names((await cacher.list(Predicate())).items) == ["a"]


async def test_many_callers_share_one_load_and_survive_each_other(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await maps.put("a")
    storage.calls.clear()
    storage.gate = asyncio.Event()
    callers = [asyncio.ensure_future(cacher.start()) for _ in range(5)]
    await asyncio.sleep(0)
    callers[0].cancel()
    storage.gate.set()
    assert await asyncio.gather(*callers[1:]) == [None] * 4
    assert storage.calls == ["range", "watch"]


async def test_a_load_that_is_compacted_away_is_begun_again(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await maps.put("a")

    def compact_between_listing_and_watch(call: str) -> None:
        if call == "watch":
            storage.on_call = None
            storage.newest += 1
            storage.compacted = storage.newest

    storage.calls.clear()
    storage.on_call = compact_between_listing_and_watch
    await cacher.start()
    assert storage.calls == ["range", "watch", "range", "watch"]
    assert cacher.peek("default", "a") is not None


async def test_subscribers_hear_of_every_object_and_every_change(cacher: Cacher, maps: ConfigMaps) -> None:
    heard: list[tuple[str, str]] = []
    await maps.put("a")
    await cacher.start()
    unsubscribe = cacher.subscribe(lambda event: heard.append(told(event)))
    assert heard == [("ADDED", "a")]
    await maps.put("b")
    await maps.put("a")
    await maps.delete("b")
    unsubscribe()
    await maps.put("c")
    assert heard == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]


async def test_subscribers_hear_the_difference_after_a_loss(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    heard: list[tuple[str, str]] = []
    cacher.subscribe(lambda event: heard.append(told(event)))
    for name in "abc":
        await maps.put(name)
    await cacher.start()
    assert heard == [("ADDED", "a"), ("ADDED", "b"), ("ADDED", "c")]
    heard.clear()
    storage.hold = True
    await maps.delete("a")
    await maps.put("b")
    await maps.put("d")
    storage.hold = False
    storage.lose(StorageError("connection lost"))
    await cacher.start()
    assert heard == [("DELETED", "a"), ("MODIFIED", "b"), ("ADDED", "d")]


async def test_a_failing_subscriber_stops_nobody_else(
    cacher: Cacher, maps: ConfigMaps, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[tuple[str, str]] = []

    def fail(_: WatchEvent) -> None:
        raise ValueError("subscriber's fault")

    await cacher.start()
    cacher.subscribe(fail)
    cacher.subscribe(lambda event: heard.append(told(event)))
    stream = await cacher.watch(Predicate())
    await maps.put("a")
    assert heard == [("ADDED", "a")]
    assert len(await take(stream, 1)) == 1
    assert "subscriber's fault" in caplog.text


async def test_an_object_that_becomes_unreadable_is_not_told_as_deleted(cacher: Cacher, maps: ConfigMaps) -> None:
    await maps.put("a", color="red")
    stream = await cacher.watch(Predicate(), send_initial_events=False)
    await maps.garbage("a")
    assert nothing_queued(stream)
    await maps.put("a", color="blue")
    await maps.delete("a")
    assert [told(event) for event in await take(stream, 2)] == [("MODIFIED", "a"), ("DELETED", "a")]
