"""Writes: compare-and-swap, revisions, many at once, callers that leave."""

import asyncio

import pytest

from generic.storage.interface import CompareFailed, KeyValue
from tests.contract.conftest import Engine

pytestmark = pytest.mark.anyio


async def test_create_returns_what_was_written(engine: Engine) -> None:
    before = await engine.storage.revision()
    written = await engine.storage.put(engine.key("a"), b"1", expected_revision=0)
    assert written == KeyValue(engine.key("a"), b"1", before + 1, before + 1)
    assert await engine.storage.revision() == before + 1
    assert (await engine.storage.get(engine.key("a"))).item == written


async def test_an_empty_value_is_a_value(engine: Engine) -> None:
    await engine.put("a", b"")
    found = (await engine.storage.get(engine.key("a"))).item
    assert found is not None
    assert found.value == b""


async def test_create_of_an_existing_key_says_what_is_there(engine: Engine) -> None:
    written = await engine.storage.put(engine.key("a"), b"1", expected_revision=0)
    revision = await engine.storage.revision()
    with pytest.raises(CompareFailed) as failure:
        await engine.storage.put(engine.key("a"), b"2", expected_revision=0)
    assert failure.value.current == written
    assert await engine.storage.revision() == revision


async def test_update_keeps_the_create_revision(engine: Engine) -> None:
    created = await engine.put("a", b"1")
    await engine.put("other")
    updated = await engine.storage.put(engine.key("a"), b"2", expected_revision=created)
    assert updated == KeyValue(engine.key("a"), b"2", created, created + 2)
    assert (await engine.storage.get(engine.key("a"))).item == updated


async def test_update_at_an_old_revision_fails(engine: Engine) -> None:
    first = await engine.put("a", b"1")
    second = await engine.put("a", b"2", after=first)
    with pytest.raises(CompareFailed) as failure:
        await engine.put("a", b"3", after=first)
    assert failure.value.current == KeyValue(engine.key("a"), b"2", first, second)


async def test_update_of_nothing_fails(engine: Engine) -> None:
    with pytest.raises(CompareFailed) as failure:
        await engine.put("a", b"1", after=await engine.storage.revision())
    assert failure.value.current is None


async def test_delete_takes_a_revision(engine: Engine) -> None:
    created = await engine.put("a")
    deleted = await engine.storage.delete(engine.key("a"), expected_revision=created)
    assert deleted == created + 1
    result = await engine.storage.get(engine.key("a"))
    assert (result.item, result.revision) == (None, deleted)


async def test_delete_at_an_old_revision_fails(engine: Engine) -> None:
    first = await engine.put("a", b"1")
    second = await engine.put("a", b"2", after=first)
    with pytest.raises(CompareFailed) as failure:
        await engine.storage.delete(engine.key("a"), expected_revision=first)
    assert failure.value.current == KeyValue(engine.key("a"), b"2", first, second)


@pytest.mark.parametrize("expected_revision", [0, 1])
async def test_delete_of_nothing_fails(engine: Engine, expected_revision: int) -> None:
    revision = await engine.storage.revision()
    with pytest.raises(CompareFailed) as failure:
        await engine.storage.delete(engine.key("a"), expected_revision=expected_revision)
    assert failure.value.current is None
    assert await engine.storage.revision() == revision


async def test_a_deleted_key_is_created_anew(engine: Engine) -> None:
    created = await engine.put("a", b"1")
    deleted = await engine.storage.delete(engine.key("a"), expected_revision=created)
    with pytest.raises(CompareFailed):
        await engine.put("a", b"2", after=deleted)
    again = await engine.storage.put(engine.key("a"), b"2", expected_revision=0)
    assert again == KeyValue(engine.key("a"), b"2", deleted + 1, deleted + 1)


async def test_of_many_writers_of_one_key_one_wins_each_round(engine: Engine) -> None:
    async def write(value: bytes) -> int | None:
        try:
            return await engine.put("a", value)
        except CompareFailed:
            return None

    won = [revision for revision in await asyncio.gather(*(write(b"%d" % i) for i in range(20))) if revision]
    assert len(won) == 1


async def test_concurrent_writes_each_take_one_revision(engine: Engine) -> None:
    before = await engine.storage.revision()
    revisions = await asyncio.gather(*(engine.put(f"k{i}") for i in range(200)))
    assert sorted(revisions) == list(range(before + 1, before + 201))


async def test_a_failed_write_does_not_fail_those_beside_it(engine: Engine) -> None:
    await engine.put("taken")
    names = ["a", "taken", "b", "taken", "c"]
    results = await asyncio.gather(*(engine.put(name) for name in names), return_exceptions=True)
    assert [isinstance(result, CompareFailed) for result in results] == [False, True, False, True, False]


async def test_increments_by_compare_and_swap_lose_none(engine: Engine) -> None:
    await engine.put("counter", b"0")

    async def increment() -> None:
        while True:
            item = (await engine.storage.get(engine.key("counter"))).item
            assert item is not None
            try:
                await engine.put("counter", b"%d" % (int(item.value) + 1), after=item.mod_revision)
            except CompareFailed:
                continue
            return

    await asyncio.gather(*(increment() for _ in range(20)))
    item = (await engine.storage.get(engine.key("counter"))).item
    assert item is not None
    assert item.value == b"20"


async def test_a_cancelled_writer_leaves_the_others_and_the_store_alone(engine: Engine) -> None:
    writers = [asyncio.create_task(engine.put(f"k{i}")) for i in range(50)]
    await asyncio.sleep(0)
    for writer in writers[::2]:
        writer.cancel()
    results = await asyncio.gather(*writers, return_exceptions=True)
    assert all(isinstance(result, int) for result in results[1::2])
    await engine.put("last")
    found = await engine.storage.range(engine.root)
    assert {engine.key(f"k{i}") for i in range(1, 50, 2)} <= {item.key for item in found.items}
    revisions = [item.mod_revision for item in found.items]
    assert len(set(revisions)) == len(revisions)


async def test_values_of_a_megabyte_are_kept(engine: Engine) -> None:
    value = bytes(range(256)) * 4096
    await engine.put("big", value)
    item = (await engine.storage.get(engine.key("big"))).item
    assert item is not None
    assert item.value == value
