"""Bootstrapping against a server, and a store, that may just be starting. Used by hooks that others wait for."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from generic.meta import errors

Action = Callable[[], Awaitable[None]]

_LOG = logging.getLogger(__name__)


async def until_done(action: Action, *, patience: float = 30.0, pause: float = 1.0) -> None:
    """Try again every `pause` seconds while it is refused. Raises the last StatusError after `patience` seconds."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while True:
        try:
            return await action()
        except errors.StatusError as error:
            if loop.time() >= end:
                raise
            _LOG.warning("not yet: %s", error)
        await asyncio.sleep(pause)
