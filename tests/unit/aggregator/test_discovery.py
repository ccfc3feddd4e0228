"""What remote servers say of themselves, in the aggregated discovery document. BEHAVIOURS C, "Aggregated discovery"."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from aggregator.apiservices.registration import Registration
from aggregator.controllers.discovery import DiscoveryController
from aggregator.proxy.fetching import Fetched, FetchError
from generic.endpoints.discovery.aggregated import DiscoveryManager, Entry, Source
from generic.meta.gvk import GroupVersion
from generic.request.user import UserInfo
from tests.unit.aggregator.objects import SERVICE, Informer, Informers, apiservice

pytestmark = pytest.mark.anyio

GROUP = "a.example.com"
REMOTE = apiservice(GROUP, service=SERVICE)
AGGREGATED = {"content-type": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "etag": '"E1"'}


def described(resource: str, *versions: str) -> bytes:
    resources = [{"resource": resource, "verbs": ["get"], "scope": "Namespaced", "responseKind": {"kind": "Any"}}]
    listed = [{"version": version, "resources": resources} for version in versions or ("v1",)]
    return orjson.dumps({"items": [{"metadata": {"name": GROUP}, "versions": listed}]})


class Held(Informer):
    async def wait_synced(self) -> None: ...


class Made:
    """The controller, the server it asks, and what it makes of the answers."""

    def __init__(self) -> None:
        self.informer, self.manager = Held(), DiscoveryManager()
        self.answers: asyncio.Queue[Fetched | FetchError] = asyncio.Queue()
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        fakes: Any = self
        informers: Any = Informers(self.informer)
        self.controller = DiscoveryController(informers, fakes, self.manager)

    async def get(self, registration: Registration, target: str, *, user: UserInfo, more: Mapping[str, str]) -> Fetched:
        """As Fetcher."""
        self.asked.append((target, more))
        answer = await self.answers.get()
        if isinstance(answer, FetchError):
            raise answer
        return answer

    async def shows(self, *answers: Fetched | FetchError) -> tuple[str, list[str]]:
        """Freshness and resources of `v1`, after the server was asked again and answered so."""
        self.asked.clear()
        self.informer.tell(REMOTE, REMOTE)
        for answer in answers:
            self.answers.put_nowait(answer)
        before = self.manager.put
        put = asyncio.Event()

        def noted(entry: Entry) -> None:
            before(entry)
            put.set()

        self.manager.put = noted  # type: ignore[method-assign]
        async with asyncio.timeout(10):
            await put.wait()
        self.manager.put = before  # type: ignore[method-assign]
        assert self.answers.empty()
        return self.now()

    def versions(self) -> list[Any]:
        document = orjson.loads(self.manager.document(core=False)[0])
        (group,) = document["items"]
        return list(group["versions"])

    def now(self) -> tuple[str, list[str]]:
        version = self.versions()[0]
        return version["freshness"], [one["resource"] for one in version.get("resources", [])]


@pytest.fixture
async def made() -> AsyncIterator[Made]:
    setup = Made()
    await setup.controller.run()
    yield setup
    await setup.controller.stop()


def answer(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Fetched:
    return Fetched(status, headers or {}, body, "https://127.0.0.1/apis")


async def test_who_has_not_changed_says_so_and_keeps_what_is_held(made: Made) -> None:
    assert await made.shows(answer(200, described("things"), AGGREGATED)) == ("Current", ["things"])
    assert "if-none-match" not in made.asked[0][1]
    assert await made.shows(answer(304)) == ("Current", ["things"])
    assert [(target, more["if-none-match"]) for target, more in made.asked] == [("/apis", '"E1"')]
    assert await made.shows(answer(200, described("others"), AGGREGATED)) == ("Current", ["others"])


async def test_who_does_not_answer_is_stale_and_has_nothing_until_it_does(made: Made) -> None:
    assert await made.shows(FetchError("EOF")) == ("Stale", [])
    assert await made.shows(answer(200, described("things"), AGGREGATED)) == ("Current", ["things"])
    assert await made.shows(FetchError("EOF")) == ("Stale", [])
    assert await made.shows(answer(304)) == ("Current", ["things"])
    assert await made.shows(answer(503)) == ("Stale", [])
    assert [target for target, _ in made.asked] == ["/apis"], "the old form is not asked for"
    assert await made.shows(answer(200, b"{]", AGGREGATED)) == ("Stale", [])


async def test_a_version_the_server_does_not_list_is_there_without_resources(made: Made) -> None:
    assert await made.shows(answer(200, described("things", "v2"), AGGREGATED)) == ("Current", [])


async def test_versions_of_one_server_share_an_answer(made: Made) -> None:
    second = apiservice(GROUP, "v2", service=SERVICE, priorities=(1000, 1))
    made.informer.tell(None, second)
    assert await made.shows(answer(200, described("things", "v1", "v2"), AGGREGATED)) == ("Current", ["things"])
    async with asyncio.timeout(10):
        while len(made.versions()) < 2:  # noqa: ASYNC110, the second comes without a question
            await asyncio.sleep(0)
    assert [one["resources"][0]["resource"] for one in made.versions()] == ["things", "things"]
    assert len(made.asked) == 1


async def test_the_start_waits_until_every_remote_version_is_in_the_document() -> None:
    made = Made()
    made.informer.tell(None, REMOTE)
    made.answers.put_nowait(FetchError("EOF"))
    async with asyncio.timeout(10):
        await made.controller.run()
    assert made.now() == ("Stale", [])
    await made.controller.stop()


async def test_a_server_that_fails_is_asked_again_soon_and_then_ever_more_rarely(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(made.controller._controller, "enqueue_after", lambda _, seconds: waits.append(seconds))
    for _ in range(3):
        await made.shows(FetchError("EOF"))
    await made.shows(answer(200, described("things"), AGGREGATED))
    await made.shows(FetchError("EOF"))
    assert waits == [0.5, 1.0, 2.0, 60.0, 0.5]


async def test_who_does_not_know_the_aggregated_form_is_asked_for_the_old_one(made: Made) -> None:
    listed = {"name": "things", "namespaced": True, "kind": "Thing", "verbs": ["get"]}
    body = orjson.dumps({"kind": "APIResourceList", "groupVersion": f"{GROUP}/v1", "resources": [listed]})
    plain = {"content-type": "application/json"}
    assert await made.shows(answer(406), answer(200, body, plain)) == ("Current", ["things"])
    assert [target for target, _ in made.asked] == ["/apis", f"/apis/{GROUP}/v1"]
    assert await made.shows(answer(404), answer(500)) == ("Stale", [])


async def test_a_remote_server_goes_before_a_custom_resource_and_gives_its_place_back(made: Made) -> None:
    resource = {"resource": "customs", "verbs": ["get"], "scope": "Namespaced"}
    made.manager.put(Entry(GroupVersion(GROUP, "v1"), (resource,), Source.CRD))
    assert await made.shows(answer(200, described("things"), AGGREGATED)) == ("Current", ["things"])
    made.informer.tell(REMOTE, None)
    assert made.now() == ("Current", ["customs"])
