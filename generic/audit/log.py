"""LogBackend: one line an event, as JSON or for people, into a file or to standard output.

Made by `setup`. It writes on the event loop, in a few microseconds, as the page cache takes it: a hop to a thread would
cost a request ten times that. What follows a rotation, compressing and removing, is done beside. Mirrors
`apiserver/plugin/pkg/audit/log`.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Protocol

from generic.audit.event import Event
from generic.audit.metrics import AuditMetrics
from generic.audit.options import LEGACY

_PLUGIN = "log"


class Writer(Protocol):
    """Where lines go: a `RotatingFile`, or standard output."""

    def write(self, data: bytes) -> bool:
        """True if there is something to `tidy` now. Raises OSError, ValueError."""

    def tidy(self) -> None:
        """May take its time. Raises OSError."""

    def close(self) -> None: ...


class StandardOutput:
    """What `--audit-log-path=-` means."""

    def write(self, data: bytes) -> bool:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return False

    def tidy(self) -> None:
        """There is nothing old."""

    def close(self) -> None:
        """It is not ours."""


class LogBackend:
    """`form`: one of the FORMATS of `options`."""

    def __init__(self, writer: Writer, form: str, metrics: AuditMetrics) -> None:
        self._writer = writer
        self._legacy = form == LEGACY
        self._metrics = metrics
        self._untidy = False
        self._tidying: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Old files may be too many or too old already."""
        self._tidy_soon()

    async def process(self, events: Sequence[Event]) -> bool:
        for number, event in enumerate(events):
            line = f"{event.as_text()}\n".encode() if self._legacy else event.line
            try:
                if self._writer.write(line):
                    self._tidy_soon()
            except (OSError, ValueError) as error:
                self._metrics.failed(_PLUGIN, error, events[number:])
                return False
        return True

    async def stop(self) -> None:
        if self._tidying is not None:
            await self._tidying
        self._writer.close()

    def _tidy_soon(self) -> None:
        self._untidy = True
        if self._tidying is None or self._tidying.done():
            self._tidying = asyncio.create_task(self._tidy(), name="audit-log-tidy")

    async def _tidy(self) -> None:
        while self._untidy:
            self._untidy = False
            try:
                await asyncio.to_thread(self._writer.tidy)
            except OSError as error:
                self._metrics.failed(_PLUGIN, error, ())
