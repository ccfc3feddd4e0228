"""How the watch cache starts, stops, loses its watch and comes back, and what its in-process observers hear."""

import asyncio
import contextlib

import pytest

from generic.meta.errors import StatusError
from generic.storage import cacher_feed
from generic.storage.cacher import Cacher
from generic.storage.interface import StorageError
from generic.storage.predicate import Predicate
from generic.storage.watch_stream import WatchEvent
from tests.support.configmaps import ConfigMaps, names, take, told
from tests.support.memory_storage import MemoryStorage

pytestmark = pytest.mark.anyio


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
    stream = await cacher.watch(Predicate(), send_initial_events=False)
    storage.fail = StorageError("still down")
    storage.lose(StorageError("connection lost"))
    assert await stream.next_batch() == []
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


async def test_a_loss_right_after_the_load_is_not_loaded_twice(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    gate = asyncio.Event()

    def lose() -> None:
        storage.gate = gate
        storage.lose(StorageError("connection lost"))

    def lose_soon(call: str) -> None:
        if call == "watch":
            storage.on_call = None
            asyncio.get_running_loop().call_soon(lose)

    storage.on_call = lose_soon
    await cacher.start()
    again = asyncio.ensure_future(cacher.start())
    await asyncio.sleep(0)
    gate.set()
    await again
    assert storage.calls == ["range", "watch", "range", "watch"]


async def test_a_large_resource_is_loaded_in_parts(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cacher_feed, "LOAD_PAGE", 2)
    for name in ("0", "a", "a-", "a.", "b"):
        await maps.put(name)
    storage.calls.clear()
    await cacher.start()
    assert storage.calls == ["range", "range", "range", "watch"]
    assert names(cacher.peek_all()) == ["0", "a", "a-", "a.", "b"]


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
    await maps.put("a", color="blue")
    await maps.delete("a")
    assert [told(event) for event in await take(stream, 2)] == [("MODIFIED", "a"), ("DELETED", "a")]
