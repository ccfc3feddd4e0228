"""Lets each request run when its priority level has seats for it: at once, after a wait in a queue, or not at all.

Stands where max-in-flight does, in a server that has priority and fairness on; made by whoever composes a process.
What decides is `generic/flowcontrol`. Mirrors `apiserver/pkg/server/filters/priority-and-fairness.go`.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

from generic.filters.max_in_flight import READING, too_many_requests
from generic.flowcontrol.control import FlowControl, Match
from generic.flowcontrol.estimation import Estimator
from generic.flowcontrol.queueset import ONE_SEAT, Ticket
from generic.flowcontrol.retry_after import RetryAfter
from generic.metrics import Metrics
from generic.request import context
from generic.request.context import RequestContext
from generic.types import ASGIApp, Message, Receive, Scope, Send

LONGEST_WAIT = 60.0
"""Seconds in a queue, whatever the deadline."""
PART_OF_DEADLINE = 4
"""So many times the longest wait is what a request may take in all."""


class PriorityAndFairness:
    """The filter, and what it counts. `default_wait`: seconds for what has no deadline, watches."""

    def __init__(
        self, control: FlowControl, estimator: Estimator, *, metrics: Metrics | None = None, default_wait: float = 15.0
    ) -> None:
        self.control = control
        self._estimator = estimator
        self._metrics = metrics
        self._default_wait = min(default_wait, LONGEST_WAIT)
        self._retry_after = RetryAfter()
        self._reading = self._mutating = 0
        if metrics is not None:
            metrics.watch_in_flight(lambda: {"readOnly": self._reading, "mutating": self._mutating})

    def wrap(self, app: ASGIApp) -> ASGIApp:
        """A Filter."""

        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            request = context.of(scope)
            if request.info.verb == "watch":
                await self._watch(app, scope, receive, send)
            elif request.info.is_long_running:
                await app(scope, receive, send)
            else:
                await self._run(app, scope, receive, send)

        return handle

    async def _run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        admitted = await self._admit(scope, receive, send)
        if admitted is None:
            return
        request = context.of(scope)
        match, ticket, receive = admitted
        is_reading = request.info.verb in READING
        self._count(1, is_reading=is_reading)
        try:
            await app(scope, receive, send)
        finally:
            self._count(-1, is_reading=is_reading)
            match.flow.counts.executed.observe(match.queues.finish(ticket))

    async def _watch(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """A watch has its seats until it has sent what there was; it may then last as long as it likes."""
        admitted = await self._admit(scope, receive, send)
        if admitted is None:
            return
        request = context.of(scope)
        match, ticket, receive = admitted
        self._count(1, is_reading=True)
        forget = self._estimator.watch_began(request.info)
        request.initialized = give_back = self._giving_back(match, ticket)
        try:
            await app(scope, receive, send)
        finally:
            give_back()
            forget()
            request.initialized = None

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> tuple[Match, Ticket, Receive] | None:
        """Once it may run: where it belongs, its seats, and what to read it by. None: it was refused."""
        request = context.of(scope)
        match, ticket = self._start(scope, request)
        if ticket is not None and not ticket.started:
            line = _Line(receive)
            receive = line.receive
            if not await self._wait(request, match, ticket, line):
                ticket = None
        if ticket is None:
            await self._refuse(scope, send, request, match)
            return None
        return match, ticket, receive

    def _giving_back(self, match: Match, ticket: Ticket) -> Callable[[], None]:
        done = False

        def give_back() -> None:
            nonlocal done
            if not done:
                done = True
                self._count(-1, is_reading=True)
                match.flow.counts.initialized.observe(match.queues.finish(ticket))

        return give_back

    def _start(self, scope: Scope, request: RequestContext) -> tuple[Match, Ticket | None]:
        info, user = request.info, request.user
        if user is None:
            raise RuntimeError("priority and fairness stands before authentication in the chain")
        match = self.control.classify(user, info)
        request.response_headers += match.headers
        if info.verb == "get":
            work = ONE_SEAT
        else:
            work = self._estimator.estimate(info, scope["query_string"], match.level.widest)
        counts = match.flow.counts
        ticket = match.queues.start(match.flow, work, request)
        counts.seats.observe(work.seats if work.seats > work.final_seats else work.final_seats)
        if ticket is not None and ticket.started and not match.queues.exempt:
            counts.waited.observe(0)
        return match, ticket

    async def _wait(self, request: RequestContext, match: Match, ticket: Ticket, line: "_Line") -> bool:
        request.trace.add("priority-and-fairness", "queue")
        watcher = asyncio.ensure_future(line.look(lambda: match.queues.leave(ticket)))
        try:
            may_run = await match.queues.wait(ticket, self._longest_wait(request))
        finally:
            watcher.cancel()
        counts = match.flow.counts
        request.queued = monotonic() - ticket.arrived
        (counts.waited if may_run else counts.waited_in_vain).observe(request.queued)
        if may_run:
            request.trace.add("priority-and-fairness", "execute")
        return may_run

    def _longest_wait(self, request: RequestContext) -> float:
        """Seconds from now."""
        allowed = self._default_wait
        if request.deadline is not None:
            allowed = min((request.deadline - request.received_at) / PART_OF_DEADLINE, LONGEST_WAIT)
        return request.received_at + allowed - monotonic()

    async def _refuse(self, scope: Scope, send: Send, request: RequestContext, match: Match) -> None:
        request.trace.add("priority-and-fairness", "reject")
        if self._metrics is not None:
            self._metrics.dropped.add("readOnly" if request.info.verb in READING else "mutating")
            self._metrics.terminations.add(request.info.verb, "429")
        await too_many_requests(scope, send, seconds=self._retry_after.dropped(match.level.config.name))

    def _count(self, by: int, *, is_reading: bool) -> None:
        if is_reading:
            self._reading += by
        else:
            self._mutating += by


class _Line:
    """A request's `receive`, looked at while it waits, since only there a client is seen to leave.

    What is read on the way is kept for the handler. Of a body that comes in parts only the first is: the rest stays
    with its sender.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: deque[Message] = deque()

    async def look(self, on_gone: Callable[[], None]) -> None:
        message = await self._next()
        if message["type"] == "http.request" and not message.get("more_body"):
            # Nothing but its leaving can follow.
            message = await self._next()
        if message["type"] == "http.disconnect":
            on_gone()

    async def _next(self) -> Message:
        message = await self._receive()
        self._kept.append(message)
        return message

    async def receive(self) -> Message:
        return self._kept.popleft() if self._kept else await self._receive()
