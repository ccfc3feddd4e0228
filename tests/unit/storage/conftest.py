"""A cacher over storage in memory, for the tests of what it does."""

from collections.abc import AsyncIterator

import pytest

from generic.storage.cacher import Cacher
from tests.support.configmaps import IMPATIENT, ConfigMaps, cacher_over
from tests.support.memory_storage import MemoryStorage


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


@pytest.fixture
async def cacher(storage: MemoryStorage) -> AsyncIterator[Cacher]:
    cacher = cacher_over(storage, patience=IMPATIENT)
    yield cacher
    await cacher.stop()


@pytest.fixture
def maps(storage: MemoryStorage) -> ConfigMaps:
    return ConfigMaps(storage)
