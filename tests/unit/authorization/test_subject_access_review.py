"""Decisions by SubjectAccessReview: what is asked, how answers count, how long they are believed."""

from typing import Any

import pytest

from generic.authorization.delegated import delegated_authorizer
from generic.authorization.interface import AuthorizationAttributes, Decision, Verdict
from generic.authorization.subject_access_review import SubjectAccessReviewAuthorizer
from generic.meta import errors
from generic.request.user import UserInfo
from generic.types import JSONObject
from tests.support.reviews import IMPATIENT, Clock, Reviewer

pytestmark = pytest.mark.anyio

BOB = UserInfo("bob", ("dev",), "7", {"scopes": ("a",)})


def get_flunder(name: str = "x", **more: Any) -> AuthorizationAttributes:
    settings = {
        "user": BOB,
        "verb": "get",
        "is_resource_request": True,
        "group": "wardle.example.com",
        "version": "v1alpha1",
        "resource": "flunders",
        "namespace": "default",
        "name": name,
        "path": "/apis/wardle.example.com/v1alpha1/namespaces/default/flunders/x",
        **more,
    }
    return AuthorizationAttributes(**settings)


def get_path(path: str, user: UserInfo = BOB) -> AuthorizationAttributes:
    return AuthorizationAttributes(user=user, verb="get", is_resource_request=False, path=path)


def authorizer(reviewer: Reviewer, clock: Clock | None = None) -> SubjectAccessReviewAuthorizer:
    return SubjectAccessReviewAuthorizer(
        reviewer.client, allow_ttl=10, deny_ttl=5, persistence=IMPATIENT, clock=clock or Clock()
    )


async def test_a_resource_is_asked_for_with_everything_known_of_the_user() -> None:
    reviewer = Reviewer(lambda _: {"allowed": True, "reason": "because"})
    assert await authorizer(reviewer).authorize(get_flunder()) == Verdict(Decision.ALLOW, "because")
    spec = {
        "user": "bob",
        "groups": ["dev"],
        "uid": "7",
        "extra": {"scopes": ["a"]},
        "resourceAttributes": {
            "namespace": "default",
            "verb": "get",
            "group": "wardle.example.com",
            "version": "v1alpha1",
            "resource": "flunders",
            "name": "x",
        },
    }
    assert reviewer.asked == [("/apis/authorization.k8s.io/v1/subjectaccessreviews", spec)]


async def test_a_path_is_asked_for_as_a_path() -> None:
    reviewer = Reviewer(lambda _: {"allowed": False})
    await authorizer(reviewer).authorize(get_path("/metrics"))
    assert reviewer.asked[0][1]["nonResourceAttributes"] == {"path": "/metrics", "verb": "get"}


@pytest.mark.parametrize(
    ("status", "decision"),
    [
        ({"allowed": True}, Decision.ALLOW),
        ({"allowed": False}, Decision.NO_OPINION),
        ({}, Decision.NO_OPINION),
        ({"allowed": False, "denied": True}, Decision.DENY),
        ({"allowed": True, "denied": True}, Decision.DENY),
    ],
)
async def test_what_an_answer_means(status: JSONObject, decision: Decision) -> None:
    verdict = await authorizer(Reviewer(lambda _: status)).authorize(get_flunder())
    assert verdict.decision is decision


@pytest.mark.parametrize(("allowed", "seconds"), [(True, 10), (False, 5)])
async def test_yes_and_no_are_believed_for_their_time(allowed: bool, seconds: float) -> None:
    reviewer, clock = Reviewer(lambda _: {"allowed": allowed}), Clock()
    under_test = authorizer(reviewer, clock)
    for later in (0, seconds - 0.1, 0.2):
        clock.now += later
        await under_test.authorize(get_flunder())
    assert len(reviewer.asked) == 2


async def test_answers_differ_by_user_and_by_object() -> None:
    reviewer = Reviewer(lambda spec: {"allowed": spec["user"] == "bob" and spec["resourceAttributes"]["name"] == "x"})
    under_test = authorizer(reviewer)
    asked = [get_flunder(), get_flunder("y"), get_flunder(user=UserInfo("eve")), get_flunder()]
    decisions = [(await under_test.authorize(attributes)).decision for attributes in asked]
    assert decisions == [Decision.ALLOW, Decision.NO_OPINION, Decision.NO_OPINION, Decision.ALLOW]
    assert len(reviewer.asked) == 3


async def test_a_question_of_absurd_length_is_not_remembered() -> None:
    reviewer = Reviewer(lambda _: {"allowed": True})
    under_test = authorizer(reviewer)
    for _ in range(2):
        await under_test.authorize(get_path("/" + "x" * 10_000))
    assert len(reviewer.asked) == 2


async def test_a_main_server_that_cannot_be_asked_is_an_error_and_no_decision() -> None:
    def refuse(_: JSONObject) -> JSONObject:
        raise errors.internal_error("down")

    with pytest.raises(errors.StatusError, match="down"):
        await authorizer(Reviewer(refuse)).authorize(get_flunder())


async def test_masters_and_probes_are_let_through_without_asking() -> None:
    reviewer = Reviewer(lambda _: {"allowed": False})
    under_test = delegated_authorizer(reviewer.client)
    master = UserInfo("root", ("system:masters",))
    for attributes in (get_flunder(user=master), get_path("/healthz"), get_path("/readyz"), get_path("/livez")):
        assert (await under_test.authorize(attributes)).decision is Decision.ALLOW
    assert reviewer.asked == []
    assert (await under_test.authorize(get_path("/healthz/ping"))).decision is Decision.NO_OPINION
    assert len(reviewer.asked) == 1
