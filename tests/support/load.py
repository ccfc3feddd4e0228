"""Clients that write ConfigMaps without pause, and remember what they were told: the other half of a crash test."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from generic.types import JSONObject

PATH = "/api/v1/namespaces/default/configmaps"
PATIENCE = 30.0
"""Seconds; only a failing test waits that long."""

State = tuple[int, str] | None
"""An object's resourceVersion and value; None: it is not there."""


@dataclass
class Told:
    """What the clients know of each object they wrote."""

    states: dict[str, State] = field(default_factory=dict)
    """As last acknowledged."""
    open: dict[str, str | None] = field(default_factory=dict)
    """Objects whose last write was not answered, with the value it would have left (None: a deletion)."""
    highest: int = 0
    """The highest resourceVersion acknowledged."""

    def check(self, found: JSONObject, *, unanswered_may_be_done: bool) -> None:
        """Compare with a list of everything: each acknowledged write is there, as it was acknowledged."""
        assert int(found["metadata"]["resourceVersion"]) >= self.highest
        there: dict[str, State] = {
            item["metadata"]["name"]: (int(item["metadata"]["resourceVersion"]), item["data"]["v"])
            for item in found["items"]
            if "v" in (item.get("data") or {})
        }
        for name in there.keys() | self.states.keys() | self.open.keys():
            state, acknowledged = there.get(name), self.states.get(name)
            if state != acknowledged and unanswered_may_be_done and name in self.open:
                assert (state and state[1]) == self.open[name], name
                assert state is None or state[0] > (acknowledged[0] if acknowledged else 0), name
            else:
                assert state == acknowledged, name


class Load:
    """Writers that create, change and delete, each on a connection of its own."""

    def __init__(self, connect: Callable[[], httpx.AsyncClient], *, writers: int = 8, tag: str = "") -> None:
        self.told = Told()
        self.acknowledged = 0
        self.refusals: list[httpx.Response] = []
        self.failures: list[httpx.TransportError] = []
        self._connect = connect
        self._tag = tag
        self._stop = False
        self._changed = asyncio.Event()
        self._tasks = [asyncio.create_task(self._write(number)) for number in range(writers)]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return once it holds; it is asked again after every answer."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_acknowledged(self, more: int) -> None:
        goal = self.acknowledged + more
        await self.until(lambda: self.acknowledged >= goal)

    async def finish(self) -> None:
        """Let each writer end what it is about. Raises what surprised one of them."""
        self._stop = True
        await asyncio.gather(*self._tasks)

    async def _write(self, writer: int) -> None:
        async with self._connect() as http:
            count = 0
            while not self._stop:
                name = f"load{self._tag}-{writer}-{count}"
                count += 1
                await self._one(http, "POST", name, f"{count}")
                if count % 3 == 0:
                    await self._one(http, "PUT", name, f"{count} changed")
                if count % 4 == 0:
                    await self._one(http, "DELETE", name, None)

    async def _one(self, http: httpx.AsyncClient, method: str, name: str, value: str | None) -> None:
        if self._stop or name in self.told.open or (method != "POST" and name not in self.told.states):
            return
        path = PATH if method == "POST" else f"{PATH}/{name}"
        body = None if value is None else {"metadata": {"name": name}, "data": {"v": value}}
        self.told.open[name] = value
        try:
            answer = await http.request(method, path, json=body)
        except httpx.TransportError as failure:
            self.failures.append(failure)
            # Who is refused at once would otherwise keep everybody else from the loop.
            await asyncio.sleep(0.01)
        else:
            self._note(answer, name, value)
        self._changed.set()

    def _note(self, answer: httpx.Response, name: str, value: str | None) -> None:
        if not answer.is_success:
            self.refusals.append(answer)
            return
        del self.told.open[name]
        self.acknowledged += 1
        if value is None:
            self.told.states[name] = None
            return
        version = int(answer.json()["metadata"]["resourceVersion"])
        self.told.states[name] = (version, value)
        self.told.highest = max(self.told.highest, version)
