"""What clients see of priority and fairness: headers, waiting, 429, and how long a watch is in the way."""

import asyncio
from collections.abc import Callable

import pytest

from generic.filters.priority_and_fairness import PriorityAndFairness
from generic.flowcontrol.control import FlowControl
from generic.flowcontrol.estimation import Estimator
from generic.flowcontrol.metrics import FlowControlMetrics
from generic.metrics import Metrics
from generic.request import context
from generic.request.user import UserInfo
from generic.types import ASGIApp, JSONObject, Message, Receive, Scope, Send
from tests.support.asgi import Response, call, receive, scope
from tests.support.chain import Always, chain, ok

pytestmark = pytest.mark.anyio


def objects(*, queue_length: int = 0) -> tuple[list[JSONObject], list[JSONObject]]:
    """A level of one seat, for everybody authenticated; without queues unless they have a length."""
    response: JSONObject = {"type": "Reject"}
    if queue_length:
        queuing = {"queues": 1, "handSize": 1, "queueLengthLimit": queue_length}
        response = {"type": "Queue", "queuing": queuing}
    limited = {"nominalConcurrencyShares": 1, "limitResponse": response, "borrowingLimitPercent": 0}
    rule = {
        "subjects": [{"kind": "Group", "group": {"name": "system:authenticated"}}],
        "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": True}],
    }
    level = {"metadata": {"name": "one", "uid": "level-uid"}, "spec": {"type": "Limited", "limited": limited}}
    spec = {"priorityLevelConfiguration": {"name": "one"}, "matchingPrecedence": 5, "rules": [rule]}
    return [level], [{"metadata": {"name": "all", "uid": "schema-uid"}, "spec": spec}]


