"""`python -m examples.wardle`: runs the server until SIGTERM or SIGINT. A second signal ends it at once.

Whatever keeps it from running is one line and exit code 1.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Sequence

from examples.wardle import options, server
from examples.wardle.options import Options, OptionsError
from examples.wardle.types import GROUP
from generic.authentication.delegated import DelegationError
from generic.client.kubeconfig import KubeconfigError
from generic.hooks import HookFailed
from generic.serving import loop
from generic.serving.errors import ServingError
from generic.serving.server import SecureServer
from generic.storage.interface import StorageError

_EXPECTED = (OptionsError, KubeconfigError, DelegationError, StorageError, ServingError, HookFailed)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname).1s %(name)s: %(message)s")
    try:
        loop.run(_serve(options.parse(arguments)))
    except _EXPECTED as error:
        print(f"wardle: error: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(given: Options) -> None:
    stop = asyncio.Event()
    listening = asyncio.Event()
    running = asyncio.get_running_loop()

    def say(listener: SecureServer) -> None:
        listening.set()
        print(f"wardle listens on {listener.url} for {GROUP}", flush=True)

    def end() -> None:
        for number in _SIGNALS:
            running.remove_signal_handler(number)
        stop.set()
        if not listening.is_set():
            serving.cancel()

    serving = asyncio.ensure_future(server.run(given, stop, on_listening=say))
    for number in _SIGNALS:
        running.add_signal_handler(number, end)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
