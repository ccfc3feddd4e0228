"""How long bootstrapping insists."""

import pytest

from generic.meta import errors
from kubeapi.bootstrap import attempts

pytestmark = pytest.mark.anyio


def _failing(times: int, error: Exception) -> tuple[list[int], attempts.Action]:
    runs: list[int] = []

    async def action() -> None:
        runs.append(len(runs))
        if len(runs) <= times:
            raise error

    return runs, action


async def test_a_refusal_is_tried_again() -> None:
    runs, action = _failing(2, errors.service_unavailable("starting"))
    await attempts.until_done(action, pause=0)
    assert len(runs) == 3


async def test_patience_ends_with_the_refusal_itself() -> None:
    refusal = errors.service_unavailable("starting")
    _, action = _failing(1000, refusal)
    with pytest.raises(errors.StatusError) as refused:
        await attempts.until_done(action, patience=0, pause=0)
    assert refused.value is refusal


async def test_a_defect_is_not_tried_again() -> None:
    runs, action = _failing(5, KeyError("x"))
    with pytest.raises(KeyError):
        await attempts.until_done(action, pause=0)
    assert len(runs) == 1
