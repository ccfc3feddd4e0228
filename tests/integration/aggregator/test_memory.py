"""However much passes through the proxy, and however slow its reader is: what is held of it at once is little."""

import asyncio
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.aggregator.harness import PATH, Plane
from tests.integration.aggregator.rawbackend import Asked, raw_aggregated, raw_client

pytestmark = pytest.mark.anyio

FLUNDERS = f"{PATH}/namespaces/default/flunders"
CHUNK = b"x" * (1 << 18)
CHUNKS = 1024
"""A quarter of a gigabyte, in all."""
LITTLE = 8 << 20
"""Of Python's own memory."""
UNDER_WAY = CHUNKS * len(CHUNK) // 2
"""With what TLS and the kernel hold for four sockets, which grows as the kernel likes."""


class Passing:
    """One great body under way: what was said of it, and what was heard."""

    def __init__(self) -> None:
        self.said = 0
        self.heard = 0
        self.most_under_way = 0

    async def say(self, writer: asyncio.StreamWriter) -> None:
        for _ in range(CHUNKS):
            writer.write(CHUNK)
            await writer.drain()
            self.said += len(CHUNK)
            self.most_under_way = max(self.most_under_way, self.said - self.heard)

    async def hear(self, reader: asyncio.StreamReader) -> None:
        """All of it, but only after the other side has had to stop."""
        await self.stalled()
        while self.heard < CHUNKS * len(CHUNK):
            data = await reader.read(1 << 18)
            assert data, "it was cut off"
            assert not data.strip(b"x")
            self.heard += len(data)

    async def stalled(self) -> None:
        """Return when no more of it is taken."""
        last = -1
        while last != self.said or not self.said:
            last = self.said
            await asyncio.sleep(0.1)
        assert self.said < CHUNKS * len(CHUNK), "it waits for its reader"


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """How much more memory of Python's was in use at any moment than at first."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield lambda: tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


async def test_a_great_answer_passes_in_constant_memory(plane: Plane, tmp_path: Path) -> None:
    passing = Passing()

    async def pour(asked: Asked) -> None:
        await asked.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (CHUNKS * len(CHUNK)))
        await passing.say(asked.writer)

    async with raw_aggregated(plane, tmp_path, pour), raw_client(plane) as client:
        with traced() as most:
            client.ask(FLUNDERS)
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")
            await passing.hear(client.reader)
            assert most() < LITTLE
    assert passing.most_under_way < UNDER_WAY


async def test_a_great_request_passes_in_constant_memory(plane: Plane, tmp_path: Path) -> None:
    passing = Passing()

    async def drink(asked: Asked) -> None:
        await passing.hear(asked.reader)
        await asked.say(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    async with raw_aggregated(plane, tmp_path, drink), raw_client(plane) as client:
        with traced() as most:
            client.ask(FLUNDERS, f"content-length: {CHUNKS * len(CHUNK)}", method="POST")
            await passing.say(client.writer)
            assert await client.response() == (200, b"")
            assert most() < LITTLE
    assert passing.most_under_way < UNDER_WAY
