"""Every verb, on many kinds, with requests near and far from valid ones: none is a 500, none leaves half a change."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.fuzz.kinds import KINDS, Kind
from tests.integration.fuzz.requests import Attempt, attempts
from tests.integration.fuzz.target import Target

pytestmark = pytest.mark.anyio

_ATTEMPTS = st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(st.just(kind), attempts(kind.object, kind.parts)))


# The same ones each time: what is red today was not green by luck yesterday.
@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(made=_ATTEMPTS)
async def test_no_request_breaks_anything(target: Target, made: tuple[Kind, Attempt]) -> None:
    kind, attempt = made
    await target.judge(kind, attempt)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.collection.rpartition("/")[2])
async def test_the_object_that_is_changed_is_a_valid_one(target: Target, kind: Kind) -> None:
    """Else the requests above would all be refused for one and the same reason."""
    answer = await target.judge(kind, Attempt("GET", f"/{kind.name}"))
    assert answer.status_code == 200, answer.text
