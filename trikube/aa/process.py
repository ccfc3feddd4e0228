"""The process of an aggregated server: signals, what it prints, its exit code. Called by `builder.py`.

A second signal ends it at once. Whatever keeps it from running is one line, what the author's own functions raise too;
the traceback of those is told at level debug.
"""

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

import pydantic

import generic
from generic.authentication.delegated import DelegationError
from generic.client.kubeconfig import KubeconfigError
from generic.hooks import HookFailed
from generic.serving import loop
from generic.serving.errors import ServingError
from generic.storage.interface import StorageError
from trikube.aa import schemas
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
_LOG = logging.getLogger(__name__)
_LIBRARIES = tuple(str(Path(each).parent) for each in (pydantic.__file__, generic.__file__, Path(__file__).parent))
_SIGNALS = (signal.SIGTERM, signal.SIGINT)

Serve = Callable[[asyncio.Event, Callable[[Listening], None]], Awaitable[None]]


def main(name: str, serves: str, serve: Serve) -> int:
    """The exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname).1s %(name)s: %(message)s")
    try:
        loop.run(_run(name, serves, serve))
    except _EXPECTED as error:
        _tell(name, str(error))
        return 1
    except Exception as error:
        _LOG.debug("it ends by", exc_info=error)
        _tell(name, f"{type(error).__name__}: {error} ({_place(error.__traceback__)})")
        return 1
    return 0


def tell_definition_errors() -> None:
    """A class or a builder that cannot be is an error of whoever imports it: one line says what and where.

    So is a class that pydantic does not take. Called when `trikube.aa` is imported; all other exceptions are left to
    whom they were left before.
    """
    before = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, DefinitionError):
            _tell(_place(trace), str(error))
        elif isinstance(error, pydantic.PydanticUserError):
            _tell(_place(trace), schemas.why(error))
        else:
            before(kind, error, trace)

    sys.excepthook = hook


def _tell(name: str, why: str) -> None:
    sys.stderr.write(f"{name}: error: {' '.join(why.split())}\n")


def _place(trace: TracebackType | None) -> str:
    """The last line of the author's, not of what this is made of."""
    found = "?"
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(("<", *_LIBRARIES)):
            found = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


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
