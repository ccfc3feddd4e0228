"""What FlowSchemas and PriorityLevelConfigurations say, as values the dispatcher works with.

Made by `control.FlowControl.digest` from the API objects, which the server has defaulted. Mirrors
`queueSetCompleterForPL` and `plSpecCommons` of `apiserver/pkg/util/flowcontrol/apf_controller.go`.
"""

import math
from dataclasses import dataclass
from typing import Any

from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

GROUP = "flowcontrol.apiserver.k8s.io"
FLOW_SCHEMAS = GroupVersionResource(GROUP, "v1", "flowschemas")
PRIORITY_LEVELS = GroupVersionResource(GROUP, "v1", "prioritylevelconfigurations")

EXEMPT = "exempt"
CATCH_ALL = "catch-all"
"""Names of the two schemas and the two levels that are always there."""

MOST_HASH_BITS = 60
"""Of a flow's hash; a hand that needs more would not be dealt evenly."""
_MOST_QUEUES = 1 << 26


def required_entropy_bits(queues: int, hand_size: int) -> int:
    """Bits of hash needed to deal a hand, rounded up."""
    return math.ceil(math.log2(queues) * hand_size)


@dataclass(frozen=True, slots=True)
class Queuing:
    """How the requests of a level that have no seat yet are kept."""

    queues: int
    hand_size: int
    length_limit: int
    """Requests in one queue."""


@dataclass(frozen=True, slots=True)
class Level:
    """A PriorityLevelConfiguration."""

    name: str
    uid: str = ""
    exempt: bool = False
    shares: int = 0
    lendable_percent: int = 0
    borrowing_limit_percent: int | None = None
    """None: as much as there is."""
    queuing: Queuing | None = None
    """None: what finds no seat is turned away."""

    @classmethod
    def of(cls, obj: JSONObject) -> "Level":
        """Raises ValueError on an object that makes no sense: it counts as not being there."""
        metadata, spec = obj["metadata"], obj.get("spec") or {}
        name, limited, exempt = metadata["name"], spec.get("limited"), spec.get("exempt")
        is_exempt = spec.get("type") == "Exempt"
        if is_exempt != (exempt is not None) or (spec.get("type") == "Limited") != (limited is not None):
            raise ValueError("broken union structure at the top")
        if is_exempt != (name == EXEMPT):
            raise ValueError("non-alignment between name and type")
        uid = metadata.get("uid", "")
        if exempt is not None:
            return cls(
                name,
                uid,
                exempt=True,
                shares=exempt.get("nominalConcurrencyShares") or 0,
                lendable_percent=exempt.get("lendablePercent") or 0,
            )
        assert limited is not None
        return cls(
            name,
            uid,
            shares=_or(limited.get("nominalConcurrencyShares"), 30),
            lendable_percent=limited.get("lendablePercent") or 0,
            borrowing_limit_percent=limited.get("borrowingLimitPercent"),
            queuing=_queuing(limited.get("limitResponse") or {}),
        )


def _queuing(response: JSONObject) -> Queuing | None:
    found = response.get("queuing")
    if (response.get("type") == "Reject") != (found is None):
        raise ValueError("broken union structure for limit response")
    if found is None:
        return None
    made = Queuing(found.get("queues") or 64, found.get("handSize") or 8, found.get("queueLengthLimit") or 50)
    if not 0 < made.hand_size <= made.queues <= _MOST_QUEUES:
        raise ValueError(f"a hand of {made.hand_size} cannot be dealt from {made.queues} queues")
    if required_entropy_bits(made.queues, made.hand_size) > MOST_HASH_BITS:
        raise ValueError(f"a hand of {made.hand_size} of {made.queues} queues needs more than {MOST_HASH_BITS} bits")
    return made


def _or(value: Any, default: int) -> int:
    return default if value is None else int(value)
