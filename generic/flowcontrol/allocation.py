"""Dividing the server's seats among priority levels by what each could use, within its bounds.

Called by `control.FlowControl.rebalance`. Mirrors `apiserver/pkg/util/flowcontrol/conc_alloc.go`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

_LEAST_TARGET = 0.001
_EPSILON = 1e-7


class ImpossibleAllocation(ValueError):
    """The bounds leave no room for the sum."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one level would like, and what it gets at least and at most: `0 <= least <= target`, `least <= most`."""

    target: float
    least: float
    most: float


def allocate(total: float, claims: Sequence[Claim]) -> tuple[list[float], float]:
    """The shares, which sum to `total`, and the one fraction of its target that each gets, where its bounds let it.

    Raises ImpossibleAllocation.
    """
    if sum(claim.least for claim in claims) > total + _EPSILON:
        raise ImpossibleAllocation(f"lower bounds sum to more than {total}")
    if sum(claim.most for claim in claims) < total - _EPSILON:
        raise ImpossibleAllocation(f"upper bounds sum to less than {total}")
    fraction = _fraction(total, claims)
    return [_share(claim, fraction) for claim in claims], fraction


def _fraction(total: float, claims: Sequence[Claim]) -> float:
    """Where the sum of the shares, which grows with the fraction in straight pieces, reaches the total."""
    bounds = sorted({bound / _target(claim) for claim in claims for bound in (claim.least, claim.most)})
    low, low_sum = 0.0, sum(claim.least for claim in claims)
    for high in bounds:
        high_sum = sum(_share(claim, high) for claim in claims)
        if high_sum >= total - _EPSILON:
            rise = high_sum - low_sum
            return high if rise <= 0 else low + (high - low) * min(1.0, max(0.0, (total - low_sum) / rise))
        low, low_sum = high, high_sum
    return low


def _share(claim: Claim, fraction: float) -> float:
    return max(claim.least, min(claim.most, fraction * _target(claim)))


def _target(claim: Claim) -> float:
    return max(claim.target, _LEAST_TARGET)
