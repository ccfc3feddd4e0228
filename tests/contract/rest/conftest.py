"""Every test of this folder runs against every resource of `subjects.py`, through a whole server in process."""

import itertools
from collections.abc import AsyncIterator

import pytest

from examples.cats.__main__ import Cat
from generic.client.rest import Client
from generic.types import JSONObject
from tests.contract.rest.subjects import SUBJECTS, Subject
from tests.support import crd, kubeapi, plane
from tests.unit.aa import harness

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
async def kubeapi_client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """One server for all tests of this process; they keep apart by the names of their objects."""
    async with kubeapi.plane(tmp_path_factory.mktemp("rest") / "state.db") as served:
        yield served.client


@pytest.fixture(scope="session")
async def aa_client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """The same for aggregated servers, which know no namespaces while they are alone."""
    async with harness.serving(tmp_path_factory.mktemp("aa"), Cat) as client:
        yield client


@pytest.fixture(scope="session")
async def controlplane_client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """The same for what the extensions server defines, behind the other two."""
    async with plane.running(tmp_path_factory.mktemp("controlplane")) as served:
        await served.create(crd.CRDS, crd.definition("things"))
        await served.until("/apis/stable.example.com/v1/namespaces/default/things")
        yield served.plane.client


class Rest:
    """A subject, a client that reaches it, and names nobody else uses."""

    def __init__(self, subject: Subject, client: Client) -> None:
        self.subject = subject
        self.client = client
        self.gvr = subject.gvr
        self.namespace = subject.namespace
        number = next(_NUMBERS)
        self.name = f"test-{number}"
        self.labels = {"test": str(number)}
        self.selector = f"test={number}"

    async def create(self, name: str = "", **metadata: object) -> JSONObject:
        obj = self.subject.make(name or self.name, labels=self.labels, **metadata)
        return await self.client.create(self.gvr, obj)

    async def get(self, name: str = "") -> JSONObject:
        return await self.client.get(self.gvr, name or self.name, self.namespace)

    async def patch(self, patch: JSONObject, *, subresource: str = "") -> JSONObject:
        return await self.client.patch(self.gvr, self.name, patch, namespace=self.namespace, subresource=subresource)


@pytest.fixture(params=SUBJECTS, ids=lambda subject: str(subject.gvr.group_resource))
def rest(request: pytest.FixtureRequest) -> Rest:
    subject: Subject = request.param
    return Rest(subject, request.getfixturevalue(subject.fixture))
