"""The parts with nothing of their own to remember: sharding, allocation, demand, Retry-After."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.flowcontrol.allocation import Claim, ImpossibleAllocation, allocate
from generic.flowcontrol.demand import Demand, Integrator
from generic.flowcontrol.retry_after import RetryAfter
from generic.flowcontrol.sharding import deal, flow_hash


@given(st.integers(0, 2**64 - 1), st.integers(1, 200), st.data())
def test_a_hand_is_of_different_cards_of_the_deck(value: int, deck: int, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, min(deck, 8)))
    hand = deal(value, deck, size)
    assert len(set(hand)) == size
    assert all(0 <= card < deck for card in hand)


def test_every_hand_is_dealt_as_often_as_any_other() -> None:
    hands = [deal(value, 5, 3) for value in range(5 * 4 * 3)]
    assert len(set(hands)) == 60


def test_flows_are_told_apart_by_schema_and_distinguisher() -> None:
    assert len({flow_hash(schema, by) for schema in ("a", "ab") for by in ("", "b", "c\udcff")}) == 6


CLAIMS = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 100), st.floats(0, 200)).map(
        lambda given: Claim(target=given[0] + given[1], least=given[0], most=given[0] + given[2])
    ),
    min_size=1,
    max_size=8,
)


@given(CLAIMS, st.floats(0, 1))
def test_shares_add_up_within_their_bounds_and_in_one_proportion(claims: list[Claim], place: float) -> None:
    low, high = sum(claim.least for claim in claims), sum(claim.most for claim in claims)
    total = low + place * (high - low)
    shares, fraction = allocate(total, claims)
    assert math.isclose(sum(shares), total, rel_tol=1e-6, abs_tol=1e-5)
    for share, claim in zip(shares, claims, strict=True):
        assert claim.least <= share <= claim.most
        wanted = fraction * max(claim.target, 0.001)
        assert share == pytest.approx(min(max(wanted, claim.least), claim.most))


def test_bounds_that_leave_no_room_are_refused() -> None:
    claims = [Claim(target=5, least=5, most=10)]
    for total in (4, 11):
        with pytest.raises(ImpossibleAllocation):
            allocate(total, claims)


def test_demand_rises_at_once_and_falls_slowly() -> None:
    integrator, demand = Integrator(0.0), Demand()
    integrator.set(10, 0.0)
    integrator.set(0, 5.0)
    demand.update(integrator.reset(10.0))
    assert (demand.peak, demand.average, demand.deviation, demand.smoothed) == (10, 5.0, 5.0, 10.0)
    demand.update(integrator.reset(20.0))
    assert (demand.peak, demand.average) == (0, 0.0)
    assert 9.0 < demand.smoothed < 10.0


def test_those_turned_away_come_back_later_while_there_are_many_and_sooner_when_there_are_few() -> None:
    now = 100.0
    asked = RetryAfter(lambda: now)
    said = []
    for _ in range(8):
        said += [asked.dropped("busy") for _ in range(20)]
        now += 1
    assert said[0] == 1
    assert said == sorted(said)
    assert said[-1] == 8
    assert asked.dropped("calm") == 1
    later = []
    for _ in range(6):
        now += 20
        later.append(asked.dropped("busy"))
    assert later == [7, 6, 5, 4, 3, 2]
