"""One control plane for the tests of a file."""

from collections.abc import AsyncIterator

import pytest

from tests.support import plane
from tests.support.plane import Running


@pytest.fixture(scope="module")
async def control_plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with plane.running(tmp_path_factory.mktemp("plane")) as served:
        yield served
