"""Every test of this folder runs against every storage engine."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from generic.storage.files import FileStorage
from generic.storage.interface import Storage
from generic.storage.sqlite import SqliteStorage
from tests.support.etcd import EtcdServer


@pytest.fixture(scope="session")
def etcd_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    """One etcd for all tests of this process; they keep apart by their roots."""
    server = EtcdServer(tmp_path_factory.mktemp("etcd"), "--unsafe-no-fsync")
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session", autouse=True)
async def one_loop() -> AsyncIterator[None]:
    """All tests on one event loop: gRPC wakes every loop it ever ran on, and closed ones complain."""
    yield  # noqa: PT022 -- the loop lives as long as this generator


@dataclass(slots=True)
class Engine:
    """A started engine and the part of its keys that belongs to the test."""

    storage: Storage
    root: str
    """Ends with a slash."""
    open: Callable[[], Storage]
    """Makes another engine on the same data, not started."""

    def key(self, name: str) -> str:
        return self.root + name

    async def put(self, name: str, value: bytes = b"v", *, after: int = 0) -> int:
        """Write, and return the revision."""
        return (await self.storage.put(self.key(name), value, expected_revision=after)).mod_revision


@pytest.fixture(params=["sqlite", "etcd", "files"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Engine]:
    root = f"/registry/{uuid.uuid4().hex}/"

    def open_storage() -> Storage:
        if request.param == "sqlite":
            return SqliteStorage(tmp_path / "store.db")
        if request.param == "files":
            return FileStorage(tmp_path / "store", durable=False)
        from generic.storage.etcd import EtcdStorage

        return EtcdStorage([request.getfixturevalue("etcd_server").endpoint])

    storage = open_storage()
    await storage.start()
    subject = Engine(storage, root, open_storage)
    yield subject
    await subject.storage.close()
