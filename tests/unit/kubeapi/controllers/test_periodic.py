"""When a Periodic does its thing."""

import asyncio

import pytest

from generic.meta import errors
from kubeapi.controllers.periodic import Periodic

pytestmark = pytest.mark.anyio


class Counting:
    """An action that counts its runs, and fails as often as told."""

    def __init__(self, *, failures: int = 0) -> None:
        self._failures = failures
        self.runs = 0
        self._ran = asyncio.Condition()

    async def __call__(self) -> None:
        async with self._ran:
            self.runs += 1
            self._ran.notify_all()
        if self.runs <= self._failures:
            raise errors.service_unavailable("not yet")

    async def reach(self, runs: int) -> None:
        async with asyncio.timeout(10), self._ran:
            await self._ran.wait_for(lambda: self.runs >= runs)


async def test_it_runs_at_the_start_and_when_asked() -> None:
    action = Counting()
    periodic = Periodic("test", action, every=3600)
    periodic.start()
    await action.reach(1)
    periodic.nudge()
    await action.reach(2)
    await periodic.stop()
    assert action.runs == 2


async def test_it_runs_every_so_often() -> None:
    action = Counting()
    periodic = Periodic("test", action, every=0.001)
    periodic.start()
    await action.reach(5)
    await periodic.stop()


async def test_a_failure_is_tried_again_before_its_time() -> None:
    action = Counting(failures=2)
    periodic = Periodic("test", action, every=3600)
    periodic.start()
    await action.reach(3)
    await periodic.stop()


async def test_it_may_be_stopped_twice_and_before_it_starts() -> None:
    action = Counting()
    periodic = Periodic("test", action, every=0.001)
    await periodic.stop()
    await periodic.stop()
    assert action.runs == 0
