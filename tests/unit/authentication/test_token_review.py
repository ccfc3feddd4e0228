"""Bearer tokens by TokenReview: who it is, what is remembered, what is an error."""

import pytest

from generic.authentication.interface import AuthenticationError
from generic.authentication.token_review import TokenReviewAuthenticator
from generic.meta import errors
from generic.request.user import UserInfo
from generic.types import JSONObject
from tests.support.reviews import IMPATIENT, Clock, Reviewer

pytestmark = pytest.mark.anyio

ALICE = {"username": "alice", "uid": "7", "groups": ["dev"], "extra": {"scopes": ["a", "b"]}}


def knows_alice(spec: JSONObject) -> JSONObject:
    return {"authenticated": True, "user": ALICE} if spec["token"] == "alice-token" else {"user": {}}


def authenticator(reviewer: Reviewer, clock: Clock | None = None) -> TokenReviewAuthenticator:
    return TokenReviewAuthenticator(reviewer.client, persistence=IMPATIENT, clock=clock or Clock())


async def test_a_known_token_is_its_user() -> None:
    reviewer = Reviewer(knows_alice)
    user = await authenticator(reviewer).authenticate_token("alice-token")
    assert user == UserInfo("alice", ("dev",), "7", {"scopes": ("a", "b")})
    assert reviewer.asked == [("/apis/authentication.k8s.io/v1/tokenreviews", {"token": "alice-token"})]


async def test_a_yes_is_believed_for_ten_seconds() -> None:
    reviewer, clock = Reviewer(knows_alice), Clock()
    under_test = authenticator(reviewer, clock)
    for later in (0, 9.9, 0.2):
        clock.now += later
        assert await under_test.authenticate_token("alice-token")
    assert len(reviewer.asked) == 2


async def test_a_no_is_asked_each_time() -> None:
    reviewer = Reviewer(knows_alice)
    under_test = authenticator(reviewer)
    assert [await under_test.authenticate_token("guess") for _ in range(2)] == [None, None]
    assert len(reviewer.asked) == 2


async def test_one_users_answer_is_not_anothers() -> None:
    under_test = authenticator(Reviewer(knows_alice))
    assert await under_test.authenticate_token("alice-token")
    assert await under_test.authenticate_token("other-token") is None


async def test_the_token_itself_is_not_kept_in_memory() -> None:
    under_test = authenticator(Reviewer(knows_alice))
    await under_test.authenticate_token("alice-token")
    keys = list(under_test._answers._held)
    assert len(keys) == 1
    assert b"alice-token" not in keys[0]  # type: ignore[operator]


async def test_what_the_main_server_says_against_a_token_is_told() -> None:
    under_test = authenticator(Reviewer(lambda _: {"error": "[invalid bearer token, expired]"}))
    with pytest.raises(AuthenticationError, match="expired"):
        await under_test.authenticate_token("old")


async def test_a_main_server_that_cannot_be_asked_is_no_anonymous_user() -> None:
    def refuse(_: JSONObject) -> JSONObject:
        raise errors.internal_error("down")

    with pytest.raises(AuthenticationError, match="down"):
        await authenticator(Reviewer(refuse)).authenticate_token("alice-token")


async def test_an_answer_without_a_name_is_refused() -> None:
    with pytest.raises(AuthenticationError, match="names no user"):
        await authenticator(Reviewer(lambda _: {"authenticated": True})).authenticate_token("alice-token")
