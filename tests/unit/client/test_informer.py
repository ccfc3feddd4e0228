import asyncio
import random
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from generic.client import informer as informers
from generic.client.failures import TransportError
from generic.client.informer import Informer
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.meta import errors
from generic.types import JSONObject
from tests.unit.client.fake_api import GVR, RESOURCE, FakeAPI, configmap

pytestmark = pytest.mark.anyio

Follow = Callable[..., Informer]


@pytest.fixture
async def follow(client: Client) -> AsyncIterator[Follow]:
    """Starts informers that try again at once; stops them at the end."""
    made: list[Informer] = []

    def start(handler: informers.Handler | None = None, *, namespace: str = "") -> Informer:
        informer = Informer(client, GVR, namespace=namespace, base_delay=0)
        made.append(informer)
        if handler is not None:
            informer.add_handler(handler)
        informer.start()
        return informer

    yield start
    for informer in made:
        await informer.stop()


class Told:
    """A handler that notes `+name`, `~name` and `-name`."""

    def __init__(self) -> None:
        self.changes: asyncio.Queue[tuple[str, JSONObject | None, JSONObject | None]] = asyncio.Queue()

    def __call__(self, old: JSONObject | None, new: JSONObject | None) -> None:
        obj = new or old
        assert obj is not None
        sign = "+" if old is None else "-" if new is None else "~"
        self.changes.put_nowait((sign + obj["metadata"]["name"], old, new))

    async def next(self, count: int = 1) -> list[str]:
        return [(await self.changes.get())[0] for _ in range(count)]

    def rest(self) -> list[str]:
        return [self.changes.get_nowait()[0] for _ in range(self.changes.qsize())]


@pytest.fixture
def told() -> Told:
    return Told()


def verbs(api: FakeAPI) -> list[str]:
    return [verb for verb, _, _ in api.requests]


async def test_handlers_are_told_of_what_is_there_before_it_counts_as_synced(
    api: FakeAPI, follow: Follow, told: Told
) -> None:
    await api.put(configmap("a"))
    await api.put(configmap("b", "team"))
    informer = follow(told)
    early = informer.has_synced
    await informer.wait_synced()
    assert (early, informer.has_synced) == (False, True)
    assert told.rest() == ["+a", "+b"]


async def test_changes_are_told_with_the_object_before_and_after(api: FakeAPI, follow: Follow, told: Told) -> None:
    informer = follow(told)
    await informer.wait_synced()
    first = await api.put(configmap("a", k="1"))
    second = await api.put(configmap("a", k="2"))
    last = await api.remove("a")
    assert [await told.changes.get() for _ in range(3)] == [
        ("+a", None, first),
        ("~a", first, second),
        ("-a", last, None),
    ]
    assert informer.list() == []


async def test_the_copy_already_holds_what_handlers_are_told(api: FakeAPI, follow: Follow) -> None:
    await api.put(configmap("a"))
    await api.put(configmap("b"))
    sizes: list[int] = []
    informer = follow()
    informer.add_handler(lambda old, new: sizes.append(len(informer.list())))
    await informer.wait_synced()
    assert sizes == [2, 2]


async def test_a_handler_that_comes_late_is_told_of_what_is_there(api: FakeAPI, follow: Follow, told: Told) -> None:
    await api.put(configmap("a"))
    informer = follow()
    await informer.wait_synced()
    informer.add_handler(told)
    assert told.rest() == ["+a"]
    await api.put(configmap("b"))
    assert await told.next() == ["+b"]


async def test_objects_are_found_by_name_and_namespace(api: FakeAPI, follow: Follow) -> None:
    for name, namespace in (("a", "one"), ("b", "one"), ("a", "two")):
        await api.put(configmap(name, namespace))
    informer = follow()
    await informer.wait_synced()
    assert informer.get("a", "two") == api.objects["two", "a"]
    assert informer.get("b", "two") is None
    assert informer.get("a") is None
    assert {obj["metadata"]["name"] for obj in informer.list("one")} == {"a", "b"}
    assert len(informer.list()) == 3


async def test_an_informer_of_one_namespace_follows_no_other(api: FakeAPI, follow: Follow, told: Told) -> None:
    informer = follow(told, namespace="team")
    await informer.wait_synced()
    await api.put(configmap("a"))
    await api.put(configmap("b", "team"))
    assert await told.next() == ["+b"]
    assert api.requests[0][1] == "/api/v1/namespaces/team/configmaps"


