"""Post-start and pre-shutdown hooks: what a server does once it listens, and before it stops.

Each server has its own; the outermost runs all of them. A post-start hook that fails ends the
process; until it has finished, `poststarthook/<name>` keeps the server unready. Mirrors
`apiserver/pkg/server/hooks.go`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from generic.health import HealthCheck

PreShutdownHook = Callable[[], Awaitable[None]]


class HookFailed(Exception):
    """A post-start hook raised: the server must stop."""


@dataclass(slots=True)
class PostStartHook:
    """Something to do once, after listening. `run` returns when the server may call itself ready.

    What goes on longer (a controller) is started by `run` as a task of its own and ended by `stop`.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    done: bool = field(default=False, init=False)

    def check(self) -> HealthCheck:
        async def finished() -> None:
            if not self.done:
                raise HookNotFinished

        return HealthCheck(f"poststarthook/{self.name}", finished)


class HookNotFinished(Exception):
    """The check of a hook that is still at work."""

    def __init__(self) -> None:
        super().__init__("not finished")


async def run_all(hooks: Mapping[str, PostStartHook]) -> None:
    """Run every hook concurrently. Raises HookFailed, naming the hook, as soon as one fails."""

    async def one(hook: PostStartHook) -> None:
        try:
            await hook.run()
        except Exception as error:
            raise HookFailed(f'PostStartHook "{hook.name}" failed: {error}') from error
        hook.done = True

    try:
        async with asyncio.TaskGroup() as group:
            for hook in hooks.values():
                group.create_task(one(hook), name=f"poststarthook/{hook.name}")
    except* HookFailed as failures:
        raise failures.exceptions[0] from None


async def run_pre_shutdown(hooks: Mapping[str, PreShutdownHook]) -> list[BaseException]:
    """Run every pre-shutdown hook to its end, whatever the others do. Returns what failed."""
    results = await asyncio.gather(*(hook() for hook in hooks.values()), return_exceptions=True)
    return [result for result in results if isinstance(result, BaseException)]
