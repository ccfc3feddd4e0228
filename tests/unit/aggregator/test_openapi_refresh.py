"""The OpenAPI v3 documents of remote servers, as they come, change and go. BEHAVIOURS C, "OpenAPI"."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from aggregator.apiservices.registration import Registration
from aggregator.controllers.openapi import OpenAPIController
from aggregator.proxy.fetching import Fetched, FetchError
from generic.endpoints.openapi.v3 import Document
from generic.request.user import UserInfo
from generic.types import JSONObject
from tests.unit.aggregator.objects import SERVICE, Informer, Informers, apiservice

pytestmark = pytest.mark.anyio

REMOTE = apiservice("a.example.com", service=SERVICE)
PATH = "apis/a.example.com/v1"


class Held(Informer):
    """One APIService, or none."""

    held: JSONObject | None = REMOTE

    def get(self, name: str) -> JSONObject | None:
        return self.held


class Made:
    """The controller, the server it asks, and what it published."""

    def __init__(self) -> None:
        self.informer, self.published = Held(), dict[str, Document | None]()
        self.title, self.hash = "first", "A"
        self.down = False
        self.asked: list[str] = []
        self.turns = asyncio.Semaphore(0)
        fakes: Any = self
        informers: Any = Informers(self.informer)
        self.controller = OpenAPIController(informers, fakes, self._publish)

    def _publish(self, path: str, document: Document | None) -> None:
        self.published[path] = document
        self.turns.release()

    async def get(
        self, registration: Registration, target: str, *, user: UserInfo, more: Mapping[str, str], seconds: float
    ) -> Fetched:
        """As Fetcher."""
        self.asked.append(target)
        if self.down:
            raise FetchError("EOF")
        if target == "/openapi/v3":
            self.turns.release()
            body: JSONObject = {"paths": {PATH: {"serverRelativeURL": f"/openapi/v3/{PATH}?hash={self.hash}"}}}
        else:
            body = {"openapi": "3.0.0", "info": {"title": self.title}}
        return Fetched(200, {}, orjson.dumps(body), "")

    async def turn(self, *, times: int) -> None:
        """Have it look again, and wait for as many of: the root was asked for, something was published."""
        self.informer.tell(REMOTE, self.informer.held)
        async with asyncio.timeout(10):
            for _ in range(times):
                await self.turns.acquire()


@pytest.fixture
async def made() -> AsyncIterator[Made]:
    setup = Made()
    setup.controller.start()
    yield setup
    await setup.controller.stop()


async def test_a_document_is_fetched_again_only_under_another_hash_and_withdrawn_in_the_end(made: Made) -> None:
    await made.turn(times=2)
    assert made.asked == ["/openapi/v3", f"/openapi/v3/{PATH}?hash=A"]
    first = made.published[PATH]

    made.title = "second"
    await made.turn(times=1)
    made.hash = "B"
    await made.turn(times=2)
    assert made.asked[2:] == ["/openapi/v3", "/openapi/v3", f"/openapi/v3/{PATH}?hash=B"]
    assert made.published[PATH] not in (first, None)

    made.informer.held = None
    await made.turn(times=1)
    assert made.published == {PATH: None}


async def test_a_server_that_fails_is_left_alone_ever_longer_and_what_it_said_stays(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: asyncio.Queue[float] = asyncio.Queue()
    monkeypatch.setattr(made.controller._controller, "enqueue_after", lambda _, seconds: waits.put_nowait(seconds))
    await made.turn(times=2)
    assert await waits.get() == 60
    made.down = True
    for expected in (60, 120, 240, 480, 960, 1920, 3600, 3600):
        made.controller._controller.enqueue("v1.a.example.com")
        assert await waits.get() == expected
    assert made.published[PATH] is not None
    made.informer.tell(REMOTE, REMOTE)
    assert await waits.get() == 60, "something happened to it"
