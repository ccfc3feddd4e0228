"""`/debug/api_priority_and_fairness/*`: what is in the queues right now, as Kubernetes prints it.

Put into the outermost server's mux by whoever composes a process. Mirrors
`apiserver/pkg/util/flowcontrol/apf_controller_debug.go`: columns aligned by spaces, each but the last followed by a
comma.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from generic.flowcontrol.control import FlowControl
from generic.flowcontrol.queueset import Queue, Ticket

PREFIX = "/debug/api_priority_and_fairness"
_NARROWEST = 8
_LEVELS = [
    *("PriorityLevelName", "ActiveQueues", "IsIdle", "IsQuiescing", "WaitingRequests", "ExecutingRequests"),
    *("DispatchedRequests", "RejectedRequests", "TimedoutRequests", "CancelledRequests"),
]
_QUEUES = [
    *("PriorityLevelName", "Index", "PendingRequests", "ExecutingRequests", "SeatsInUse", "NextDispatchR"),
    *("InitialSeatsSum", "MaxSeatsSum", "TotalWorkSum"),
]
# The spelling is Kubernetes'.
_REQUESTS = [
    *("PriorityLevelName", "FlowSchemaName", "QueueIndex", "RequestIndexInQueue", "FlowDistingsher", "ArriveTime"),
    *("InitialSeats", "FinalSeats", "AdditionalLatency", "StartTime"),
]
_DETAILS = ["UserName", "Verb", "APIPath", "Namespace", "Name", "APIVersion", "Resource", "SubResource"]

Row = Sequence[object]


class Dumps:
    """Starlette endpoints, one for each of the three dumps."""

    def __init__(self, control: FlowControl) -> None:
        self._control = control

    async def priority_levels(self, request: Request) -> Response:
        """A line for each level."""
        return _answer([_LEVELS, *self._level_rows()])

    async def queues(self, request: Request) -> Response:
        """A line for each queue."""
        return _answer([_QUEUES, *self._queue_rows()])

    async def requests(self, request: Request) -> Response:
        """A line for each request; `?includeRequestDetails=1` says what it asks for."""
        detailed = bool(request.query_params.get("includeRequestDetails"))
        head = [*_REQUESTS, *_DETAILS] if detailed else _REQUESTS
        return _answer([head, *self._request_rows(detailed=detailed)])

    def _level_rows(self) -> Iterator[Row]:
        for name, level in sorted(self._control.levels.items()):
            queues = level.queues
            yield (
                name,
                sum(bool(queue.waiting) for queue in queues.queues),
                _boolean(queues.idle),
                _boolean(level.quiescing),
                queues.waiting,
                queues.executing,
                queues.dispatched,
                queues.rejected,
                # Counted as cancelled, as in Kubernetes.
                0,
                queues.gave_up,
            )

    def _queue_rows(self) -> Iterator[Row]:
        for name, level in self._control.levels.items():
            for index, queue in enumerate(level.queues.queues):
                yield (name, *_queue_row(index, queue))

    def _request_rows(self, *, detailed: bool) -> Iterator[Row]:
        for name, level in self._control.levels.items():
            for index, place, ticket in level.queues.tickets():
                row = (name, ticket.flow.counts.schema, index, place, *_ticket_row(ticket))
                yield (*row, *_details(ticket)) if detailed else row


def _queue_row(index: int, queue: Queue) -> Row:
    waiting = queue.waiting
    return (
        index,
        len(waiting),
        len(queue.executing),
        queue.seats_in_use,
        _seat_seconds(queue.next_r),
        sum(ticket.work.seats for ticket in waiting),
        sum(ticket.seats for ticket in waiting),
        _seat_seconds(queue.work_waiting),
    )


def _ticket_row(ticket: Ticket) -> Row:
    work = ticket.work
    extra = f"{ticket.extra * 1000:g}ms" if 0 < ticket.extra < 1 else f"{ticket.extra:g}s"
    return (
        ticket.flow.distinguisher,
        _moment(ticket.arrived),
        work.seats,
        work.final_seats,
        extra,
        _moment(ticket.started) if ticket.started else "0001-01-01T00:00:00Z",
    )


def _details(ticket: Ticket) -> Row:
    request = ticket.request
    if request is None:
        return ("",) * len(_DETAILS)
    info = request.info
    version = f"{info.group}/{info.version}" if info.group else info.version
    return (
        request.user_name,
        info.verb,
        info.path,
        info.namespace,
        info.name,
        version,
        info.resource,
        info.subresource,
    )


def _answer(rows: Iterable[Row]) -> Response:
    return PlainTextResponse(_aligned([[str(cell) for cell in row] for row in rows]))


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    """As Go's tabwriter does with width 8 and padding 1: the last cell of a line is no column."""
    columns = len(rows[0]) - 1
    widths = [max(_NARROWEST, *(len(row[column]) + 2 for row in rows)) for column in range(columns)]
    lines = []
    for row in rows:
        cells = [f"{cell},".ljust(width) for cell, width in zip(row[:-1], widths, strict=True)]
        lines.append("".join(cells) + row[-1] + "\n")
    return "".join(lines)


def _boolean(value: object) -> str:
    return "true" if value else "false"


def _seat_seconds(value: float) -> str:
    return f"{value:.8f}ss"


def _moment(monotonic: float) -> str:
    """RFC 3339 of a moment of the monotonic clock."""
    moment = datetime.fromtimestamp(time.time() - (time.monotonic() - monotonic), UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
