"""The process of an aggregated server: signals, what it prints, its exit code. Called by `builder.py`.

A second signal ends it at once. Whatever keeps it from running is one line.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable

from generic.authentication.delegated import DelegationError
from generic.client.kubeconfig import KubeconfigError
from generic.hooks import HookFailed
from generic.serving import loop
from generic.serving.errors import ServingError
from generic.storage.interface import StorageError
from trikube.aa.definition import DefinitionError
from trikube.aa.options import OptionsError
from trikube.aa.run import Listening

_EXPECTED = (
    DefinitionError,
    OptionsError,
    KubeconfigError,
    DelegationError,
    StorageError,
    ServingError,
    HookFailed,
)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Serve = Callable[[asyncio.Event, Callable[[Listening], None]], Awaitable[None]]


def main(name: str, serves: str, serve: Serve) -> int:
    """The exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname).1s %(name)s: %(message)s")
    try:
        loop.run(_run(name, serves, serve))
    except _EXPECTED as error:
        sys.stderr.write(f"{name}: error: {' '.join(str(error).split())}\n")
        return 1
    return 0


async def _run(name: str, serves: str, serve: Serve) -> None:
    stop = asyncio.Event()
    listening = asyncio.Event()
    running = asyncio.get_running_loop()

    def say(found: Listening) -> None:
        listening.set()
        lines = [f"{name} listens on {found.url} for {serves}"]
        if found.kubeconfig:
            lines.append(f"  kubectl --kubeconfig {found.kubeconfig} api-resources")
            lines.append(f"  curl -k -H 'Authorization: Bearer {found.token}' {found.url}/apis")
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()

    def end() -> None:
        for number in _SIGNALS:
            running.remove_signal_handler(number)
        stop.set()
        if not listening.is_set():
            serving.cancel()

    serving = asyncio.ensure_future(serve(stop, say))
    for number in _SIGNALS:
        running.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await serving
