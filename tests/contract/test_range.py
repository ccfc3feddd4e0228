"""Range: order, prefix, start, limit, count, past revisions."""

import pytest

from generic.storage.interface import FutureRevision, KeyValue
from tests.contract.conftest import Engine

pytestmark = pytest.mark.anyio


async def names(engine: Engine, *, prefix: str = "", start: str = "", limit: int = 0, revision: int = 0) -> list[str]:
    first = engine.key(start) if start else ""
    found = await engine.storage.range(engine.key(prefix), start=first, limit=limit, revision=revision)
    return [item.key.removeprefix(engine.root) for item in found.items]


async def fill(engine: Engine, *keys: str) -> int:
    revision = 0
    for key in keys:
        revision = await engine.put(key, key.encode())
    return revision


async def test_nothing_there(engine: Engine) -> None:
    revision = await engine.put("a")
    found = await engine.storage.range(engine.key("b"))
    assert (list(found.items), found.revision, found.more, found.count) == ([], revision, False, 0)


async def test_items_are_whole_and_in_key_order(engine: Engine) -> None:
    revision = await fill(engine, "b", "a/2", "a/10", "é", "a.b", "a-b", "日本", "\U0001f600", "Z")
    found = await engine.storage.range(engine.root)
    keys = [item.key.removeprefix(engine.root) for item in found.items]
    assert keys == sorted(keys, key=str.encode)
    assert len(keys) == found.count == 9
    assert found.revision == revision
    assert [item.value for item in found.items] == [key.encode() for key in keys]
    assert all(item.create_revision == item.mod_revision <= revision for item in found.items)


async def test_only_keys_with_the_prefix(engine: Engine) -> None:
    await fill(engine, "pods/a", "pods/b", "pods", "podsx/a", "pod/a", "pods0")
    assert await names(engine, prefix="pods/") == ["pods/a", "pods/b"]


async def test_prefix_ending_in_the_last_character(engine: Engine) -> None:
    await fill(engine, "a\U0010ffff", "a\U0010ffffb", "b")
    assert await names(engine, prefix="a\U0010ffff") == ["a\U0010ffff", "a\U0010ffffb"]


async def test_the_empty_prefix_is_every_key(engine: Engine) -> None:
    await fill(engine, "a", "b")
    found = await engine.storage.range("")
    assert {engine.key("a"), engine.key("b")} <= {item.key for item in found.items}
    assert found.count == len(found.items)


async def test_deleted_and_superseded_are_not_listed(engine: Engine) -> None:
    first = await engine.put("a", b"1")
    second = await engine.put("b", b"1")
    await engine.storage.delete(engine.key("a"), expected_revision=first)
    await engine.put("b", b"2", after=second)
    found = await engine.storage.range(engine.root)
    assert [(item.key, item.value) for item in found.items] == [(engine.key("b"), b"2")]
    assert found.count == 1


async def test_limit_says_whether_there_are_more(engine: Engine) -> None:
    await fill(engine, "a", "b", "c")
    found = [await engine.storage.range(engine.root, limit=limit) for limit in (1, 2, 3, 4)]
    assert [(len(page.items), page.more, page.count) for page in found] == [
        (1, True, 3),
        (2, True, 3),
        (3, False, 3),
        (3, False, 3),
    ]


async def test_start_is_inclusive_and_count_begins_there(engine: Engine) -> None:
    await fill(engine, "a", "b", "c", "d")
    page = await engine.storage.range(engine.root, start=engine.key("b"), limit=2)
    assert [item.key for item in page.items] == [engine.key("b"), engine.key("c")]
    assert (page.more, page.count) == (True, 3)


async def test_start_just_behind_a_key(engine: Engine) -> None:
    await fill(engine, "a", "b", "b/c")
    assert await names(engine, start="b\0") == ["b/c"]


async def test_start_outside_the_prefix(engine: Engine) -> None:
    await fill(engine, "a/1", "b/1", "c/1")
    assert await names(engine, prefix="b/", start="a/") == ["b/1"]
    assert await names(engine, prefix="b/", start="c/") == []


async def test_pages_at_one_revision_do_not_see_later_writes(engine: Engine) -> None:
    revision = await fill(engine, *(f"k{i:02}" for i in range(10)))
    items: list[KeyValue] = []
    start = ""
    while True:
        page = await engine.storage.range(engine.root, start=start, limit=3, revision=revision)
        items += page.items
        first = page.items[0]
        await engine.storage.delete(first.key, expected_revision=first.mod_revision)
        await engine.put(f"k99{len(items)}")
        if not page.more:
            break
        start = page.items[-1].key + "\0"
    assert [item.key for item in items] == [engine.key(f"k{i:02}") for i in range(10)]


async def test_reads_at_past_revisions(engine: Engine) -> None:
    nothing = await engine.storage.revision()
    first = await engine.put("a", b"1")
    second = await engine.put("a", b"2", after=first)
    third = await engine.storage.delete(engine.key("a"), expected_revision=second)
    fourth = await engine.put("a", b"4")
    for revision, value in [(nothing, None), (first, b"1"), (second, b"2"), (third, None), (fourth, b"4")]:
        result = await engine.storage.get(engine.key("a"), revision=revision)
        listed = await engine.storage.range(engine.root, revision=revision)
        assert (result.item and result.item.value) == value
        assert [item.value for item in listed.items] == ([] if value is None else [value])
        assert (result.revision, listed.revision) == (fourth, fourth)


async def test_a_future_revision_is_refused(engine: Engine) -> None:
    revision = await engine.put("a")
    with pytest.raises(FutureRevision) as failure:
        await engine.storage.get(engine.key("a"), revision=revision + 1)
    assert failure.value.current_revision == revision
    with pytest.raises(FutureRevision):
        await engine.storage.range(engine.root, revision=revision + 1)
