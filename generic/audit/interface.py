"""Backend: who takes audit events. Log and webhook write them; the others stand in front of one.

Made and stacked by `setup`, called by `auditor`. Mirrors `apiserver/pkg/audit/{types,union}.go` and the mode wrapper of
`apiserver/pkg/server/options/audit.go`.
"""

from collections.abc import Sequence
from typing import Protocol

from generic.audit.event import Event


class Backend(Protocol):
    """`start` before the first event, `stop` after the last: it returns when all of them are written or given up."""

    async def start(self) -> None: ...

    async def process(self, events: Sequence[Event]) -> bool:
        """False if they are lost; why is told in the log and the metrics. Never raises."""

    async def stop(self) -> None: ...


class Union:
    """Several back ends, each of which gets every event."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        self._backends = backends

    async def start(self) -> None:
        for backend in self._backends:
            await backend.start()

    async def process(self, events: Sequence[Event]) -> bool:
        # A list, not a generator: all are asked, whatever one of them says.
        return all([await backend.process(events) for backend in self._backends])

    async def stop(self) -> None:
        for backend in self._backends:
            await backend.stop()


class IgnoringErrors:
    """Mode `blocking`: events that are lost are nobody's fault who makes a request."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def start(self) -> None:
        await self._backend.start()

    async def process(self, events: Sequence[Event]) -> bool:
        await self._backend.process(events)
        return True

    async def stop(self) -> None:
        await self._backend.stop()
