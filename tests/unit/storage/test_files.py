"""The file engine's folder: what people find there, what they may change, and what a crash leaves behind."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from generic.storage.files import FileStorage
from generic.storage.files_disk import Folder
from generic.storage.interface import OutcomeUnknown, StorageError

pytestmark = pytest.mark.anyio

KEY = "/registry/demo.io/cats/default/tom"
VALUE = b'{"kind":"Cat","metadata":{"name":"tom"},"spec":{"lives":9}}'


def named(name: str, lives: int = 9) -> bytes:
    return orjson.dumps({"kind": "Cat", "metadata": {"name": name}, "spec": {"lives": lives}})


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[FileStorage]:
    storage = FileStorage(path)
    await storage.start()
    try:
        yield storage
    finally:
        await storage.close()


def file(path: Path, key: str = KEY) -> Path:
    return path / f"{key.strip('/')}.json"


async def test_each_object_is_a_file_people_can_read_and_only_its_owner_may(tmp_path: Path) -> None:
    async with opened(tmp_path) as storage:
        await storage.put(KEY, VALUE, expected_revision=0)
        assert file(tmp_path).read_text().splitlines()[:4] == [
            "{",
            '  "kind": "Cat",',
            '  "metadata": {',
            '    "name": "tom"',
        ]
        assert {path.stat().st_mode & 0o077 for path in (file(tmp_path), tmp_path / ".journal")} == {0}
        found = (await storage.get(KEY)).item
        assert found is not None
        assert found.value == VALUE


async def test_what_was_edited_added_and_removed_meanwhile_is_a_change_each(tmp_path: Path) -> None:
    async with opened(tmp_path) as storage:
        for name in ("a", "b", "c"):
            await storage.put(f"/r/{name}", named(name), expected_revision=0)
        before = await storage.revision()
    file(tmp_path, "/r/a").write_bytes(named("a", 8))
    file(tmp_path, "/r/b").unlink()
    file(tmp_path, "/r/d").write_bytes(named("d"))
    # The same, written otherwise, is no change.
    file(tmp_path, "/r/c").write_bytes(named("c") + b"  \n")
    for _ in range(2):
        async with opened(tmp_path) as storage:
            assert await storage.revision() == before + 3
            found = {item.key: item for item in (await storage.range("/r/")).items}
            assert sorted(found) == ["/r/a", "/r/c", "/r/d"]
            assert found["/r/a"].create_revision < before < found["/r/a"].mod_revision
            assert (found["/r/c"].mod_revision, found["/r/c"].value) == (before, named("c"))
            past = await storage.range("/r/", revision=before)
            assert [item.key for item in past.items] == ["/r/a", "/r/b", "/r/c"]


async def test_a_line_the_journal_did_not_finish_was_never_acknowledged(tmp_path: Path) -> None:
    async with opened(tmp_path) as storage:
        first = await storage.put(KEY, VALUE, expected_revision=0)
    journal = tmp_path / ".journal"
    journal.write_bytes(journal.read_bytes() + b'{"key":"/registry/x","created":9')
    async with opened(tmp_path) as storage:
        assert await storage.revision() == first.mod_revision
        second = await storage.put(KEY, b"{}", expected_revision=first.mod_revision)
    async with opened(tmp_path) as storage:
        assert (await storage.get(KEY)).item == second


async def test_a_crash_between_file_and_journal_keeps_the_file(tmp_path: Path) -> None:
    async with opened(tmp_path) as storage:
        await storage.put(KEY, VALUE, expected_revision=0)
        before = (tmp_path / ".journal").read_bytes()
        await storage.put("/registry/new", named("new"), expected_revision=0)
    (tmp_path / ".journal").write_bytes(before)
    async with opened(tmp_path) as storage:
        item = (await storage.get("/registry/new")).item
        assert item is not None
        assert orjson.loads(item.value) == orjson.loads(named("new"))


async def test_a_damaged_journal_and_a_folder_in_use_are_one_line(tmp_path: Path) -> None:
    async with opened(tmp_path) as storage:
        await storage.put(KEY, VALUE, expected_revision=0)
        with pytest.raises(StorageError, match="is in use by another process"):
            await FileStorage(tmp_path).start()
    (tmp_path / ".journal").write_bytes(b"{}\n")
    with pytest.raises(StorageError, match="is damaged in line 1"):
        await FileStorage(tmp_path).start()


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"{", "is not JSON: "), (b"[]", "is not an object whose metadata.name is tim"), (VALUE, "metadata.name is tim")],
)
async def test_a_file_that_is_no_object_of_its_name_is_one_line(tmp_path: Path, content: bytes, why: str) -> None:
    async with opened(tmp_path) as storage:
        await storage.put(KEY, VALUE, expected_revision=0)
    file(tmp_path).with_name("tim.json").write_bytes(content)
    with pytest.raises(StorageError, match=why) as raised:
        await FileStorage(tmp_path).start()
    assert "\n" not in str(raised.value)


async def test_a_write_the_disk_refuses_leaves_the_engine_at_work(tmp_path: Path) -> None:
    async with opened(tmp_path) as storage:
        (tmp_path / "blocked").write_text("a file where a folder should be")
        with pytest.raises(OutcomeUnknown):
            await storage.put("/blocked/a", VALUE, expected_revision=0)
        assert (await storage.get("/blocked/a")).item is None
        await storage.put(KEY, VALUE, expected_revision=0)


@pytest.mark.parametrize(
    "key", ["/a", "a", "/a.json/b", "/.hidden", "/..", "/a//b", "/a/", "/ü/%41", "/a b", "/a%2Ejson", "/x.json", "/%"]
)
def test_every_key_has_a_file_of_its_own_below_the_folder(tmp_path: Path, key: str) -> None:
    folder = Folder(tmp_path)
    made = folder.file(key)
    assert made.resolve().is_relative_to(tmp_path.resolve())
    assert folder._key(made) == key
    assert not any(part.startswith(".") for part in made.relative_to(tmp_path).parts)