class Held:
    """An app that holds requests until released, and tells which it has seen."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.bodies: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope["path"])
        self.entered.set()
        self.bodies.append(await receive())
        await self.release.wait()
        await ok(scope, receive, send)


class Fixture:
    def __init__(self, *, queue_length: int = 0) -> None:
        self.control = FlowControl(6)
        self.control.digest(*objects(queue_length=queue_length))
        self.metrics = Metrics(process=False)
        self.metrics.registry.register(FlowControlMetrics(self.control))
        self.held = Held()
        self.fairness = PriorityAndFairness(self.control, Estimator(lambda group, resource: None), metrics=self.metrics)

    def app(self, inner: ASGIApp | None = None, user: UserInfo | None = None) -> ASGIApp:
        authenticator = Always(user) if user is not None else Always()
        return chain(
            inner or self.held,
            priority_and_fairness=self.fairness.wrap,
            authenticator=authenticator,
            metrics=self.metrics,
        )

    @property
    def waiting(self) -> int:
        return self.control.levels["one"].queues.waiting

    async def begin(self, path: str) -> "asyncio.Task[Response]":
        """A request that has reached the app."""
        task = asyncio.create_task(call(self.app(), path))
        await self.held.entered.wait()
        self.held.entered.clear()
        return task


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 -- a queue tells nobody
            await asyncio.sleep(0)


async def test_every_answer_says_by_uid_which_schema_and_level_it_was_under() -> None:
    fixture = Fixture()
    fixture.held.release.set()
    response = await call(fixture.app(), "/api/v1/pods")
    assert response.header("x-kubernetes-pf-flowschema-uid") == "schema-uid"
    assert response.header("x-kubernetes-pf-prioritylevel-uid") == "level-uid"


async def test_what_finds_no_seat_and_no_queue_gets_429_and_when_to_come_back() -> None:
    fixture = Fixture()
    first = await fixture.begin("/api/v1/pods")
    response = await call(fixture.app(), "/api/v1/pods", headers={"Trikube-Trace": "1"})
    assert (response.status, response.header("retry-after")) == (429, "1")
    assert response.header("content-type") == "text/plain; charset=utf-8"
    assert response.body == b"Too many requests, please try again later.\n"
    assert response.header("x-kubernetes-pf-flowschema-uid") == "schema-uid"
    assert "priority-and-fairness=reject" in (response.header("trikube-trace") or "")
    text = fixture.metrics.render()[0].decode()
    labels = 'flow_schema="all",priority_level="one"'
    assert f'apiserver_flowcontrol_rejected_requests_total{{{labels},reason="concurrency-limit"}} 1.0' in text
    assert f"apiserver_flowcontrol_current_executing_seats{{{labels}}} 1.0" in text
    assert 'apiserver_current_inflight_requests{request_kind="readOnly"} 1.0' in text
    fixture.held.release.set()
    assert (await first).status == 200
    assert (await call(fixture.app(), "/api/v1/pods")).status == 200


async def test_what_waits_runs_when_a_seat_is_free_with_its_whole_body() -> None:
    fixture = Fixture(queue_length=5)
    first = await fixture.begin("/api/v1/first")
    second = asyncio.create_task(call(fixture.app(), "/api/v1/second", method="POST"))
    await until(lambda: fixture.waiting == 1)
    assert fixture.held.seen == ["/api/v1/first"]
    fixture.held.release.set()
    assert [(await task).status for task in (first, second)] == [200, 200]
    assert fixture.held.bodies[1] == await receive()


async def test_a_wait_ends_well_before_the_deadline() -> None:
    fixture = Fixture(queue_length=5)
    first = await fixture.begin("/api/v1/first")
    # With all its time it would get the 504 of its deadline.
    response = await call(fixture.app(), "/api/v1/second?timeout=400ms")
    assert response.status == 429
    assert fixture.waiting == 0
    fixture.held.release.set()
    await first


async def test_a_client_that_leaves_leaves_the_queue() -> None:
    fixture = Fixture(queue_length=5)
    first = await fixture.begin("/api/v1/first")
    gone = asyncio.Event()

    async def gone_later() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def leave() -> None:
        await until(lambda: fixture.waiting == 1)
        gone.set()

    left = asyncio.create_task(leave())
    await fixture.app()(scope("/api/v1/second"), gone_later, Response().send)
    await left
    assert fixture.waiting == 0
    fixture.held.release.set()
    await first
    assert fixture.held.seen == ["/api/v1/first"]


async def test_a_request_cancelled_while_it_waits_or_runs_gives_its_seat_back() -> None:
    fixture = Fixture(queue_length=5)
    first = await fixture.begin("/api/v1/first")
    second = asyncio.create_task(call(fixture.app(), "/api/v1/second"))
    await until(lambda: fixture.waiting == 1)
    first.cancel()
    second.cancel()
    await asyncio.wait({first, second})
    assert fixture.control.levels["one"].queues.idle


async def test_a_watch_is_in_the_way_until_it_has_sent_what_there_was() -> None:
    fixture = Fixture()
    watching, end = asyncio.Event(), asyncio.Event()

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        request = context.of(scope)
        if request.info.verb != "watch":
            await ok(scope, receive, send)
            return
        assert request.initialized is not None
        refused = await call(fixture.app(), "/api/v1/pods")
        assert refused.status == 429
        request.initialized()
        watching.set()
        await end.wait()
        await ok(scope, receive, send)

    task = asyncio.create_task(call(fixture.app(watch), "/api/v1/pods?watch=1"))
    await watching.wait()
    assert (await call(fixture.app(ok), "/api/v1/pods")).status == 200
    end.set()
    assert (await task).status == 200
    assert fixture.control.levels["one"].queues.idle


async def test_streams_and_the_exempt_are_not_held_up() -> None:
    fixture = Fixture()
    first = await fixture.begin("/api/v1/pods")
    assert (await call(fixture.app(ok), "/api/v1/namespaces/a/pods/p/exec")).status == 200
    root = UserInfo("root", ("system:masters",))
    assert (await call(fixture.app(ok, root), "/api/v1/pods")).status == 200
    fixture.held.release.set()
    await first
