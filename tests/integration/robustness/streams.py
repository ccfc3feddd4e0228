"""A watch over HTTP, read event by event."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson

from generic.types import JSONObject

PATIENCE = 20.0
"""Seconds; only a failing test waits that long."""


class Events:
    """What a watch sends, one after the other."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def next(self) -> tuple[str, JSONObject]:
        """The next event as (type, object). Raises StopAsyncIteration once the server has ended the watch."""
        async with asyncio.timeout(PATIENCE):
            event = orjson.loads(await anext(self._lines))
        return event["type"], event["object"]

    async def take(self, count: int) -> list[tuple[str, JSONObject]]:
        return [await self.next() for _ in range(count)]

    async def rest(self) -> list[tuple[str, JSONObject]]:
        """Everything until the server ends the watch."""
        found = []
        with contextlib.suppress(StopAsyncIteration):
            while True:
                found.append(await self.next())
        return found


@contextlib.asynccontextmanager
async def watching(
    http: httpx.AsyncClient, path: str, *, accept: str = "application/json", **options: Any
) -> AsyncIterator[Events]:
    """A watch of `path`; options are query parameters as Kubernetes spells them."""
    query = {"watch": "1", **{key: str(value) for key, value in options.items()}}
    async with http.stream("GET", path, params=query, headers={"accept": accept}) as response:
        assert response.status_code == 200, await response.aread()
        yield Events(response)


def names(events: list[tuple[str, JSONObject]]) -> list[tuple[str, str]]:
    """Events as (type, name)."""
    return [(kind, obj["metadata"].get("name", "")) for kind, obj in events]
