"""`trikube up` under load when its process is killed, and when it is asked to stop: what was acknowledged is there."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.load import PATH, Load
from tests.support.program import UpProcess

pytestmark = pytest.mark.anyio

ROUNDS = 3


@pytest.fixture
def process(tmp_path: Path) -> Iterator[UpProcess]:
    made = UpProcess(tmp_path / "data")
    made.start()
    yield made
    made.kill()


async def test_a_kill_under_load_loses_nothing_that_was_acknowledged(process: UpProcess) -> None:
    highest = 0
    for number in range(ROUNDS):  # again and again on what the kill before left
        load = Load(process.http, tag=f"-{number}")
        await load.until_acknowledged(random.randint(30, 400))
        process.kill()
        await _until_nobody_is_there(load)
        assert not load.refusals
        process.start()
        async with process.http() as http:
            found = (await http.get(PATH)).json()
            mine = [item for item in found["items"] if item["metadata"]["name"].startswith(f"load-{number}-")]
            load.told.check({**found, "items": mine}, unanswered_may_be_done=True)
            # Time goes on where it was: no resourceVersion is given twice.
            assert min(version for version, _ in filter(None, load.told.states.values())) > highest
            after = await http.post(PATH, json={"metadata": {"name": f"after-{number}"}})
            highest = int(after.json()["metadata"]["resourceVersion"])
            assert highest > int(found["metadata"]["resourceVersion"]) >= load.told.highest


async def test_a_stop_under_load_answers_or_refuses_and_does_what_it_answered(process: UpProcess) -> None:
    load = Load(process.http)
    await load.until_acknowledged(100)
    async with asyncio.timeout(30):
        assert await asyncio.to_thread(process.terminate) == 0
    await _until_nobody_is_there(load)
    for refusal in load.refusals:
        assert (refusal.status_code, refusal.json()["reason"]) == (503, "ServiceUnavailable")
    assert "Traceback" not in "".join(process.said)
    process.start()
    async with process.http() as http:
        # What was not answered was not done either: nobody has to guess.
        load.told.check((await http.get(PATH)).json(), unanswered_may_be_done=False)


async def test_a_stop_ends_watches_cleanly(process: UpProcess) -> None:
    async with process.http() as http, http.stream("GET", PATH, params={"watch": "1"}) as response:
        async with asyncio.timeout(30):
            assert await asyncio.to_thread(process.terminate) == 0
        # The whole of it was received: a cut stream would raise here.
        assert response.status_code == 200
        await response.aread()


async def _until_nobody_is_there(load: Load) -> None:
    await load.until(lambda: bool(load.failures))
    await load.finish()
