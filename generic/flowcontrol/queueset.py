"""QueueSet: fair queuing of the requests of one priority level.

Each queue gets the same number of seats a second, as far as it can use them; among the queues with something to
do, the one whose oldest request would be done first in a world that served all at once goes next. R is that
world's clock, in seat-seconds given to each queue so far. A flow spreads over a hand of queues, so that a flood
fills only those. Made and configured by `control`, asked by the filter. Everything happens on one event loop
between two awaits, so there is no lock, and what a change needs is kept up to date instead of summed up anew.
Mirrors `apiserver/pkg/util/flowcontrol/fairqueuing/queueset/queueset.go`; its epochs are for integers that overflow.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from generic.flowcontrol.config import Queuing
from generic.flowcontrol.counts import Counts
from generic.flowcontrol.demand import Integrator
from generic.request.context import RequestContext

GUESSED_SECONDS = 0.003
"""What a request is taken to last until it is known."""

QUEUE_FULL = "queue-full"
CONCURRENCY_LIMIT = "concurrency-limit"
TIME_OUT = "time-out"


@dataclass(frozen=True, slots=True)
class Work:
    """What a request takes: seats while it runs, and seats for some time after (its events go to watchers)."""

    seats: int = 1
    final_seats: int = 0
    extra_seconds: float = 0.0


ONE_SEAT = Work()


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """What some requests have in common: their schema, and who shares their queues."""

    counts: Counts
    distinguisher: str
    hand: tuple[int, ...]


class Ticket:
    """A request that has been let in, to a queue at least; `finish` or `QueueSet.wait` take it back."""

    __slots__ = ("arrived", "arrived_r", "decision", "extra", "flow", "queue", "request", "seats", "started", "work")

    def __init__(self, flow: Flow, work: Work, request: RequestContext | None, *, now: float, r: float) -> None:
        self.flow = flow
        self.work = work
        self.request = request
        self.seats = work.seats if work.seats >= work.final_seats else work.final_seats
        """Held from the start to the end of both phases."""
        self.extra = work.extra_seconds
        self.arrived = now
        self.arrived_r = r
        self.started = 0.0
        """0 while it waits."""
        self.queue: Queue | None = None
        self.decision: asyncio.Future[bool] | None = None

    @property
    def amount(self) -> float:
        """Its work in seat-seconds."""
        return self.work.seats * GUESSED_SECONDS + self.work.final_seats * self.work.extra_seconds


class Queue:
    """One queue: who waits, in order, and who of it runs."""

    __slots__ = ("executing", "index", "next_r", "seats_in_use", "waiting", "work_waiting")

    def __init__(self, index: int) -> None:
        self.index = index
        self.next_r = 0.0
        """R when its next request would be dispatched, were all queues served at once."""
        self.waiting: dict[Ticket, None] = {}
        self.work_waiting = 0.0
        self.executing: set[Ticket] = set()
        self.seats_in_use = 0

    def oldest(self) -> Ticket:
        return next(iter(self.waiting))

    def bound(self) -> None:
        """Nothing is dispatched before it arrived: a queue that used less than its share saves nothing up."""
        if self.waiting:
            self.next_r = max(self.next_r, self.oldest().arrived_r)


class QueueSet:
    """The queues of a level. With none, what finds no seat is turned away; an exempt level has seats for all."""

    def __init__(self, *, exempt: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.exempt = exempt
        self.limit = 0
        """Seats."""
        self.queues: list[Queue] = []
        self.r = 0.0
        self.demand = Integrator(clock())
        self.waiting = self.executing = self.seats_waiting = self.seats_in_use = 0
        self.dispatched = self.rejected = self.gave_up = 0
        """In all its life."""
        self.on_idle: Callable[[], None] | None = None
        """Told once when nothing waits or runs any more."""
        self.dispatched_r = self.latest_next_r = 0.0
        self._clock = clock
        self._queuing: Queuing | None = None
        self._loose: set[Ticket] = set()
        # Queues somebody waits in, and how many have anything to do.
        self._busy: set[Queue] = set()
        self._active = 0
        self._robin = 0
        self._enqueued = 0
        self._synced = clock()

    @property
    def idle(self) -> bool:
        return not self.waiting and not self.executing

    def configure(self, queuing: Queuing | None, limit: int) -> None:
        """Queues that are too many go when they are empty."""
        now = self._sync()
        self._queuing, self.limit = queuing, limit
        while queuing is not None and len(self.queues) < queuing.queues:
            self.queues.append(Queue(len(self.queues)))
        self._dispatch(now)

    # A request's way.

    def start(self, flow: Flow, work: Work = ONE_SEAT, request: RequestContext | None = None) -> Ticket | None:
        """Let it run (`ticket.started`), let it `wait`, or turn it away: None."""
        now = self._sync()
        queuing, seats = self._queuing, work.seats if work.seats >= work.final_seats else work.final_seats
        if queuing is None:
            if not self._has_room(seats):
                self._reject(flow, CONCURRENCY_LIMIT)
                return None
            ticket = Ticket(flow, work, request, now=now, r=self.r)
            self._execute(ticket, now)
            return ticket
        queue = self._choose(flow.hand)
        if self.seats_in_use >= self.limit and len(queue.waiting) >= queuing.length_limit:
            self._reject(flow, QUEUE_FULL)
            return None
        ticket = Ticket(flow, work, request, now=now, r=self.r)
        ticket.queue = queue
        if not queue.executing and not queue.waiting:
            self._active += 1
            queue.next_r = self.r
        if not self.waiting and self.seats_in_use < self.limit and self._has_room(seats):
            # Nobody waits: it is next, whatever its queue. Nothing has to be compared.
            if queue.next_r < self.r:
                queue.next_r = self.r
            self._robin = queue.index
            flow.counts.lengths.observe(1)
            self._execute(ticket, now)
        else:
            self._enqueue(ticket, queue, now)
            self._dispatch(now)
        return ticket

    async def wait(self, ticket: Ticket, seconds: float) -> bool:
        """Until it may run; False once `seconds` have passed. Cancelled, it has left."""
        if ticket.started:
            return True
        loop = asyncio.get_running_loop()
        ticket.decision = loop.create_future()
        timer = loop.call_later(max(seconds, 0.0), self.leave, ticket)
        try:
            return await ticket.decision
        except BaseException:
            # Its turn may have come in the same moment.
            if ticket.started:
                self.finish(ticket)
            else:
                self.leave(ticket)
            raise
        finally:
            timer.cancel()

    def leave(self, ticket: Ticket) -> None:
        """Out of the queue, without having run. Nothing if it is not in it."""
        queue = ticket.queue
        if queue is None or ticket not in queue.waiting:
            return
        now = self._sync()
        self._take_out(ticket, queue)
        if not queue.waiting and not queue.executing:
            self._active -= 1
        queue.bound()
        self.gave_up += 1
        self._reject(ticket.flow, TIME_OUT)
        self.demand.set(self.seats_in_use + self.seats_waiting, now)
        if ticket.decision is not None and not ticket.decision.done():
            ticket.decision.set_result(False)
        # It may have been a wide one that all the others waited behind.
        self._dispatch(now)
        self._tell_if_idle()

    def finish(self, ticket: Ticket) -> float:
        """It has run: for so many seconds. Its seats are free at once, or when its final phase is over."""
        now = self._sync()
        seconds = now - ticket.started
        self.executing -= 1
        ticket.flow.counts.executing -= 1
        queue = ticket.queue
        if queue is None:
            self._loose.discard(ticket)
        else:
            queue.executing.discard(ticket)
            queue.next_r -= ticket.work.seats * (GUESSED_SECONDS - seconds)
            queue.bound()
            if not queue.executing and not queue.waiting:
                self._active -= 1
        if ticket.extra > 0:
            asyncio.get_running_loop().call_later(ticket.extra, self._end_of_linger, ticket)
        else:
            self._release(ticket, now)
        if self.waiting:
            self._dispatch(now)
        if self.on_idle is not None:
            self._tell_if_idle()
        return seconds

    def tickets(self) -> Iterator[tuple[int, int, Ticket]]:
        """Everything here: index of the queue, or -1, place in it, or -1 for what runs, and the ticket."""
        for index, queue in enumerate(self.queues):
            yield from ((index, place, ticket) for place, ticket in enumerate(queue.waiting))
            yield from ((index, -1, ticket) for ticket in queue.executing)
        yield from ((-1, -1, ticket) for ticket in self._loose)

    # Inside.

    def _sync(self) -> float:
        """R, given that things were as they are since the last time. Returns the time."""
        now = self._clock()
        if self._active:
            wanted = self.seats_in_use + self.seats_waiting
            self.r += (wanted if wanted < self.limit else self.limit) / self._active * (now - self._synced)
        self._synced = now
        return now

    def _has_room(self, seats: int) -> bool:
        if self.exempt:
            return True
        if seats > self.limit:
            # Wider than the level: it runs alone.
            return not self.executing
        return self.seats_in_use + seats <= self.limit

    def _choose(self, hand: tuple[int, ...]) -> Queue:
        """The queue of the hand with the least work waiting; among equals each in its turn."""
        start = self._enqueued % len(hand)
        self._enqueued += 1
        queue = self.queues[hand[start]]
        if self.waiting:
            for index in (*hand[start + 1 :], *hand[:start]):
                if self.queues[index].work_waiting < queue.work_waiting:
                    queue = self.queues[index]
        return queue

    def _reject(self, flow: Flow, reason: str) -> None:
        self.rejected += 1
        flow.counts.reject(reason)

    def _enqueue(self, ticket: Ticket, queue: Queue, now: float) -> None:
        queue.waiting[ticket] = None
        queue.work_waiting += ticket.amount
        queue.bound()
        self._busy.add(queue)
        self.waiting += 1
        self.seats_waiting += ticket.seats
        counts = ticket.flow.counts
        counts.waiting += 1
        counts.waiting_seats += ticket.seats
        counts.lengths.observe(len(queue.waiting))
        self.demand.set(self.seats_in_use + self.seats_waiting, now)

    def _take_out(self, ticket: Ticket, queue: Queue) -> None:
        del queue.waiting[ticket]
        if queue.waiting:
            queue.work_waiting -= ticket.amount
        else:
            queue.work_waiting = 0.0
            self._busy.discard(queue)
        self.waiting -= 1
        self.seats_waiting -= ticket.seats
        counts = ticket.flow.counts
        counts.waiting -= 1
        counts.waiting_seats -= ticket.seats

    def _dispatch(self, now: float) -> None:
        """As many as there is room for. Who is next waits for room, if need be, and everybody with it."""
        while self.waiting and self.seats_in_use < self.limit:
            queue = self._next()
            ticket = queue.oldest()
            if not self._has_room(ticket.seats):
                ticket.flow.counts.no_accommodation += 1
                return
            self._robin = queue.index
            self._take_out(ticket, queue)
            self._execute(ticket, now)
            queue.bound()

    def _next(self) -> Queue:
        """The queue whose oldest request is done first in the world of R; among equals, the next in the round."""
        count = len(self.queues)
        return min(self._busy, key=lambda q: (q.next_r + q.oldest().amount, (q.index - self._robin - 1) % count))

    def _execute(self, ticket: Ticket, now: float) -> None:
        ticket.started = now
        if ticket.work.final_seats > self.limit and ticket.queue is not None:
            # The same work on fewer seats takes longer.
            ticket.extra = ticket.work.final_seats * ticket.work.extra_seconds / self.limit
            ticket.seats = max(ticket.work.seats, self.limit)
        self.executing += 1
        self.dispatched += 1
        self.seats_in_use += ticket.seats
        queue = ticket.queue
        if queue is None:
            self._loose.add(ticket)
        else:
            queue.executing.add(ticket)
            queue.seats_in_use += ticket.seats
            self.dispatched_r, self.latest_next_r = self.r, queue.next_r
            queue.next_r += ticket.amount
        counts = ticket.flow.counts
        counts.dispatched += 1
        counts.executing += 1
        counts.executing_seats += ticket.seats
        self.demand.set(self.seats_in_use + self.seats_waiting, now)
        if ticket.decision is not None and not ticket.decision.done():
            ticket.decision.set_result(True)

    def _end_of_linger(self, ticket: Ticket) -> None:
        now = self._sync()
        self._release(ticket, now)
        self._dispatch(now)

    def _release(self, ticket: Ticket, now: float) -> None:
        self.seats_in_use -= ticket.seats
        ticket.flow.counts.executing_seats -= ticket.seats
        self.demand.set(self.seats_in_use + self.seats_waiting, now)
        queue = ticket.queue
        if queue is not None:
            queue.seats_in_use -= ticket.seats
            self._drop_if_too_many(queue)

    def _drop_if_too_many(self, queue: Queue) -> None:
        wanted = self._queuing.queues if self._queuing is not None else 0
        if len(self.queues) <= wanted or queue.waiting or queue.executing or queue.seats_in_use:
            return
        if queue.index < len(self.queues) and self.queues[queue.index] is queue:
            del self.queues[queue.index]
            for index in range(queue.index, len(self.queues)):
                self.queues[index].index = index
            if self._robin >= queue.index:
                self._robin -= 1

    def _tell_if_idle(self) -> None:
        if self.on_idle is not None and self.idle:
            callback, self.on_idle = self.on_idle, None
            callback()