async def test_it_asks_for_a_streaming_list_of_what_is_selected(api: FakeAPI, client: Client) -> None:
    informer = Informer(client, GVR, label_selector="a=b", field_selector="metadata.name=x")
    informer.start()
    await informer.wait_synced()
    await informer.stop()
    [(verb, _, query)] = api.requests
    assert 300 <= int(query.pop("timeoutSeconds")) < 600
    assert (verb, query) == (
        "watch",
        {
            "watch": "true",
            "labelSelector": "a=b",
            "fieldSelector": "metadata.name=x",
            "allowWatchBookmarks": "true",
            "sendInitialEvents": "true",
            "resourceVersionMatch": "NotOlderThan",
        },
    )


REFUSED = errors.StatusError(422, "Invalid", "sendInitialEvents is forbidden for watch")


async def test_where_streaming_lists_are_refused_it_lists_by_pages_and_watches_from_there(
    api: FakeAPI, follow: Follow, told: Told
) -> None:
    for name in ("a", "b", "c"):
        await api.put(configmap(name))
    api.page_limit = 2
    api.fail_once("watch", REFUSED)
    informer = follow(told)
    await informer.wait_synced()
    await api.put(configmap("d"))
    assert await told.next(4) == ["+a", "+b", "+c", "+d"]
    assert verbs(api) == ["watch", "list", "list", "watch"]
    assert api.requests[1][2] == {"limit": "500", "resourceVersion": "0"}
    assert api.requests[2][2] == {"limit": "500", "continue": "2.4"}
    assert api.requests[3][2]["resourceVersion"] == "4"


async def test_a_list_that_takes_too_long_for_its_pages_is_asked_for_whole(
    api: FakeAPI, follow: Follow, told: Told
) -> None:
    for name in ("a", "b", "c"):
        await api.put(configmap(name))
    api.page_limit = 2
    api.fail_once("watch", REFUSED)
    expired = errors.expired("The provided continue parameter is too old")
    api.failures.append(lambda verb, query: expired if "continue" in query else None)
    await follow(told).wait_synced()
    assert sorted(told.rest()) == ["+a", "+b", "+c"]
    assert api.requests[3][2] == {"resourceVersion": "0"}


async def test_a_watch_that_ends_is_resumed_where_it_ended(api: FakeAPI, follow: Follow, told: Told) -> None:
    informer = follow(told)
    await informer.wait_synced()
    seen = await api.put(configmap("a"))
    await told.next()
    await api.disconnect()
    await api.put(configmap("b"))
    assert await told.next() == ["+b"]
    assert verbs(api) == ["watch", "watch"]
    assert api.requests[1][2]["resourceVersion"] == seen["metadata"]["resourceVersion"]
    assert "sendInitialEvents" not in api.requests[1][2]


async def test_a_bookmark_moves_the_place_to_resume_at(api: FakeAPI, follow: Follow, told: Told) -> None:
    await follow(told).wait_synced()
    await api.bookmark()
    for _ in range(20):
        await asyncio.sleep(0)
    await api.disconnect()
    await api.compact()
    await api.put(configmap("a"))
    assert await told.next() == ["+a"]
    assert [query.get("resourceVersion") for _, _, query in api.requests] == [None, "2"]


async def test_what_happened_beyond_the_history_is_found_by_listing_again(
    api: FakeAPI, follow: Follow, told: Told
) -> None:
    for name in ("same", "changed", "deleted", "recreated"):
        await api.put(configmap(name))
    informer = follow(told)
    await informer.wait_synced()
    told.rest()
    await informer.stop()
    await api.put(configmap("changed", k="2"))
    await api.remove("deleted")
    await api.remove("recreated")
    await api.put(configmap("recreated"))
    await api.put(configmap("new"))
    await api.compact()
    informer.start()
    assert sorted(await told.next(5)) == ["+new", "+recreated", "-deleted", "-recreated", "~changed"]
    assert told.rest() == []
    assert {obj["metadata"]["name"] for obj in informer.list()} == {"same", "changed", "recreated", "new"}
    assert [query.get("resourceVersion") for _, _, query in api.requests] == [None, "5", None]


