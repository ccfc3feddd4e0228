"""The events of a request: which stages it has, and what each says, however the request ends."""

import asyncio
import re
from typing import Any

import pytest

from generic.endpoints import responses
from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.request import context, upgrade
from generic.request.user import UserInfo
from generic.types import JSONObject, Receive, Scope, Send
from tests.support.asgi import Response, call, receive, scope
from tests.support.chain import Always, Rules, chain, ok
from tests.unit.audit.collecting import Collector, auditor, metrics

pytestmark = pytest.mark.anyio

POD = "/api/v1/namespaces/a/pods/x"


def audited(collector: Collector, app: Any = ok, rules: str = "rules: [{level: Metadata}]", **changes: Any) -> Any:
    return chain(app, auditor=auditor(collector, rules), **changes)


async def test_a_request_has_an_event_when_it_comes_and_one_when_it_is_answered() -> None:
    collector = Collector()
    user = UserInfo("bob", ("dev",), "u1", {"scopes": ("a", "b")})
    headers = {"User-Agent": "me", "Audit-ID": "id1", "X-Forwarded-For": "192.0.2.9, x, 10.0.0.01"}
    await call(audited(collector, authenticator=Always(user)), f"{POD}?pretty=1", headers=headers)
    first, second = collector.events
    moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    assert re.fullmatch(moment, first["requestReceivedTimestamp"])
    assert first["stageTimestamp"] == first["requestReceivedTimestamp"] == second["requestReceivedTimestamp"]
    assert re.fullmatch(moment, second["stageTimestamp"])
    common: JSONObject = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": "id1",
        "requestURI": f"{POD}?pretty=1",
        "verb": "get",
        "user": {"username": "bob", "uid": "u1", "groups": ["dev"], "extra": {"scopes": ["a", "b"]}},
        "sourceIPs": ["192.0.2.9", "10.0.0.1", "192.0.2.1"],
        "userAgent": "me",
        "objectRef": {"resource": "pods", "namespace": "a", "name": "x", "apiVersion": "v1"},
        "requestReceivedTimestamp": first["requestReceivedTimestamp"],
    }
    assert first == {**common, "stage": "RequestReceived", "stageTimestamp": first["stageTimestamp"]}
    assert second == {
        **common,
        "stage": "ResponseComplete",
        "stageTimestamp": second["stageTimestamp"],
        "responseStatus": {"metadata": {}, "code": 200},
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
    }


async def test_nothing_is_written_of_what_the_policy_does_not_want() -> None:
    collector = Collector()
    app = audited(collector, rules="rules: [{level: None, verbs: [get]}, {level: Metadata}]")
    assert (await call(app, POD)).status == 200
    assert collector.events == []


async def test_omitted_stages_have_no_event() -> None:
    collector = Collector()
    await call(audited(collector, rules="omitStages: [RequestReceived]\nrules: [{level: Metadata}]"), POD)
    assert collector.stages == ["ResponseComplete"]


async def test_a_refusal_is_in_the_event_as_its_status() -> None:
    async def missing(scope: Scope, receive: Receive, send: Send) -> None:
        raise errors.not_found(GroupResource("", "pods"), "x")

    collector = Collector()
    assert (await call(audited(collector, missing), POD)).status == 404
    assert collector.events[-1]["responseStatus"] == {
        "metadata": {},
        "status": "Failure",
        "message": 'pods "x" not found',
        "reason": "NotFound",
        "details": {"name": "x", "kind": "pods"},
        "code": 404,
    }
    assert "responseObject" not in collector.events[-1]


async def test_who_may_not_is_told_with_the_decision() -> None:
    collector = Collector()
    await call(audited(collector, authorizer=Rules(lambda _: False)), POD)
    assert collector.events[-1]["responseStatus"]["code"] == 403
    assert collector.events[-1]["annotations"]["authorization.k8s.io/decision"] == "forbid"


async def test_impersonation_shows_both_users() -> None:
    collector = Collector()
    await call(audited(collector), POD, headers={"Impersonate-User": "eve", "Impersonate-Group": "g"})
    first, second = collector.events
    assert "impersonatedUser" not in first
    assert second["user"]["username"] == "bob"
    assert second["impersonatedUser"] == {"username": "eve", "groups": ["g", "system:authenticated"]}
    assert second["authenticationMetadata"] == {"impersonationConstraint": "impersonate:user-info"}


async def test_a_defect_is_a_panic() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("oops")

    collector = Collector()
    assert (await call(audited(collector, broken), POD)).status == 500
    assert collector.stages == ["RequestReceived", "Panic"]
    assert collector.events[-1]["responseStatus"] == {
        "metadata": {},
        "status": "Failure",
        "message": "APIServer panic'd: 'oops'",
        "reason": "InternalError",
        "code": 500,
    }


