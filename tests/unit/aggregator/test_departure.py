"""A request ends early when its client leaves, and only then."""

import asyncio

import pytest

from aggregator.proxy.departure import Departure
from generic.request.context import Termination
from generic.types import Message

pytestmark = pytest.mark.anyio


class Client:
    """Leaves when the test says so."""

    def __init__(self) -> None:
        self.leaves = asyncio.Event()

    async def receive(self) -> Message:
        await self.leaves.wait()
        return {"type": "http.disconnect"}


async def test_the_client_leaving_ends_the_block_without_an_exception() -> None:
    client, task = Client(), asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    async with Departure(client.receive) as departure:
        departure.watch()
        client.leaves.set()
        await asyncio.Event().wait()
    assert departure.client_left
    await asyncio.sleep(0)
    assert task.cancelling() == before


async def test_a_complete_response_is_not_undone_by_the_client_leaving() -> None:
    client, done = Client(), False
    async with Departure(client.receive) as departure:
        departure.watch()
        departure.over()
        client.leaves.set()
        for _ in range(5):
            await asyncio.sleep(0)
        done = True
    assert done
    assert not departure.client_left


async def test_the_end_of_the_server_is_told_apart() -> None:
    termination = Termination()
    async with Departure(Client().receive, termination) as departure:
        asyncio.get_running_loop().call_soon(termination.set)
        await asyncio.Event().wait()
    assert departure.terminated
    assert not departure.client_left


async def test_somebody_elses_cancellation_goes_on() -> None:
    client, entered = Client(), asyncio.Event()

    async def work() -> None:
        async with Departure(client.receive) as departure:
            departure.watch()
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_itself_goes_on() -> None:
    async def work() -> None:
        async with Departure(Client().receive) as departure:
            departure.watch()
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await work()
