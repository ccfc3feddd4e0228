"""What the watch cache answers to get and list, by resourceVersion, match, limit and continue."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

import orjson
import pytest

from generic.meta.errors import StatusError
from generic.meta.gvk import GroupResource
from generic.meta.selectors import FieldSelector, LabelSelector
from generic.storage import cacher_list
from generic.storage.cacher import Cacher
from generic.storage.interface import OutcomeUnknown, StorageError
from generic.storage.predicate import Predicate
from tests.support.configmaps import CODEC, ConfigMaps, color, names
from tests.support.memory_storage import MemoryStorage

pytestmark = pytest.mark.anyio


async def test_keys_follow_kubernetes_layout(cacher: Cacher, storage: MemoryStorage) -> None:
    crds = Cacher(storage, "/registry", CODEC, resource=GroupResource("example.com", "widgets"), namespaced=False)
    assert cacher.key("default", "a") == "/registry/configmaps/default/a"
    assert crds.key("", "a") == "/registry/example.com/widgets/a"


async def test_get_returns_the_newest_with_its_resource_version(cacher: Cacher, maps: ConfigMaps) -> None:
    await maps.put("a", color="red")
    item = await maps.put("a", color="blue")
    obj = await cacher.get("default", "a")
    assert color(obj) == "blue"
    assert obj is not None
    assert obj.decoded()["metadata"]["resourceVersion"] == str(item.mod_revision)
    assert await cacher.get("default", "b") is None


async def test_get_of_the_newest_does_not_trust_a_cache_that_lags(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await maps.put("a", color="red")
    await cacher.start()
    storage.hold = True
    await maps.put("a", color="blue")
    assert color(await cacher.get("default", "a")) == "blue"
    assert color(await cacher.get("default", "a", resource_version="0")) == "red"


async def test_a_lagging_cache_costs_a_get_one_storage_read(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await maps.put("a")
    await cacher.start()
    storage.hold = True
    storage.touch()
    await cacher.get("default", "a")
    storage.calls.clear()
    await cacher.get("default", "a")
    assert storage.calls == ["get"]


async def test_get_waits_for_the_asked_revision(cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps) -> None:
    await maps.put("a", color="red")
    await cacher.start()
    storage.hold = True
    item = await maps.put("a", color="blue")
    asyncio.get_running_loop().call_soon(storage.release)
    assert color(await cacher.get("default", "a", resource_version=str(item.mod_revision))) == "blue"


@pytest.mark.parametrize("verb", ["get", "list", "list exact", "list page", "watch"])
async def test_a_revision_that_does_not_come_is_504_too_large(cacher: Cacher, verb: str) -> None:
    ask: dict[str, Callable[[], Awaitable[object]]] = {
        "get": lambda: cacher.get("default", "a", resource_version="1000"),
        "list": lambda: cacher.list(Predicate(), resource_version="1000"),
        "list exact": lambda: cacher.list(Predicate(), resource_version="1000", match="Exact"),
        "list page": lambda: cacher.list(Predicate(), resource_version="1000", limit=1),
        "watch": lambda: cacher.watch(Predicate(), resource_version="1000", send_initial_events=True),
    }
    with pytest.raises(StatusError) as refused:
        await ask[verb]()
    status = refused.value.to_status()
    assert (status["code"], status["reason"]) == (504, "Timeout")
    assert status["message"] == "Timeout: Too large resource version: 1000, current: 1"
    assert status["details"]["causes"] == [
        {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    ]
    assert status["details"]["retryAfterSeconds"] == 1


@pytest.mark.parametrize("text", ["x", "-1", "+1", "1_0", " 1", "1.5", "\u0661"])
async def test_a_malformed_resource_version_is_400(cacher: Cacher, text: str) -> None:
    for call in (
        cacher.get("default", "a", resource_version=text),
        cacher.list(Predicate(), resource_version=text),
        cacher.watch(Predicate(), resource_version=text),
    ):
        with pytest.raises(StatusError, match=r"invalid resource version: .* invalid syntax") as refused:
            await call
        assert refused.value.code == 400


async def test_a_resource_version_beyond_64_bits_is_400(cacher: Cacher) -> None:
    with pytest.raises(StatusError, match="value out of range"):
        await cacher.get("default", "a", resource_version=str(2**64))
    with pytest.raises(StatusError, match="value out of range"):
        await cacher.get("default", "a", resource_version="9" * 5000)


async def test_list_is_in_key_order_and_by_namespace(cacher: Cacher, maps: ConfigMaps) -> None:
    for name, namespace in [("b", "n1"), ("a", "n1"), ("c", "n0"), ("d", "n1-x"), ("e", "n10")]:
        await maps.put(name, namespace)
    assert names((await cacher.list(Predicate())).items) == ["c", "d", "a", "b", "e"]
    result = await cacher.list(Predicate(namespace="n1"))
    assert names(result.items) == ["a", "b"]
    assert result.revision == cacher.revision
    assert (result.continue_token, result.remaining) == ("", None)


async def test_list_by_labels_and_fields(cacher: Cacher, maps: ConfigMaps) -> None:
    await maps.put("a", labels={"app": "x"}, color="red")
    await maps.put("b", labels={"app": "x"}, color="blue")
    await maps.put("c", "other", color="red")

    async def listed(labels: str = "", fields: str = "") -> list[str]:
        predicate = Predicate(
            labels=LabelSelector.parse(labels) if labels else None,
            fields=FieldSelector.parse(fields) if fields else None,
        )
        return names((await cacher.list(predicate)).items)

    assert await listed(labels="app=x") == ["a", "b"]
    assert await listed(fields="data.color=red") == ["a", "c"]
    assert await listed("app=x", "data.color=red") == ["a"]
    assert await listed(fields="metadata.name=b") == ["b"]
    assert await listed(fields="metadata.namespace=other") == ["c"]


async def test_list_of_the_newest_waits_for_a_cache_that_lags(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await cacher.start()
    storage.hold = True
    await maps.put("a")
    assert names((await cacher.list(Predicate(), resource_version="0")).items) == []
    asyncio.get_running_loop().call_soon(storage.release)
    assert names((await cacher.list(Predicate())).items) == ["a"]


async def test_list_of_the_newest_reads_storage_if_the_cache_does_not_catch_up(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    await cacher.start()
    storage.hold = True
    item = await maps.put("a")
    result = await cacher.list(Predicate())
    assert names(result.items) == ["a"]
    assert result.revision == item.mod_revision


async def test_exact_shows_the_past(cacher: Cacher, maps: ConfigMaps) -> None:
    await maps.put("a", color="red")
    await maps.put("b")
    then = await maps.put("a", color="blue")
    await maps.put("a", color="green")
    await maps.delete("b")
    result = await cacher.list(Predicate(), resource_version=str(then.mod_revision), match="Exact")
    assert result.revision == then.mod_revision
    assert names(result.items) == ["a", "b"]
    assert color(result.items[0]) == "blue"


async def test_limit_with_a_revision_means_exactly_that_revision(cacher: Cacher, maps: ConfigMaps) -> None:
    then = await maps.put("a")
    await maps.put("b")
    at = str(then.mod_revision)
    assert names((await cacher.list(Predicate(), resource_version=at, limit=10)).items) == ["a"]
    assert names((await cacher.list(Predicate(), resource_version=at, limit=10, match="NotOlderThan")).items) == [
        "a",
        "b",
    ]


async def test_pages_show_one_revision_while_objects_come_and_go(cacher: Cacher, maps: ConfigMaps) -> None:
    for i in range(10):
        await maps.put(f"m{i}", color="old")
    page = await cacher.list(Predicate(), limit=3)
    first = page.revision
    seen = list(page.items)
    assert page.remaining == 7
    churn = iter([("delete", "m3"), ("put", "m4"), ("put", "m0a"), ("put", "m9z"), ("delete", "m9")])
    while page.continue_token:
        verb, name = next(churn)
        await (maps.delete(name) if verb == "delete" else maps.put(name, color="new"))
        page = await cacher.list(Predicate(), limit=3, continue_token=page.continue_token)
        assert page.revision == first
        seen += page.items
    assert names(seen) == [f"m{i}" for i in range(10)]
    assert {color(obj) for obj in seen} == {"old"}
    assert page.remaining is None


async def test_pages_of_an_unchanged_resource_never_touch_storage(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    for i in range(5):
        await maps.put(f"m{i}")
    page = await cacher.list(Predicate(), limit=2)
    storage.touch()  # another resource changed: the revision moved, this one did not
    storage.calls.clear()
    while page.continue_token:
        page = await cacher.list(Predicate(), limit=2, continue_token=page.continue_token)
    assert "range" not in storage.calls


async def test_pages_with_a_selector_are_full_and_do_not_count_the_rest(cacher: Cacher, maps: ConfigMaps) -> None:
    for i in range(8):
        await maps.put(f"m{i}", labels={"odd": str(i % 2)})
    predicate = Predicate(labels=LabelSelector.parse("odd=1"))
    page = await cacher.list(predicate, limit=3)
    assert (names(page.items), page.remaining) == (["m1", "m3", "m5"], None)
    await maps.put("m7", labels={"odd": "0"})  # from here on the pages come from storage
    page = await cacher.list(predicate, limit=3, continue_token=page.continue_token)
    assert (names(page.items), page.continue_token) == (["m7"], "")


@pytest.mark.parametrize("step", [1, 2, 500])
async def test_a_page_with_a_selector_is_gathered_from_as_much_as_it_takes(
    cacher: Cacher, maps: ConfigMaps, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(cacher_list, "PAGE", step)
    for i in range(12):
        await maps.put(f"m{i:02}", labels={"mine": "yes"} if i in (1, 7, 8, 10) else None)
    predicate = Predicate(labels=LabelSelector.parse("mine=yes"))
    page = await cacher.list(predicate, limit=1)
    pages = [names(page.items)]
    while page.continue_token:
        page = await cacher.list(predicate, limit=1, continue_token=page.continue_token)
        pages.append(names(page.items))
    # Behind the last match there was one more to look at.
    assert pages == [["m01"], ["m07"], ["m08"], ["m10"], []]
    assert (await cacher.list(predicate, limit=5)).continue_token == ""


async def test_a_page_with_a_selector_reads_on_in_storage_until_it_is_full(
    cacher: Cacher, maps: ConfigMaps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cacher_list, "PAGE", 2)
    for name in ("0", "1", "2", "a", "a-", "b"):
        await maps.put(name, labels={"app": "x"} if name != "0" else None)
    then = await maps.put("c", labels={"app": "x"})
    await maps.put("d", labels={"app": "x"})
    predicate = Predicate(labels=LabelSelector.parse("app=x"))
    page = await cacher.list(predicate, resource_version=str(then.mod_revision), limit=4)
    assert names(page.items) == ["1", "2", "a", "a-"]
    page = await cacher.list(predicate, limit=4, continue_token=page.continue_token)
    assert (names(page.items), page.continue_token) == (["b", "c"], "")


async def test_a_compacted_page_is_410_with_a_token_to_go_on_inconsistently(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    for name in "abcd":
        await maps.put(name)
    page = await cacher.list(Predicate(namespace="default"), limit=2)
    await maps.delete("c")
    await maps.put("e")
    await storage.compact(storage.newest)
    with pytest.raises(StatusError) as refused:
        await cacher.list(Predicate(namespace="default"), limit=2, continue_token=page.continue_token)
    status = refused.value.to_status()
    assert (status["code"], status["reason"]) == (410, "Expired")
    assert status["message"].startswith("The provided continue parameter is too old to display a consistent list")
    token = status["metadata"]["continue"]
    page = await cacher.list(Predicate(namespace="default"), limit=2, continue_token=token)
    assert names(page.items) == ["d", "e"]
    assert page.revision == cacher.revision


async def test_a_token_ends_with_its_revision_even_if_nothing_changed_here(
    cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps
) -> None:
    for name in "abcd":
        await maps.put(name)
    page = await cacher.list(Predicate(namespace="default"), limit=2)
    await storage.put("/registry/elsewhere/x", b"{}", expected_revision=0)
    await cacher.list(Predicate(namespace="default"))
    again = await cacher.list(Predicate(namespace="default"), limit=2, continue_token=page.continue_token)
    assert names(again.items) == ["c", "d"]
    await storage.compact(storage.newest)
    with pytest.raises(StatusError, match="The provided continue parameter is too old"):
        await cacher.list(Predicate(namespace="default"), limit=2, continue_token=page.continue_token)


async def test_a_compacted_revision_is_410(cacher: Cacher, storage: MemoryStorage, maps: ConfigMaps) -> None:
    old = await maps.put("a")
    await maps.put("a")
    await cacher.start()
    await storage.compact(storage.newest)
    with pytest.raises(StatusError, match="The resourceVersion for the provided list is too old") as refused:
        await cacher.list(Predicate(), resource_version=str(old.mod_revision), match="Exact")
    assert (refused.value.code, refused.value.reason) == (410, "Expired")


def _token(**fields: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(fields)).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("!!!!", "illegal base64 data at input byte 0"),
        ("e30=", "illegal base64 data at input byte 3"),
        ("bm90IGpzb24", "continue key is not valid"),
        (_token(v="v2", rv=1, start="a"), "server does not recognize this encoded version v2"),
        (_token(v="meta.k8s.io/v1", rv=0, start="a"), "incorrect encoded start resourceVersion"),
        (_token(v="meta.k8s.io/v1", rv=1, start=""), "encoded start key empty"),
        (_token(v="meta.k8s.io/v1", rv=1, start="../secrets/"), "continue key is not valid: ../secrets/"),
        (_token(v="meta.k8s.io/v1", rv=1, start="a//b"), "continue key is not valid: a//b"),
        (_token(v="meta.k8s.io/v1", rv="1", start="a"), "continue key is not valid"),
    ],
)
async def test_a_malformed_token_is_400(cacher: Cacher, token: str, message: str) -> None:
    with pytest.raises(StatusError) as refused:
        await cacher.list(Predicate(), continue_token=token)
    assert refused.value.code == 400
    assert refused.value.message.startswith("invalid continue token: continue key is not valid")
    assert message in refused.value.message


async def test_a_token_beside_a_resource_version_is_400(cacher: Cacher) -> None:
    token = _token(v="meta.k8s.io/v1", rv=1, start="default/a")
    with pytest.raises(StatusError, match="specifying resource version is not allowed when using continue"):
        await cacher.list(Predicate(), continue_token=token, resource_version="5")
    assert (await cacher.list(Predicate(), continue_token=token, resource_version="0")).items == []


async def test_an_unreadable_object_does_not_hide_the_others(
    cacher: Cacher, maps: ConfigMaps, caplog: pytest.LogCaptureFixture
) -> None:
    await maps.put("a")
    await maps.garbage("bad")
    await cacher.start()
    await maps.garbage("worse")
    await maps.put("c")
    assert names((await cacher.list(Predicate())).items) == ["a", "c"]
    assert "/registry/configmaps/default/bad" in caplog.text
    for name in ("bad", "worse"):
        with pytest.raises(StatusError) as refused:
            await cacher.get("default", name)
        assert refused.value.code == 500
    await maps.put("bad")
    assert (await cacher.get("default", "bad")) is not None
    await maps.delete("worse")
    assert (await cacher.get("default", "worse")) is None


@pytest.mark.parametrize(
    ("failure", "code", "reason"),
    [
        (StorageError("no connection"), 500, "ServerTimeout"),
        (StorageError("disk is gone", retriable=False), 500, "InternalError"),
        (OutcomeUnknown("lost"), 504, "Timeout"),
    ],
)
async def test_a_failing_storage_is_told_as_a_status(
    cacher: Cacher, storage: MemoryStorage, failure: StorageError, code: int, reason: str
) -> None:
    await cacher.start()
    storage.fail = failure
    with pytest.raises(StatusError) as refused:
        await cacher.get("default", "a")
    assert (refused.value.code, refused.value.reason) == (code, reason)
    with pytest.raises(StatusError) as refused:
        await cacher.list(Predicate())
    assert (refused.value.code, refused.value.reason) == (code, reason)
    assert (await cacher.list(Predicate(), resource_version="0")).items == []


async def test_peek_never_waits(cacher: Cacher, maps: ConfigMaps) -> None:
    await maps.put("a", "n1")
    assert cacher.peek("n1", "a") is None
    await cacher.start()
    assert names(cacher.peek_all("n1")) == ["a"]
    assert cacher.peek("n1", "a") is not None
    assert cacher.peek_all("n2") == []
