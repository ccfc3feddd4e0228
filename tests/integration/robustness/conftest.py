"""One control plane for the tests of a file, and one object that no refused request may touch."""

from collections.abc import AsyncIterator

import pytest

from generic.types import JSONObject
from tests.integration.robustness.refusals import CONFIG_MAPS, KEPT
from tests.support import plane
from tests.support.plane import Running


@pytest.fixture(scope="module")
async def control_plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with plane.running(tmp_path_factory.mktemp("plane")) as served:
        yield served


@pytest.fixture(scope="module")
async def kept_object(control_plane: Running) -> JSONObject:
    return await control_plane.create(
        CONFIG_MAPS, {"metadata": {"name": KEPT, "labels": {"a": "b"}}, "data": {"k": "v"}}
    )


@pytest.fixture
async def kept(control_plane: Running, kept_object: JSONObject) -> AsyncIterator[JSONObject]:
    """The object as it was made; after the test it still is, and it is the only one of a client."""
    yield kept_object
    found = (await control_plane.http.get(CONFIG_MAPS)).json()
    assert [item for item in found["items"] if item["metadata"]["name"] != "kube-root-ca.crt"] == [kept_object]