async def test_a_watch_has_an_event_when_its_answer_begins() -> None:
    collector, seen = Collector(), []

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await responses.start(scope, send)
        seen.extend(collector.stages)
        await send({"type": "http.response.body", "body": b""})

    await call(audited(collector, watch, "rules: [{level: RequestResponse}]"), "/api/v1/pods?watch=1")
    assert seen == ["RequestReceived", "ResponseStarted"]
    assert collector.stages == ["RequestReceived", "ResponseStarted", "ResponseComplete"]
    assert all("responseObject" not in event for event in collector.events)


async def test_a_watch_whose_client_left_is_complete() -> None:
    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await responses.start(scope, send)
        raise ConnectionError("the client left")

    collector = Collector()
    with pytest.raises(ConnectionError):
        await call(audited(collector, watch), "/api/v1/pods?watch=1")
    assert collector.stages == ["RequestReceived", "ResponseStarted", "ResponseComplete"]
    assert collector.events[-1]["responseStatus"] == {"metadata": {}, "code": 200}


async def test_a_connection_taken_over_is_switched() -> None:
    async def switching(scope: Scope, receive: Receive, send: Send) -> None:
        take_over = upgrade.offered(scope)
        assert take_over is not None
        context.of(scope).status = 101
        await take_over(b"Switching Protocols", ())

    async def take_over(reason: bytes, headers: object) -> None:
        stages.extend(collector.stages)

    collector, stages = Collector(), list[str]()
    asked = scope(f"{POD}/exec")
    asked["extensions"][upgrade.EXTENSION] = take_over
    await audited(collector, switching)(asked, receive, Response().send)
    assert stages == ["RequestReceived", "ResponseStarted"]
    assert [event["responseStatus"]["code"] for event in collector.events[1:]] == [101, 101]


async def test_a_request_past_its_deadline_is_told_as_its_client_is() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    collector = Collector()
    watching = auditor(collector)
    assert (await call(chain(slow, auditor=watching), f"{POD}?timeout=10ms")).status == 504
    await watching.stop()
    assert collector.stages == ["RequestReceived", "ResponseComplete"]
    assert collector.events[-1]["responseStatus"]["reason"] == "Timeout"
    assert collector.stopped


async def test_a_request_that_is_given_up_unanswered_is_complete_all_the_same() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.Event().wait()

    begun, collector = asyncio.Event(), Collector()
    watching = auditor(collector)
    task = asyncio.ensure_future(call(chain(slow, auditor=watching), POD))
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await watching.stop()
    assert collector.events[-1]["responseStatus"] == {
        "metadata": {},
        "status": "Success",
        "message": "Connection closed early",
        "code": 200,
    }


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        (POD, "*/*", {"status": "Failure", "message": "Unauthorized", "reason": "Unauthorized"}),
        (POD, "image/png", {"message": "Authentication failed, attempted: bearer"}),
        (f"{POD}?access_token=x", "image/png", {"message": "Authentication failed, attempted: bearer, access_token"}),
    ],
)
async def test_who_authentication_refuses_has_one_event(path: str, accept: str, status: JSONObject) -> None:
    collector = Collector()
    app = audited(collector, authenticator=Always(None))
    await call(app, path, headers={"Authorization": "Bearer nonsense", "Accept": accept})
    assert collector.stages == ["ResponseStarted"]
    assert collector.events[0]["user"] == {}
    assert collector.events[0]["responseStatus"] == {"metadata": {}, **status, "code": 401}
    assert "nonsense" not in str(collector.events)


async def test_a_malformed_timeout_has_one_event() -> None:
    collector = Collector()
    await call(audited(collector), f"{POD}?timeout=never")
    assert collector.stages == ["ResponseStarted"]
    assert collector.events[0]["responseStatus"]["code"] == 400


async def test_a_back_end_that_minds_its_errors_stops_the_request_before_it_is_handled() -> None:
    handled: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        handled.append(scope["path"])

    collector, counted = Collector(healthy=False), metrics()
    response = await call(chain(app, auditor=auditor(collector, counted=counted)), POD)
    assert response.status == 500
    assert response.body == f'Internal Server Error: "{POD}": failed to store audit event\n'.encode()
    assert handled == []
    assert counted.rejected.value() == 1


async def test_events_and_levels_are_counted() -> None:
    collector, counted = Collector(), metrics()
    app = chain(auditor=auditor(collector, "rules: [{level: None, verbs: [get]}, {level: Metadata}]", counted=counted))
    await call(app, POD)
    await call(app, POD, method="DELETE")
    assert (counted.levels.value("None"), counted.levels.value("Metadata"), counted.events.value()) == (1, 1, 2)


async def test_annotations_of_admission_are_in_the_event_and_the_first_value_stays() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        context.of(scope).annotate("a.example.com/x", "1")
        context.of(scope).annotate("a.example.com/x", "2")
        await ok(scope, receive, send)

    collector = Collector()
    await call(audited(collector, app), POD)
    assert collector.events[-1]["annotations"]["a.example.com/x"] == "1"


async def test_a_user_agent_without_end_is_cut() -> None:
    collector = Collector()
    await call(audited(collector), POD, headers={"User-Agent": "a" * 2000})
    assert collector.events[0]["userAgent"] == "a" * 1024 + "...TRUNCATED"
