from collections.abc import AsyncIterator

import pytest

from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from tests.unit.client.fake_api import FakeAPI


@pytest.fixture
async def api() -> FakeAPI:
    return FakeAPI()


@pytest.fixture
async def client(api: FakeAPI) -> AsyncIterator[Client]:
    made = Client.loopback(LoopbackTransport(api))
    yield made
    await made.aclose()
