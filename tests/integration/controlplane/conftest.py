"""One control plane for the tests of a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import plane
from tests.support.plane import Running


@pytest.fixture(scope="module")
async def control_plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("plane")
    async with plane.running(folder) as served:
        yield served
