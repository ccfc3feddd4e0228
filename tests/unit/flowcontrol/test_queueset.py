"""Fair queuing: who runs next, who waits, who is turned away."""

from hypothesis import given, settings
from hypothesis import strategies as st

from generic.flowcontrol.config import Queuing
from generic.flowcontrol.counts import Counts
from generic.flowcontrol.queueset import Flow, QueueSet, Ticket, Work


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.now = 1.0

    def __call__(self) -> float:
        return self.now


def flow(*hand: int) -> Flow:
    return Flow(Counts("level", "schema"), "", hand)


def queue_set(clock: Clock, *, seats: int, queues: int = 4, length: int = 50) -> QueueSet:
    made = QueueSet(exempt=False, clock=clock)
    made.configure(Queuing(queues, 1, length), seats)
    return made


def started(queues: QueueSet, of: Flow, work: Work) -> Ticket:
    ticket = queues.start(of, work)
    assert ticket is not None
    return ticket


ONE = Work()


def test_what_finds_a_seat_runs_at_once_and_what_finds_none_waits_for_one() -> None:
    queues = queue_set(Clock(), seats=2)
    first, second, third = (started(queues, flow(0), ONE) for _ in range(3))
    assert (first.started, second.started, third.started) == (1.0, 1.0, 0.0)
    queues.finish(first)
    assert third.started


def test_a_full_queue_turns_away_and_says_why() -> None:
    queues, full = queue_set(Clock(), seats=1, length=1), flow(0)
    assert [queues.start(full) is not None for _ in range(3)] == [True, True, False]
    assert full.counts.rejected == {"queue-full": 1}
    assert queues.start(flow(1)) is not None


def test_without_queues_what_finds_no_seat_is_turned_away() -> None:
    queues, one = QueueSet(exempt=False, clock=Clock()), flow(0)
    queues.configure(None, 1)
    ticket = started(queues, one, ONE)
    assert queues.start(one) is None
    assert one.counts.rejected == {"concurrency-limit": 1}
    queues.finish(ticket)
    assert queues.start(one) is not None


def test_an_exempt_level_has_seats_for_all() -> None:
    queues = QueueSet(exempt=True, clock=Clock())
    queues.configure(None, 0)
    assert all(started(queues, flow(0), Work(9)).started for _ in range(100))
    assert queues.demand.value == 900


def test_a_flood_lets_a_newcomer_pass() -> None:
    clock = Clock()
    queues, flood = queue_set(clock, seats=2), flow(0)
    running = [started(queues, flood, ONE) for _ in range(30)][:2]
    clock.now += 1
    newcomer = started(queues, flow(1), ONE)
    assert not newcomer.started
    for ticket in running:
        queues.finish(ticket)
    assert newcomer.started
    assert queues.waiting == 27


def test_a_flow_joins_the_emptiest_queue_of_its_hand() -> None:
    queues, wide = queue_set(Clock(), seats=1), flow(0, 1, 2)
    for _ in range(31):
        started(queues, wide, ONE)
    assert [len(queue.waiting) for queue in queues.queues] == [10, 10, 10, 0]


def test_what_is_wider_than_the_level_runs_alone() -> None:
    queues, one = queue_set(Clock(), seats=2), flow(0)
    narrow, wide, behind = (started(queues, one, work) for work in (ONE, Work(5), ONE))
    assert not wide.started
    assert one.counts.no_accommodation == 2
    queues.finish(narrow)
    assert wide.started
    assert not behind.started
    queues.finish(wide)
    assert behind.started


def test_who_leaves_the_queue_gives_its_place_up() -> None:
    queues, one = queue_set(Clock(), seats=1), flow(0)
    running, gone, last = (started(queues, one, ONE) for _ in range(3))
    queues.leave(gone)
    queues.leave(gone)
    queues.leave(running)
    assert one.counts.rejected == {"time-out": 1}
    queues.finish(running)
    assert (gone.started, bool(last.started)) == (0.0, True)


def test_queues_that_are_too_many_are_emptied_before_they_go() -> None:
    queues, last = queue_set(Clock(), seats=1), flow(3)
    tickets = [started(queues, last, ONE) for _ in range(2)]
    queues.configure(Queuing(2, 1, 50), 1)
    assert len(queues.queues) == 4
    for ticket in tickets:
        assert ticket.started
        queues.finish(ticket)
    assert len(queues.queues) == 3
    assert queues.idle


