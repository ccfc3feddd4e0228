"""Properties of the watch cache over random histories: whatever happens, watches and lists tell one story."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generic.meta.errors import StatusError
from generic.meta.selectors import FieldSelector, LabelSelector
from generic.storage.cacher import Cacher
from generic.storage.cacher_ring import EventRing
from generic.storage.interface import StorageError
from generic.storage.objects import StoredObject
from generic.storage.predicate import Predicate
from generic.storage.watch_stream import WatchEvent
from tests.support.configmaps import ConfigMaps, cacher_over, key_of
from tests.support.memory_storage import MemoryStorage

NAMES = ("a", "b", "c", "d")
NAMESPACES = ("n1", "n2")
COLORS = ("red", "blue")

Write = tuple[str, str, str, str]
writes = st.lists(
    st.tuples(
        st.sampled_from(("put", "put", "put", "delete", "elsewhere")),
        st.sampled_from(NAMES),
        st.sampled_from(NAMESPACES),
        st.sampled_from(COLORS),
    ),
    max_size=25,
)
predicates = st.builds(
    Predicate,
    namespace=st.sampled_from(("", *NAMESPACES)),
    labels=st.sampled_from((None, LabelSelector.parse("tint=red"), LabelSelector.parse("tint!=red"))),
    fields=st.sampled_from((
        None,
        FieldSelector.parse("data.color=blue"),
        FieldSelector.parse("metadata.name=a"),
        FieldSelector.parse("metadata.name!=b,metadata.namespace=n2"),
    )),
)

State = dict[str, bytes]


async def write(storage: MemoryStorage, step: Write) -> None:
    verb, name, namespace, color = step
    if verb == "put":
        await ConfigMaps(storage).put(name, namespace, labels={"tint": color}, color=color)
    elif verb == "delete" and (await storage.get(key_of(name, namespace))).item is not None:
        await ConfigMaps(storage).delete(name, namespace)
    else:
        storage.touch()


def shown(objects: Iterable[StoredObject]) -> State:
    return {obj.key: obj.raw for obj in objects}


def follow(state: State, events: Sequence[WatchEvent], *, initial: bool = False) -> State:
    """What a client makes of a watch, refusing what no client should ever see.

    `initial` events come in key order, as in Kubernetes; all others in the order of their revisions.
    """
    state, last = dict(state), 0
    for event in events:
        assert initial or event.revision >= last, "revisions go back"
        last = event.revision
        if event.object is None:
            continue
        key = event.object.key
        assert (key in state) == (event.type != "ADDED"), f"{event.type} of {key}"
        if event.type == "DELETED":
            del state[key]
        else:
            state[key] = event.object.raw
    return state


async def drained(cacher: Cacher, predicate: Predicate, **options: Any) -> list[WatchEvent]:
    """All events a watch has to give right now."""
    stream = await cacher.watch(predicate, **options)
    stream.end(drain=True)
    events: list[WatchEvent] = []
    while batch := await stream.next_batch():
        events += batch
    stream.close()
    return events


def run(history: Coroutine[Any, Any, None]) -> None:
    asyncio.run(history)


@settings(max_examples=150, deadline=None)
@given(before=writes, after=writes, predicate=predicates)
def test_a_list_and_a_watch_from_its_revision_make_the_present(
    before: list[Write], after: list[Write], predicate: Predicate
) -> None:
    async def history() -> None:
        storage = MemoryStorage()
        for step in before:
            await write(storage, step)
        cacher = cacher_over(storage)
        lists = [await cacher.list(predicate)]
        for step in after:
            await write(storage, step)
            lists.append(await cacher.list(predicate))
        present = shown(lists[-1].items)
        for then in lists:
            events = await drained(cacher, predicate, resource_version=str(then.revision))
            assert follow(shown(then.items), events) == present
        assert follow({}, await drained(cacher, predicate), initial=True) == present
        await cacher.stop()

    run(history())


@settings(max_examples=100, deadline=None)
@given(before=writes, after=writes, predicate=predicates)
def test_a_live_watch_tells_what_a_replay_tells(before: list[Write], after: list[Write], predicate: Predicate) -> None:
    async def history() -> None:
        storage = MemoryStorage()
        for step in before:
            await write(storage, step)
        cacher = cacher_over(storage)
        live = await cacher.watch(predicate, send_initial_events=False)
        for step in after:
            await write(storage, step)
        replay = await drained(cacher, predicate, resource_version=str(live.after))
        live.end(drain=True)
        told: list[WatchEvent] = []
        while batch := await live.next_batch():
            told += batch
        assert [(e.type, e.object and e.object.raw) for e in told] == [
            (e.type, e.object and e.object.raw) for e in replay
        ]
        await cacher.stop()

    run(history())


@settings(max_examples=150, deadline=None)
@given(before=writes, during=writes, predicate=predicates, limit=st.integers(1, 4))
def test_pages_make_the_list_of_their_first_revision(
    before: list[Write], during: list[Write], predicate: Predicate, limit: int
) -> None:
    async def history() -> None:
        storage = MemoryStorage()
        for step in before:
            await write(storage, step)
        cacher = cacher_over(storage)
        whole = await cacher.list(predicate)
        churn = iter(during)
        token, pages = "", list[StoredObject]()
        while True:
            page = await cacher.list(predicate, limit=limit, continue_token=token)
            assert page.revision == whole.revision
            assert len(page.items) <= limit
            pages += page.items
            if page.remaining is not None:
                assert len(pages) + page.remaining == len(whole.items)
            token = page.continue_token
            if not token:
                break
            for step in islice(churn, 2):
                await write(storage, step)
        assert [(obj.key, obj.raw) for obj in pages] == [(obj.key, obj.raw) for obj in whole.items]
        await cacher.stop()

    run(history())


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.one_of(writes, st.just("lose"), st.just("bookmark")), max_size=8), predicate=predicates)
def test_a_client_that_comes_back_after_every_interruption_has_the_present(
    steps: list[list[Write] | str], predicate: Predicate
) -> None:
    async def history() -> None:
        storage = MemoryStorage()
        cacher = cacher_over(storage, ring=EventRing(min_events=3, fresh_seconds=0), queue_limit=4)
        heard: State = {}

        def listen(event: WatchEvent) -> None:
            heard.update(follow(heard, [event]))
            if event.type == "DELETED" and event.object is not None:
                del heard[event.object.key]

        await cacher.start()
        cacher.subscribe(listen)
        listed = await cacher.list(predicate)
        state, revision = shown(listed.items), listed.revision
        for step in steps:
            if step == "lose":
                storage.lose(StorageError("connection lost"))
                await cacher.start()
            elif isinstance(step, list):
                for one in step:
                    await write(storage, one)
            try:
                events = await drained(cacher, predicate, resource_version=str(revision))
            except StatusError as error:
                if error.code != 410:
                    raise
                listed = await cacher.list(predicate)
                state, revision = shown(listed.items), listed.revision
            else:
                state = follow(state, events)
                revision = events[-1].revision if events else revision
            assert state == shown((await cacher.list(predicate)).items)
        assert heard == shown((await cacher.list(Predicate())).items)
        await cacher.stop()

    run(history())


@given(st.lists(st.tuples(st.booleans(), st.text("ab/0", min_size=1, max_size=4)), max_size=30), st.text("ab/0"))
def test_the_table_is_a_sorted_map(steps: list[tuple[bool, str]], start: str) -> None:
    from generic.storage.cacher_table import ObjectTable

    table, model = ObjectTable(), dict[str, StoredObject]()
    for put, suffix in steps:
        key = f"/r/{suffix}"
        if put:
            obj = StoredObject(key=key, namespace="", name=suffix, revision=1, raw=b"")
            table.put(obj)
            model[key] = obj
        else:
            assert table.remove(key) is model.pop(key, None)
    assert len(table) == len(model)
    assert table.below("") == [model[key] for key in sorted(model)]
    for prefix in ("/r/", "/r/a/", "/q/"):
        found = [model[key] for key in sorted(model) if key.startswith(prefix) and key >= start]
        assert table.below(prefix, start) == found
    assert ObjectTable(reversed(table.below(""))).below("") == table.below("")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"apiVersion":"v1","kind":"X","metadata":{"resourceVersion":"7","name":"a"},"data":{"resourceVersion":"7"}}',
        b'{"kind":"X","apiVersion":"v1","data":{"metadata":{"resourceVersion":"7"}},"metadata":{"name":"a"}}',
        b'{"apiVersion":"v1","kind":"X","metadata":{"name":"\\u00e9","resourceVersion":"7"}}',
    ],
)
def test_a_restamped_object_differs_in_its_resource_version_alone(raw: bytes) -> None:
    from generic.storage.cacher_ring import restamped

    obj = StoredObject(key="/k", namespace="", name="a", revision=7, raw=raw)
    expected = obj.decoded()
    expected["metadata"]["resourceVersion"] = "9"
    stamped = restamped(obj, 9)
    assert (stamped.decoded(), stamped.revision, obj.revision) == (expected, 9, 7)
