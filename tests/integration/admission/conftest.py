"""A whole KubeAPIServer for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support import kubeapi
from tests.support.kubeapi import Plane


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[Plane]:
    async with kubeapi.plane(tmp_path / "state.db") as started:
        yield started
