"""The sqlite engine when its process is killed, when a second one comes, and when its file is not what it was."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest

from generic.storage.interface import StorageError
from generic.storage.sqlite import SqliteStorage
from tests.support.watching import Recorder

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[3]
WRITER = Path(__file__).with_name("writer_process.py")
PREFIX = "/registry/core/things/"


def writer_process(path: Path) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, str(WRITER), str(path)], stdout=subprocess.PIPE, env=environment)


def write_until_killed(path: Path, lines: int) -> dict[str, tuple[int, str]]:
    """Per key the last acknowledged (revision, value); the process is killed while it writes on."""
    process = writer_process(path)
    assert process.stdout is not None
    with process:
        said = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        said += process.stdout.readlines()
    acknowledged = {}
    for line in said:
        if line.endswith(b"\n"):  # the kill may have cut the last one
            key, revision, value = line.decode().split()
            acknowledged[key] = (int(revision), value)
    assert process.returncode == -signal.SIGKILL
    return acknowledged


@pytest.mark.parametrize("lines", [33, 1000])
async def test_kill_loses_no_acknowledged_write(tmp_path: Path, lines: int) -> None:
    path = tmp_path / "store.db"
    for _ in range(3):  # again and again on what the kill before left
        acknowledged = write_until_killed(path, lines)
        assert acknowledged
        storage = SqliteStorage(path)
        await storage.start()
        found = {item.key: item for item in (await storage.range(PREFIX)).items}
        newest = await storage.revision()
        sink = Recorder()
        await storage.watch(PREFIX, after_revision=0, sink=sink)
        history = {event.item.mod_revision: event for event in sink.events}
        # Every revision is there, and the last is the store's: nothing half done.
        assert sorted(history) == list(range(2, newest + 1))
        for key, (revision, value) in acknowledged.items():
            event = history[revision]
            assert (event.item.key, event.deleted) == (key, value == "-")
            item = found.get(key)
            # At most the one write under way may have been applied beyond what was acknowledged.
            if item is None or item.mod_revision != revision:
                later = [r for r, e in history.items() if r > revision and e.item.key == key]
                assert len(later) == (0 if value == "-" and item is None else 1)
        for item in found.values():
            count, _, padding = item.value.partition(b" ")
            assert count.isdigit()
            assert padding == b"x" * 10_000
        await storage.put(PREFIX + f"after/{newest}", b"0 " + b"x" * 10_000, expected_revision=0)
        await storage.close()


async def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    process = writer_process(path)
    assert process.stdout is not None
    with process:
        assert process.stdout.readline()
        # Should the engine wait for the lock instead of refusing, the test must not wait with it.
        watchdog = Timer(30, process.kill)
        watchdog.start()
        with pytest.raises(StorageError) as refusal:
            await SqliteStorage(path).start()
        watchdog.cancel()
        assert str(refusal.value) == f"{path} is in use by process {process.pid}"
        assert not refusal.value.retriable
        process.kill()
        process.stdout.read()
    storage = SqliteStorage(path)
    await storage.start()
    await storage.close()


async def test_a_second_engine_of_the_same_process_is_refused(tmp_path: Path) -> None:
    first, second = SqliteStorage(tmp_path / "store.db"), SqliteStorage(tmp_path / "store.db")
    await first.start()
    with pytest.raises(StorageError, match="is in use by process"):
        await second.start()
    await second.close()
    await first.put("/a", b"1", expected_revision=0)
    await first.close()
    await second.start()
    assert (await second.get("/a")).item is not None
    await second.close()


async def filled(path: Path) -> None:
    storage = SqliteStorage(path)
    await storage.start()
    await asyncio.gather(*(storage.put(f"/registry/{i}", b"x" * 1000, expected_revision=0) for i in range(200)))
    await storage.close()


async def refusal_of(path: Path) -> str:
    with pytest.raises(StorageError) as refusal:
        await SqliteStorage(path).start()
    message = str(refusal.value)
    assert "\n" not in message
    assert str(path) in message
    assert not refusal.value.retriable
    return message


async def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(b"not a database, " * 1000)
    assert "is damaged or not a trikube store" in await refusal_of(path)
    assert path.read_bytes() == b"not a database, " * 1000


async def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE photos (name TEXT)")
    other.close()
    assert "is not a trikube store" in await refusal_of(path)


async def test_a_store_of_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    await filled(path)
    later = sqlite3.connect(path)
    later.execute("PRAGMA user_version = 99")
    later.close()
    assert "has format 99" in await refusal_of(path)


@pytest.mark.parametrize("place", ["middle", "header", "end"])
async def test_a_damaged_store_is_refused(tmp_path: Path, place: str) -> None:
    path = tmp_path / "store.db"
    await filled(path)
    content = bytearray(path.read_bytes())
    if place == "end":
        del content[len(content) // 2 :]
    else:
        start = 0 if place == "header" else 4096 * 3
        content[start : start + 4096] = os.urandom(4096)
    path.write_bytes(content)
    assert "damaged" in await refusal_of(path)
    # The refusal let go of the lock: it is refused again for the same reason.
    assert "damaged" in await refusal_of(path)


async def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"^[^\n]*file[^\n]*$"):
        await SqliteStorage(tmp_path / "file" / "store.db").start()


async def test_the_files_are_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "store.db"
    storage = SqliteStorage(path)
    await storage.start()
    await storage.put("/a", b"1", expected_revision=0)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert {"store.db", "store.db-wal", "store.db.lock"} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700
    await storage.close()


async def test_compaction_takes_the_rows_away(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    storage = SqliteStorage(path)
    await storage.start()
    keys = [f"/{i:03}" for i in range(600)]
    first = await asyncio.gather(*(storage.put(key, b"1", expected_revision=0) for key in keys))
    second = await asyncio.gather(*(storage.put(item.key, b"2", expected_revision=item.mod_revision) for item in first))
    deletions = (storage.delete(item.key, expected_revision=item.mod_revision) for item in second[:300])
    deleted = max(await asyncio.gather(*deletions))
    last = (await storage.put("/last", b"", expected_revision=0)).mod_revision
    # The deletion at the revision itself stays for watches from just before it.
    await storage.compact(deleted)
    assert (await storage.get(keys[299], revision=deleted)).item is None
    await storage.compact(last)
    await storage.close()
    rows = sqlite3.connect(path)
    assert rows.execute("SELECT key, revision FROM revisions ORDER BY revision").fetchall() == [
        *((item.key, item.mod_revision) for item in second[300:]),
        ("/last", last),
    ]
    rows.close()
