"""Keeps a FlowControl working by the FlowSchemas and PriorityLevelConfigurations there are.

Started and stopped by a server's hooks. Writes into each FlowSchema's status whether its level is there, and every
ten seconds has seats lent anew. Mirrors the configController's Run of
`apiserver/pkg/util/flowcontrol/apf_controller.go`.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable

from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.client.rest import APPLY_PATCH, Client
from generic.flowcontrol.config import FLOW_SCHEMAS, PRIORITY_LEVELS
from generic.flowcontrol.control import Dangling, FlowControl
from generic.meta import errors, time
from generic.types import JSONObject

HOOK = "priority-and-fairness-config-consumer"
FIELD_MANAGER = "api-priority-and-fairness-config-consumer-v1"
REBALANCE_EVERY = 10.0
"""Seconds."""

_MOST_UPDATES = 6
"""Of one FlowSchema's status in a minute: servers that disagree must not fight without end."""
_ALL = "all"


class ConfigConsumer:
    """`start` it once the server listens; `stop` it before it goes down. Both may be called twice."""

    def __init__(
        self,
        client: Client,
        control: FlowControl,
        *,
        rebalance_every: float = REBALANCE_EVERY,
        field_manager: str = FIELD_MANAGER,
    ) -> None:
        self._client = client
        self._control = control
        self._every = rebalance_every
        self._field_manager = field_manager
        self._levels = Informer(client, PRIORITY_LEVELS)
        self._schemas = Informer(client, FLOW_SCHEMAS)
        # Slow to come again: conflicts are with other servers, and those take some time.
        self._work: Controller[str] = Controller("priority-and-fairness", self._sync, base_delay=0.2)
        self._timer: asyncio.TimerHandle | None = None
        self._written: deque[tuple[float, str]] = deque()
        self._levels.add_handler(self._enqueue_if("spec"))
        # The status as well: what another server wrote there is not left so.
        self._schemas.add_handler(self._enqueue_if("spec", "status"))
        control.on_drained = lambda: self._work.enqueue(_ALL)

    async def start(self) -> None:
        self._levels.start()
        self._schemas.start()
        self._work.start()
        if self._timer is None:
            self._rebalance_later()

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await asyncio.gather(self._work.stop(), self._levels.stop(), self._schemas.stop())

    def _enqueue_if(self, *sections: str) -> Callable[[JSONObject | None, JSONObject | None], None]:
        """Whoever comes or goes; of those that change, if a section does."""

        def changed(old: JSONObject | None, new: JSONObject | None) -> None:
            if old is None or new is None or any(old.get(key) != new.get(key) for key in sections):
                self._work.enqueue(_ALL)

        return changed

    def _rebalance_later(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every, self._rebalance)

    def _rebalance(self) -> None:
        self._control.rebalance()
        self._rebalance_later()

    async def _sync(self, _: str) -> None:
        await self._levels.wait_synced()
        await self._schemas.wait_synced()
        dangling = self._control.digest(self._levels.list(), self._schemas.list())
        failures = []
        for told in dangling:
            if self._is_written_too_often(told.schema):
                self._work.enqueue_after(_ALL, 30 + random.random() * 45)
                continue
            try:
                await self._write(told)
            except errors.StatusError as error:
                # What has just been deleted needs no status.
                if error.reason != "NotFound":
                    failures.append(error)
        if failures:
            raise failures[0]

    async def _write(self, told: Dangling) -> None:
        now = asyncio.get_running_loop().time()
        self._written.append((now, told.schema))
        condition = {**told.condition(), "lastTransitionTime": time.now()}
        patch = {
            "apiVersion": str(FLOW_SCHEMAS.group_version),
            "kind": "FlowSchema",
            "metadata": {"name": told.schema},
            "status": {"conditions": [condition]},
        }
        await self._client.patch(
            FLOW_SCHEMAS,
            told.schema,
            patch,
            content_type=APPLY_PATCH,
            subresource="status",
            field_manager=self._field_manager,
            force=True,
        )

    def _is_written_too_often(self, schema: str) -> bool:
        minute_ago = asyncio.get_running_loop().time() - 60
        while self._written and self._written[0][0] < minute_ago:
            self._written.popleft()
        return sum(name == schema for _, name in self._written) >= _MOST_UPDATES
