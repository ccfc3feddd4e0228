"""What the storage tests with real processes share."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.etcd import EtcdServer


@pytest.fixture(scope="session", autouse=True)
async def one_loop() -> AsyncIterator[None]:
    """All tests on one event loop: gRPC wakes every loop it ever ran on, and closed ones complain."""
    yield  # noqa: PT022 -- the loop lives as long as this generator


@pytest.fixture
def etcd_server(tmp_path: Path) -> Iterator[EtcdServer]:
    """An etcd of the test's own, to be killed."""
    server = EtcdServer(tmp_path)
    server.start()
    yield server
    server.kill()
