import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from generic.client.controller import Controller
from generic.client.workqueue import WorkQueue
from generic.meta import errors

pytestmark = pytest.mark.anyio

Make = Callable[..., Controller[str]]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Starts controllers that try again at once; stops them at the end."""
    made: list[Controller[str]] = []

    def start(reconcile: Callable[[str], Awaitable[None]], *, workers: int = 1) -> Controller[str]:
        controller: Controller[str] = Controller("tester", reconcile, workers=workers, base_delay=0)
        made.append(controller)
        controller.start()
        return controller

    yield start
    for controller in made:
        await controller.stop()


class Steps:
    """A reconcile that hands out each key, and goes on, or fails, when told."""

    def __init__(self) -> None:
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.outcomes: asyncio.Queue[BaseException | None] = asyncio.Queue()

    async def __call__(self, key: str) -> None:
        self.begun.put_nowait(key)
        outcome = await self.outcomes.get()
        if outcome is not None:
            raise outcome


async def spin() -> None:
    """Let everything that can run, run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_what_was_enqueued_before_the_start_is_reconciled() -> None:
    steps = Steps()
    controller: Controller[str] = Controller("tester", steps)
    controller.enqueue("a")
    controller.start()
    assert await steps.begun.get() == "a"
    await controller.stop()


async def test_a_key_is_reconciled_again_only_when_it_is_done(make: Make) -> None:
    steps = Steps()
    controller = make(steps, workers=2)
    controller.enqueue("a")
    await steps.begun.get()
    controller.enqueue("a")
    await spin()
    assert steps.begun.empty()
    steps.outcomes.put_nowait(None)
    assert await steps.begun.get() == "a"


@pytest.mark.parametrize("workers", [1, 2])
async def test_as_many_keys_at_a_time_as_there_are_workers(make: Make, workers: int) -> None:
    steps = Steps()
    controller = make(steps, workers=workers)
    controller.start()
    for key in ("a", "b", "c"):
        controller.enqueue(key)
    await spin()
    assert steps.begun.qsize() == workers


async def test_a_key_comes_when_its_time_has_come(make: Make) -> None:
    steps = Steps()
    make(steps).enqueue_after("a", 0.001)
    assert await steps.begun.get() == "a"


@pytest.mark.parametrize(
    ("failure", "traced"),
    [
        (errors.unauthorized("who are you?"), False),
        (LookupError("a defect"), True),
        (asyncio.CancelledError(), True),
    ],
    ids=["refusal", "defect", "something it awaited was cancelled"],
)
async def test_a_failure_is_logged_and_the_key_comes_again(
    make: Make, failure: BaseException, traced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    steps = Steps()
    make(steps).enqueue("a")
    for outcome in (failure, None):
        assert await steps.begun.get() == "a"
        steps.outcomes.put_nowait(outcome)
    await spin()
    assert steps.begun.empty()
    assert len(caplog.records) == 1
    formatted = logging.Formatter().format(caplog.records[0]).splitlines()
    assert formatted[0].startswith("tester: a: ")
    assert (len(formatted) > 1) == traced


async def test_the_wait_doubles_with_each_failure_and_starts_anew_after_a_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    def add_after(queue: WorkQueue[str], key: str, seconds: float) -> None:
        waits.append(seconds)
        queue.add(key)

    monkeypatch.setattr(WorkQueue, "add_after", add_after)
    steps = Steps()
    controller: Controller[str] = Controller("tester", steps, base_delay=1, max_delay=3)
    controller.start()
    for outcome in (errors.unauthorized(), errors.unauthorized(), errors.unauthorized(), None, errors.unauthorized()):
        controller.enqueue("a")
        await steps.begun.get()
        steps.outcomes.put_nowait(outcome)
        await spin()
    await controller.stop()
    assert waits == [1, 2, 3, 1]


async def test_stop_interrupts_a_reconcile_and_may_be_repeated(make: Make) -> None:
    ended = asyncio.Event()
    begun = asyncio.Event()

    async def reconcile(key: str) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    controller = make(reconcile)
    controller.enqueue("a")
    await begun.wait()
    await controller.stop()
    assert ended.is_set()
    await controller.stop()


async def test_a_reconcile_that_turns_its_cancellation_into_an_error_does_not_hold_up_the_stop(make: Make) -> None:
    begun: list[str] = []

    async def reconcile(key: str) -> None:
        begun.append(key)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            raise LookupError from error

    controller = make(reconcile)
    controller.enqueue("a")
    controller.enqueue("b")
    await spin()
    await controller.stop()
    assert begun == ["a"]


async def test_a_stopped_controller_stays_so(make: Make) -> None:
    steps = Steps()
    controller: Controller[str] = Controller("tester", steps)
    await controller.stop()
    controller.enqueue("a")
    controller.start()
    await spin()
    assert steps.begun.empty()
