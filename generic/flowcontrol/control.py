"""FlowControl: the priority levels of a server, which of them a request belongs to, and how they share its seats.

One for each server that has priority and fairness on. `consumer` feeds it the API objects, the filter asks it for
each request. Mirrors `apiserver/pkg/util/flowcontrol/apf_controller.go`.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from generic.flowcontrol import allocation, bootstrap, sharding
from generic.flowcontrol.allocation import Claim
from generic.flowcontrol.config import CATCH_ALL, EXEMPT, Level
from generic.flowcontrol.counts import Counts
from generic.flowcontrol.demand import Demand
from generic.flowcontrol.matching import FlowSchema
from generic.flowcontrol.queueset import Flow, QueueSet
from generic.request.info import RequestInfo
from generic.request.user import UserInfo
from generic.types import JSONObject

_LOG = logging.getLogger(__name__)

_MOST_OF_A_LEVEL = 0.15
"""The part of a level's seats that one request may take."""
_MOST_REMEMBERED = 4096
_LONGEST_REMEMBERED = 512

_Key = tuple[str, tuple[str, ...], str, str, str, str, str, str]


@dataclass(slots=True)
class LevelState:
    """A level at work. Limits are numbers of seats."""

    config: Level
    queues: QueueSet
    quiescing: bool = False
    """Its object is gone; it goes once nothing of it waits or runs."""
    demand: Demand = field(default_factory=Demand)
    nominal: int = 0
    least: int = 0
    most: int = 0
    current: int = -1
    """-1 before it has any."""
    target: float = 0.0
    widest: int = 0
    """Seats one request may take; 0: no limit of its own."""
    counts: dict[str, Counts] = field(default_factory=dict)
    """By flow schema."""

    @property
    def floor(self) -> int:
        """What it gets in any case: what it used lately, between what it does not lend and what is its own."""
        if self.config.exempt:
            return max(self.least, self.demand.peak)
        return max(self.least, min(self.nominal, self.demand.peak))


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """Where requests of some kind belong."""

    level: LevelState
    queues: QueueSet
    flow: Flow
    headers: tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Dangling:
    """What the condition of a FlowSchema has to say: whether its level is missing."""

    schema: str
    level: str
    missing: bool

    @classmethod
    def of(cls, obj: JSONObject, *, missing: bool) -> "Dangling":
        level = ((obj.get("spec") or {}).get("priorityLevelConfiguration") or {}).get("name", "")
        return cls(obj["metadata"]["name"], level, missing)

    def said_by(self, obj: JSONObject) -> bool:
        wanted = self.condition()
        conditions = (obj.get("status") or {}).get("conditions") or ()
        return any(wanted.items() <= condition.items() for condition in conditions)

    def condition(self) -> dict[str, str]:
        named = f'This FlowSchema references the PriorityLevelConfiguration object named "{self.level}"'
        status, reason, end = (
            ("True", "NotFound", "but there is no such object") if self.missing else ("False", "Found", "and it exists")
        )
        return {"type": "Dangling", "status": status, "reason": reason, "message": f"{named} {end}"}


