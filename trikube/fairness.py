"""Priority and fairness of a whole process: made from its options, put around and into its outermost server.

Called by `controlplane.py`. Mirrors what `apiserver/pkg/server/config.go` does with its FlowControl.
"""

import time

from generic.client.rest import Client
from generic.filters.priority_and_fairness import PriorityAndFairness
from generic.flowcontrol.consumer import HOOK, ConfigConsumer
from generic.flowcontrol.control import FlowControl
from generic.flowcontrol.dumps import PREFIX, Dumps
from generic.flowcontrol.estimation import Estimator, Stored
from generic.flowcontrol.metrics import FlowControlMetrics
from generic.hooks import PostStartHook
from generic.meta.gvk import GroupResource
from generic.metrics import Metrics
from generic.paths import endpoint
from generic.registry.backings import Backings
from generic.server import GenericServer

_SAMPLE = 16
"""Objects whose size is taken for that of all."""
_GOOD_FOR = 10.0
"""Seconds for which a count of objects is."""


class Fairness:
    """`filter` goes into the handler chain, the rest with `install` into the server."""

    def __init__(self, seats: int, backings: Backings, metrics: Metrics) -> None:
        self._control = FlowControl(seats)
        self._metrics = metrics
        estimator = Estimator(StoredSizes(backings))
        self.filter = PriorityAndFairness(self._control, estimator, metrics=metrics).wrap

    def install(self, server: GenericServer, client: Client, *, follow: bool) -> None:
        """Metrics, dumps and, to `follow` what is configured, the hook. Without it, there is the catch-all for all."""
        self._metrics.registry.register(FlowControlMetrics(self._control))
        dumps = Dumps(self._control)
        for name, dump in (
            ("dump_priority_levels", dumps.priority_levels),
            ("dump_queues", dumps.queues),
            ("dump_requests", dumps.requests),
        ):
            server.mux.handle(f"{PREFIX}/{name}", endpoint(dump), listed=False)
        if follow:
            consumer = ConfigConsumer(client, self._control)
            server.add_post_start_hook(PostStartHook(HOOK, consumer.start))
            server.add_pre_shutdown_hook(HOOK, consumer.stop)


class StoredSizes:
    """How many objects of a resource there are, and how large, as their cache says."""

    def __init__(self, backings: Backings) -> None:
        self._backings = backings
        self._known: dict[GroupResource, tuple[float, Stored]] = {}

    def __call__(self, group: str, resource: str) -> Stored | None:
        asked, now = GroupResource(group, resource), time.monotonic()
        known = self._known.get(asked)
        if known is not None and now < known[0]:
            return known[1]
        backing = self._backings.held(asked)
        if backing is None:
            self._known.pop(asked, None)
            return None
        objects = backing.cacher.peek_all()
        sample = objects[:: max(1, len(objects) // _SAMPLE)]
        average = sum(len(obj.raw) for obj in sample) // max(1, len(sample))
        stored = Stored(len(objects), average)
        self._known[asked] = (now + _GOOD_FOR, stored)
        return stored
