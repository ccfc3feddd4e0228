"""A control plane in a thread of the test's own process: breakpoints, coverage and log capture reach into the servers.

Called by `plane.ControlPlane` when told to. The other way to run one is `runners.ProcessRunner`.
"""

import argparse
import asyncio
import contextlib
import logging
import threading
from collections.abc import Sequence

from generic.hooks import HookFailed
from generic.meta.errors import StatusError
from generic.serving import loop
from generic.serving.errors import ServingError
from generic.storage.interface import StorageError
from trikube import options
from trikube.controlplane import ControlPlane
from trikube.errors import OptionsError
from trikube.pki.files import PKIError
from trikube.testing.errors import ControlPlaneError

_log = logging.getLogger(__name__)

_SECONDS = 60.0
_EXPECTED = (OptionsError, PKIError, StorageError, ServingError, HookFailed, StatusError)


class ThreadRunner:
    """A thread with an event loop; implements runners.Runner."""

    def __init__(self, flags: Sequence[str]) -> None:
        self._flags = flags
        self._thread = threading.Thread(target=self._main, name="trikube", daemon=True)
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    def start(self) -> None:
        """See runners.Runner."""
        self._thread.start()
        started = self._started.wait(_SECONDS)
        if self._failure is not None or not started:
            self.stop()
            raise ControlPlaneError(f"the control plane did not start: {self._failure or 'no answer'}")

    def stop(self) -> None:
        """See runners.Runner."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop has closed since we looked
                self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.ident is not None:
            self._thread.join(_SECONDS)

    def _main(self) -> None:
        try:
            loop.run(self._serve())
        except _EXPECTED as error:
            self._failure = error
        except BaseException as error:
            # Whatever it was: the test that waits must hear of it, and hears it with its type.
            self._failure = RuntimeError(f"{type(error).__name__}: {error}")
        if self._failure is not None:
            _log.error("the control plane failed: %s", self._failure)
            self._started.set()

    async def _serve(self) -> None:
        parser = argparse.ArgumentParser(prog="trikube up")
        options.add_flags(parser)
        plane = ControlPlane(options.from_arguments(parser.parse_args(list(self._flags))))
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        await plane.run(self._stop, on_listening=self._started.set)