def test_a_level_that_shrinks_lets_those_who_run_finish() -> None:
    queues, one = queue_set(Clock(), seats=3), flow(0)
    tickets = [started(queues, one, ONE) for _ in range(4)]
    queues.configure(Queuing(4, 1, 50), 1)
    for ticket in tickets[:2]:
        queues.finish(ticket)
        assert not tickets[3].started
    queues.finish(tickets[2])
    assert tickets[3].started


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "arrive", "finish", "leave", "resize"]), st.integers(0, 7), st.floats(0.0, 2.0)
    ),
    max_size=60,
)


@given(STEPS, st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_whatever_happens_seats_are_kept_and_none_stays_empty(steps: list[tuple[str, int, float]], seats: int) -> None:
    clock = Clock()
    queues = queue_set(clock, seats=seats, length=4)
    flows = [flow(index % 4, (index + 1) % 4) for index in range(4)]
    waiting: list[Ticket] = []
    running: list[Ticket] = []
    for step, number, pause in steps:
        clock.now += pause
        if step == "arrive":
            ticket = queues.start(flows[number % 4], Work(1 + number // 4))
            waiting += [ticket] if ticket is not None else []
        elif step == "finish" and running:
            queues.finish(running.pop(number % len(running)))
        elif step == "leave" and waiting:
            queues.leave(waiting.pop(number % len(waiting)))
        elif step == "resize":
            queues.configure(Queuing(4, 2, 4), 1 + number % 5)
        running += [ticket for ticket in waiting if ticket.started]
        waiting = [ticket for ticket in waiting if not ticket.started]
        assert queues.waiting == len(waiting) == sum(len(queue.waiting) for queue in queues.queues)
        assert queues.seats_waiting == sum(ticket.seats for ticket in waiting)
        assert (
            queues.seats_in_use == sum(ticket.seats for ticket in running) == queues.demand.value - queues.seats_waiting
        )
        if waiting and queues.seats_in_use < queues.limit:
            # Only a wide one in front may leave a seat empty, and only beside somebody who runs.
            assert running
            assert max(ticket.seats for ticket in waiting) > queues.limit - queues.seats_in_use
    for _ in range(len(running) + len(waiting)):
        queues.finish(running.pop())
        running += [ticket for ticket in waiting if ticket.started]
        waiting = [ticket for ticket in waiting if not ticket.started]
    assert (running, waiting, queues.idle) == ([], [], True)
    assert all(one.counts.executing_seats == one.counts.waiting_seats == 0 for one in flows)


def served(queues: QueueSet, clock: Clock, shapes: list[tuple[int, float]], *, until: float) -> list[float]:
    """Seat-seconds each flow gets: flow number `n` always has many requests of so many seats and seconds waiting."""
    flows = [flow(index) for index in range(len(shapes))]
    got = [0.0] * len(shapes)
    ends: list[tuple[float, int, Ticket]] = []
    waiting: list[list[Ticket]] = [[] for _ in shapes]
    while clock.now < until:
        for index, (width, seconds) in enumerate(shapes):
            while len(waiting[index]) < 40:
                waiting[index].append(started(queues, flows[index], Work(width)))
            ends += [(clock.now + seconds, index, ticket) for ticket in waiting[index] if ticket.started]
            waiting[index] = [ticket for ticket in waiting[index] if not ticket.started]
        ends.sort(key=lambda end: end[0])
        clock.now, index, ticket = ends.pop(0)
        got[index] += ticket.seats * shapes[index][1]
        queues.finish(ticket)
    return got


@given(
    st.lists(st.tuples(st.just(1), st.floats(0.05, 1.0)), min_size=2, max_size=4),
    st.integers(1, 4),
)
@settings(max_examples=25, deadline=None)
def test_flows_get_equal_time_however_long_their_requests_last(shapes: list[tuple[int, float]], seats: int) -> None:
    clock = Clock()
    got = served(queue_set(clock, seats=seats), clock, shapes, until=100.0)
    # What is still running was paid for already.
    assert max(got) - min(got) <= 2 * (seats + 1) * max(seconds for _, seconds in shapes)


def test_flows_get_equal_seats_however_wide_their_requests_are() -> None:
    clock = Clock()
    narrow, wide = served(queue_set(clock, seats=4), clock, [(1, 0.5), (2, 0.5)], until=200.0)
    assert abs(narrow - wide) < 0.1 * (narrow + wide)
