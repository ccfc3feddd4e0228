"""Since when legacy tokens are tracked: what a kube-controller-manager looks for."""

from datetime import date

import pytest

from generic.client.rest import Client
from generic.meta import errors
from kubeapi.controllers.legacy_token_tracking import CONFIG_MAPS, NAME, NAMESPACE, LegacyTokenTracking
from tests.support.kubeapi import Plane, until

pytestmark = pytest.mark.anyio


async def _since(client: Client) -> str:
    return str((await client.get(CONFIG_MAPS, NAME, NAMESPACE))["data"]["since"])


async def test_the_day_is_kept_and_one_that_is_none_becomes_today(plane: Plane) -> None:
    async def there() -> bool:
        try:
            return bool(await _since(plane.client))
        except errors.StatusError:
            return False

    await until(there)
    tracking = LegacyTokenTracking(plane.client, today=lambda: date(2031, 5, 6))
    before = await _since(plane.client)
    await tracking.reconcile()
    assert await _since(plane.client) == before != "2031-05-06"
    await plane.client.patch(CONFIG_MAPS, NAME, {"data": {"since": "soon", "other": "x"}}, namespace=NAMESPACE)
    await tracking.reconcile()
    assert (await plane.client.get(CONFIG_MAPS, NAME, NAMESPACE))["data"] == {"since": "2031-05-06", "other": "x"}
    await plane.client.delete(CONFIG_MAPS, NAME, NAMESPACE)
    await tracking.reconcile()
    assert await _since(plane.client) == "2031-05-06"
