"""A server in the foreground: until SIGINT or SIGTERM, with its log on stderr, and failures told in one line.

Called by the command lines of servers: `up_command.py`, `standalone_command.py`, `extensions_command.py`.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable

from generic.hooks import HookFailed
from generic.serving import loop
from generic.serving.errors import ServingError
from generic.storage.interface import StorageError
from trikube.errors import OptionsError
from trikube.pki.files import PKIError

_ERRORS: tuple[type[Exception], ...] = (OptionsError, PKIError, StorageError, ServingError, HookFailed)


def run(
    serve: Callable[[asyncio.Event], Awaitable[None]], *, verbosity: int, errors: tuple[type[Exception], ...] = ()
) -> int:
    """Await `serve`, which ends when its event is set. Returns the exit code.

    `errors`: what it raises, beside what every server does, that is told in one line rather than by a traceback.
    """
    level = logging.INFO if verbosity else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname).1s %(name)s: %(message)s", stream=sys.stderr)
    try:
        loop.run(_until_signal(serve))
    except _ERRORS + errors as error:
        sys.stderr.write(f"trikube: {error}\n")
        return 1
    return 0


def say(*lines: str) -> None:
    """To whoever started it, at once."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


async def _until_signal(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(stop)
