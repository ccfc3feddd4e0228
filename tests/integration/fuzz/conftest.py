"""One control plane for all the requests, called without a socket."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.fuzz.target import Target
from tests.support import plane


@pytest.fixture(scope="module")
async def target(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Target]:
    folder: Path = tmp_path_factory.mktemp("fuzz")
    # No collector or namespace controller: only the requests themselves change what is looked at.
    async with plane.running(folder, controllers=("serviceaccount-controller",)) as served:
        made = Target(served)
        await made.prepare()
        yield made
        await made.close()
