from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.aggregator import harness
from tests.integration.aggregator.harness import Plane


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with harness.plane(tmp_path) as made:
        yield made
