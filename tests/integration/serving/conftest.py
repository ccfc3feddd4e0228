from pathlib import Path
from typing import Any

import pytest

from trikube.pki import layout


@pytest.fixture(
    scope="session",
    params=[("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    """Both event loops a server may run on: their TLS transports are different code."""
    return request.param


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> layout.Layout:
    directory: Path = tmp_path_factory.mktemp("pki")
    return layout.ensure(directory)
