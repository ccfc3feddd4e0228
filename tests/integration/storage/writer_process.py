"""Run by test_sqlite_kill: writes to a store from many tasks and says what was acknowledged, until it is killed.

Usage: python writer_process.py PATH. A line per acknowledged write: KEY REVISION VALUE, where a value of - is a
deletion.
"""

import asyncio
import os
import sys

from generic.storage.sqlite import SqliteStorage

WRITERS = 32


async def write(storage: SqliteStorage, writer: int) -> None:
    key = f"/registry/core/things/ns/{writer}"
    start = (await storage.get(key)).item
    revision, count = (start.mod_revision, int(start.value.split(b" ")[0])) if start else (0, 0)
    while True:
        count += 1
        if revision and count % 7 == 0:
            deleted = await storage.delete(key, expected_revision=revision)
            say(f"{key} {deleted} -")
            revision = 0
        else:
            # Of several pages, so that a half-written one would show.
            value = b"%d " % count + b"x" * 10_000
            revision = (await storage.put(key, value, expected_revision=revision)).mod_revision
            say(f"{key} {revision} {count}")


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def main() -> None:
    storage = SqliteStorage(sys.argv[1])
    await storage.start()
    await asyncio.gather(*(write(storage, writer) for writer in range(WRITERS)))


asyncio.run(main())
