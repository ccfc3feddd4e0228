"""What the garbage collector waits for before it begins."""

import pytest

from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.registry.backings import Backings
from kubeapi.controllers.garbagecollector.collector import GarbageCollector
from tests.support.memory_storage import MemoryStorage


class Vanishing:
    """One resource that went right after it was discovered: only another look at discovery says so."""

    def __init__(self) -> None:
        self.late = 1

    async def wait_started(self, seconds: float) -> int:
        return self.late

    async def sync(self) -> bool:
        self.late = 0
        return True


@pytest.mark.anyio
@pytest.mark.timeout(10)
async def test_a_resource_that_went_meanwhile_is_not_waited_for() -> None:
    collector = GarbageCollector(Client.loopback(LoopbackTransport()), Backings(MemoryStorage()))
    following = Vanishing()
    collector._following = following  # type: ignore[assignment]
    await collector._wait_started()
    assert following.late == 0