class FlowControl:
    """`seats`: of the whole server. Before the first `digest` there are the mandatory schemas and levels alone."""

    def __init__(self, seats: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.seats = seats
        self.levels: dict[str, LevelState] = {}
        self.schemas: list[FlowSchema] = []
        self.fair_fraction = 0.0
        self.on_drained: Callable[[], None] = lambda: None
        """A level whose object is gone has become idle: digest again."""
        self._clock = clock
        self._matches: dict[_Key, Match] = {}
        self.digest((), ())

    def classify(self, user: UserInfo, info: RequestInfo) -> Match:
        """Where a request belongs. Remembered by all that FlowSchemas look at."""
        path = "" if info.is_resource_request else info.path
        key = (
            user.name,
            tuple(user.groups),
            info.verb,
            info.group,
            info.resource,
            info.subresource,
            info.namespace,
            path,
        )
        match = self._matches.get(key)
        if match is None:
            match = self._classify(user, info)
            # What is remembered must not grow with what strangers send.
            if len(path) <= _LONGEST_REMEMBERED:
                if len(self._matches) >= _MOST_REMEMBERED:
                    self._matches.clear()
                self._matches[key] = match
        return match

    def _classify(self, user: UserInfo, info: RequestInfo) -> Match:
        found = (schema for schema in self.schemas if schema.match(user, info))
        # Somebody in neither system:authenticated nor system:unauthenticated is for the catch-all as well.
        schema = next(found, None) or next(each for each in self.schemas if each.name == CATCH_ALL)
        level = self.levels[schema.level]
        queuing, distinguisher = level.config.queuing, ""
        hand: tuple[int, ...] = (0,)
        if queuing is not None and queuing.queues > 1:
            distinguisher = schema.flow(user, info)
            hand = sharding.deal(sharding.flow_hash(schema.name, distinguisher), queuing.queues, queuing.hand_size)
        counts = level.counts.get(schema.name)
        if counts is None:
            counts = level.counts[schema.name] = Counts(level.config.name, schema.name)
        headers = (
            (b"x-kubernetes-pf-flowschema-uid", schema.uid.encode()),
            (b"x-kubernetes-pf-prioritylevel-uid", level.config.uid.encode()),
        )
        return Match(level, level.queues, Flow(counts, distinguisher, hand), headers)

    # Configuration.

    def digest(self, levels: Iterable[JSONObject], schemas: Iterable[JSONObject]) -> list[Dangling]:
        """Work by these objects from now on. Returns what FlowSchemas have to be told of their levels."""
        made = self._digest_levels(levels)
        dangling = self._digest_schemas(schemas, made)
        self._keep_busy_ones(made)
        for obj in bootstrap.MANDATORY_LEVELS:
            config = Level.of(obj)
            if config.name not in made:
                made[config.name] = self._state(config)
        self.levels = made
        self._matches.clear()
        self._divide()
        return dangling

    def _state(self, config: Level) -> LevelState:
        state = self.levels.get(config.name)
        if state is None:
            return LevelState(config, QueueSet(exempt=config.exempt, clock=self._clock))
        state.config, state.quiescing, state.queues.on_idle = config, False, None
        return state

    def _digest_levels(self, objects: Iterable[JSONObject]) -> dict[str, LevelState]:
        made = {}
        for obj in objects:
            try:
                config = Level.of(obj)
            except ValueError as error:
                _LOG.warning("ignoring PriorityLevelConfiguration %s: %s", obj["metadata"]["name"], error)
                continue
            made[config.name] = self._state(config)
        return made

    def _digest_schemas(self, objects: Iterable[JSONObject], levels: dict[str, LevelState]) -> list[Dangling]:
        found, dangling = [], []
        for obj in objects:
            schema = FlowSchema.of(obj)
            is_missing = schema.level not in levels
            told = Dangling.of(obj, missing=is_missing)
            if not told.said_by(obj):
                dangling.append(told)
            if not is_missing:
                found.append(schema)
        found.sort(key=lambda schema: (schema.precedence, schema.name))
        exempt, catch_all = (FlowSchema.of(obj) for obj in bootstrap.MANDATORY_SCHEMAS)
        names = {schema.name for schema in found}
        first = [] if EXEMPT in names else [exempt]
        last = [] if CATCH_ALL in names else [catch_all]
        self.schemas = [*first, *found, *last]
        return dangling

    def _keep_busy_ones(self, made: dict[str, LevelState]) -> None:
        """A level that nobody wants any more keeps its seats until it has nothing to do."""
        for name, state in self.levels.items():
            if name in made or name in (EXEMPT, CATCH_ALL) or state.queues.idle:
                continue
            state.quiescing = True
            state.queues.on_idle = lambda: self.on_drained()
            made[name] = state

    # Seats.

    def _divide(self) -> None:
        """Each level's own seats and bounds, by its shares."""
        shares = sum(state.config.shares for state in self.levels.values())
        for state in self.levels.values():
            config = state.config
            # Rounded up: a few seats too many do no harm, a level without any would.
            state.nominal = math.ceil(self.seats * config.shares / shares) if shares else 0
            lendable = _rounded(state.nominal * config.lendable_percent / 100)
            percent = config.borrowing_limit_percent
            borrowing = self.seats if percent is None else _rounded(state.nominal * percent / 100)
            state.least, state.most = state.nominal - lendable, state.nominal + borrowing
            state.widest = 0
            if config.queuing is not None:
                widest = min(math.ceil(state.nominal * _MOST_OF_A_LEVEL), state.nominal // config.queuing.hand_size)
                state.widest = max(1, widest)
            if state.current < 0:
                state.current = state.nominal - lendable // 2
        self.rebalance()

    def rebalance(self) -> None:
        """Lend seats to levels that could use more than their own. To be called every ten seconds."""
        now = self._clock()
        limited = [state for state in self.levels.values() if not state.config.exempt]
        for state in self.levels.values():
            state.demand.update(state.queues.demand.reset(now))
        for state, current in zip(limited, self._allocate(limited), strict=True):
            state.current = current
        for state in self.levels.values():
            if state.config.exempt:
                state.current = state.floor
            state.queues.configure(state.config.queuing, state.current)

    def _allocate(self, limited: list[LevelState]) -> list[int]:
        total = sum(state.nominal for state in self.levels.values())
        # The exempt do not ask; what they use is not there for the others.
        left = total - sum(state.floor for state in self.levels.values() if state.config.exempt)
        least, floors = sum(state.least for state in limited), sum(state.floor for state in limited)
        self.fair_fraction = 0.0
        claims = []
        for state in limited:
            state.target = max(state.floor, state.demand.smoothed)
            claims.append(Claim(state.target, state.floor, state.most))
        if left <= least:
            return [state.least for state in limited]
        if left <= floors:
            part = (left - least) / (floors - least)
            return [state.least + _rounded((state.floor - state.least) * part) for state in limited]
        try:
            shares, self.fair_fraction = allocation.allocate(total, claims)
        except allocation.ImpossibleAllocation as error:
            _LOG.error("cannot derive new concurrency limits: %s", error)
            return [state.current for state in limited]
        return [_rounded(share) for share in shares]


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)
