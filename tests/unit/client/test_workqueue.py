import asyncio

import pytest

from generic.client.workqueue import ShutDown, WorkQueue

pytestmark = pytest.mark.anyio


@pytest.fixture
def queue() -> WorkQueue[str]:
    return WorkQueue()


class Waits(WorkQueue[str]):
    """Notes the waits it is asked for."""

    def __init__(self) -> None:
        super().__init__(base_delay=1.0, max_delay=5.0)
        self.seconds: list[float] = []

    def add_after(self, key: str, seconds: float) -> None:
        self.seconds.append(seconds)


async def test_keys_come_in_order_and_once_while_they_wait(queue: WorkQueue[str]) -> None:
    for key in ("a", "b", "a", "b"):
        queue.add(key)
    assert len(queue) == 2
    assert [await queue.get(), await queue.get()] == ["a", "b"]
    assert len(queue) == 0


async def test_a_key_added_while_it_is_worked_on_comes_again_once_and_only_afterwards(queue: WorkQueue[str]) -> None:
    queue.add("a")
    await queue.get()
    queue.add("a")
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert len(queue) == 1
    assert await queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_whoever_waits_gets_what_is_added(queue: WorkQueue[str]) -> None:
    waiting = [asyncio.ensure_future(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.add("a")
    queue.add("b")
    assert sorted(await asyncio.gather(*waiting)) == ["a", "b"]


async def test_a_waiter_cancelled_as_a_key_comes_loses_none(queue: WorkQueue[str]) -> None:
    waiting = asyncio.ensure_future(queue.get())
    await asyncio.sleep(0)
    queue.add("a")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await queue.get() == "a"


@pytest.mark.parametrize("waits", [(0.001, 1000), (1000, 0.001)])
async def test_of_two_waits_for_one_key_the_earlier_counts(queue: WorkQueue[str], waits: tuple[float, float]) -> None:
    for seconds in waits:
        queue.add_after("a", seconds)
    assert len(queue) == 0
    assert await queue.get() == "a"


@pytest.mark.parametrize("seconds", [0, -1])
async def test_no_wait_is_added_at_once(queue: WorkQueue[str], seconds: float) -> None:
    queue.add_after("a", seconds)
    assert len(queue) == 1


async def test_rate_limited_waits_double_up_to_the_longest_until_the_key_is_forgotten() -> None:
    queue = Waits()
    for _ in range(4):
        queue.add_rate_limited("a")
    queue.add_rate_limited("another")
    queue.forget("a")
    queue.add_rate_limited("a")
    assert queue.seconds == [1, 2, 4, 5, 1, 1]


async def test_a_key_may_fail_for_ever() -> None:
    queue = Waits()
    for _ in range(2000):
        queue.add_rate_limited("a")
    assert queue.seconds[-1] == 5


async def test_shut_down_gives_out_what_is_there_and_takes_nothing_more(queue: WorkQueue[str]) -> None:
    queue.add("a")
    queue.add_after("later", 0.001)
    queue.shut_down()
    queue.add("b")
    queue.add_after("c", 0)
    queue.add_rate_limited("d")
    assert await queue.get() == "a"
    with pytest.raises(ShutDown):
        await queue.get()


async def test_shut_down_wakes_all_who_wait(queue: WorkQueue[str]) -> None:
    waiting = [asyncio.ensure_future(queue.get()) for _ in range(2)]
    await asyncio.sleep(0)
    queue.shut_down()
    for task in waiting:
        with pytest.raises(ShutDown):
            await task
