from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.extensions import harness


@pytest.fixture
async def tier(tmp_path: Path) -> AsyncIterator[harness.Tier]:
    async with harness.tier(tmp_path / "state.db") as made:
        yield made