async def test_a_server_restored_from_the_past_is_listed_again(api: FakeAPI, follow: Follow, told: Told) -> None:
    await api.put(configmap("a"))
    informer = follow(told)
    await informer.wait_synced()
    # As the real refusal, less the second it asks the client to wait.
    api.fail_once("watch", errors.timeout("Too large resource version: 2, current: 1"))
    api.objects.clear()
    await api.restore()
    assert await told.next(2) == ["+a", "-a"]
    assert "resourceVersion" not in api.requests[-1][2]


@pytest.mark.parametrize(
    "error",
    [
        errors.not_found(RESOURCE, ""),
        errors.forbidden(RESOURCE, "", "not yet"),
        errors.unauthorized(),
        errors.service_unavailable("starting"),
        errors.expired("too old"),
    ],
    ids=lambda error: str(error.code),
)
async def test_a_refusal_is_met_with_another_try(api: FakeAPI, follow: Follow, error: errors.StatusError) -> None:
    api.fail_once("watch", error)
    api.fail_once("watch", error)
    await follow().wait_synced()
    assert verbs(api) == ["watch"] * 3


class Lonely(LoopbackTransport):
    """Says when it was first used."""

    def __init__(self) -> None:
        super().__init__()
        self.used = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.used.set()
        return await super().handle_async_request(request)


async def test_neither_a_missing_server_nor_a_defective_one_ends_it(
    api: FakeAPI, caplog: pytest.LogCaptureFixture
) -> None:
    transport = Lonely()
    informer = Informer(Client.loopback(transport), GVR, base_delay=0)
    informer.start()
    await transport.used.wait()
    api.fail_once("watch", LookupError("a defect"))
    transport.bind(api)
    await informer.wait_synced()
    await informer.stop()
    assert "cannot follow configmaps: GET /api/v1/configmaps: " in caplog.text
    assert "LookupError: a defect" in caplog.text


async def test_a_handler_that_fails_is_logged_and_the_others_are_told(
    api: FakeAPI, follow: Follow, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(old: JSONObject | None, new: JSONObject | None) -> None:
        raise LookupError("a defect")

    informer = follow(broken)
    informer.add_handler(told)
    await informer.wait_synced()
    await api.put(configmap("a"))
    await api.put(configmap("b"))
    assert await told.next(2) == ["+a", "+b"]
    assert "LookupError: a defect" in caplog.text


async def test_stop_ends_the_watch_and_both_ends_may_be_repeated(api: FakeAPI, client: Client) -> None:
    informer = Informer(client, GVR)
    await informer.stop()
    informer.start()
    informer.start()
    await informer.wait_synced()
    assert api.watches == 1
    await informer.stop()
    await informer.stop()
    assert api.watches == 0
    assert verbs(api) == ["watch"]


async def test_waits_double_with_each_failure_and_start_anew_after_an_event(
    api: FakeAPI, client: Client, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    informer = Informer(client, GVR, base_delay=1, max_delay=3)
    informer.add_handler(told)
    # What is left of client and server never sleeps here.
    monkeypatch.setattr(asyncio, "sleep", wait)
    monkeypatch.setattr(random, "random", lambda: 0.5)
    for _ in range(3):
        api.fail_once("watch", errors.unauthorized())
    informer.start()
    await api.put(configmap("a"))
    assert await told.next() == ["+a"]
    await api.put(configmap("b"))
    assert await told.next() == ["+b"]
    api.fail_once("watch", errors.unauthorized())
    await api.disconnect()
    await api.put(configmap("c"))
    assert await told.next() == ["+c"]
    await informer.stop()
    assert waits == [1.5, 3, 4.5, 1.5]


async def test_a_watch_that_ends_at_once_without_an_event_is_a_failure(
    api: FakeAPI, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = asyncio.Event()
    informer = Informer(client, GVR, base_delay=1000)
    failed: list[errors.StatusError] = []

    def note(error: errors.StatusError) -> None:
        failed.append(error)
        waited.set()

    monkeypatch.setattr(informer, "_failed", note)
    api.short_watches = True
    informer.start()
    await waited.wait()
    await informer.stop()
    assert informer.has_synced
    assert [type(error) for error in failed] == [TransportError]
