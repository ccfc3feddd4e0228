"""Questions to the main server: asked again, shared by those who ask at once, remembered for a while."""

import asyncio
from collections.abc import Callable

import pytest

from generic.client import asking
from generic.client.asking import Answers, Persistence
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.support.reviews import IMPATIENT, Clock, Reviewer

pytestmark = pytest.mark.anyio

REVIEWS = GroupVersionResource("authorization.k8s.io", "v1", "subjectaccessreviews")
REVIEW = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": {"user": "bob"}}


def failing(*failures: Exception) -> Callable[[JSONObject], JSONObject]:
    """Fails so, one after another, and then answers."""
    left = list(failures)

    def answer(_: JSONObject) -> JSONObject:
        if left:
            raise left.pop(0)
        return {"allowed": True}

    return answer


async def test_a_server_error_is_asked_again() -> None:
    reviewer = Reviewer(failing(errors.internal_error("for a moment")))
    assert await asking.ask(reviewer.client, REVIEWS, REVIEW, IMPATIENT) == {"allowed": True}
    assert len(reviewer.asked) == 2


async def test_an_error_that_stays_is_told_after_the_last_try() -> None:
    reviewer = Reviewer(failing(*[errors.internal_error(str(number)) for number in range(3)]))
    with pytest.raises(errors.StatusError, match="Internal error occurred: 1"):
        await asking.ask(reviewer.client, REVIEWS, REVIEW, IMPATIENT)


async def test_a_refusal_is_not_asked_again() -> None:
    reviewer = Reviewer(failing(errors.unauthorized()))
    with pytest.raises(errors.StatusError, match="Unauthorized"):
        await asking.ask(reviewer.client, REVIEWS, REVIEW, IMPATIENT)
    assert len(reviewer.asked) == 1


async def test_a_server_that_does_not_answer_in_time_is_a_504() -> None:
    reviewer = Reviewer(failing(*[errors.internal_error("no") for _ in range(9)]))
    with pytest.raises(errors.StatusError) as raised:
        await asking.ask(reviewer.client, REVIEWS, REVIEW, Persistence(first_wait=60, limit=0.01))
    assert raised.value.code == 504


async def test_an_answer_is_remembered_for_its_lifetime() -> None:
    clock, answers = Clock(), [1, 2]
    memory: Answers[int] = Answers(10, clock=clock)

    async def question() -> int:
        return answers.pop(0)

    assert await memory.get("key", question, lambda _: 5) == 1
    clock.now += 4.9
    assert await memory.get("key", question, lambda _: 5) == 1
    clock.now += 0.2
    assert await memory.get("key", question, lambda _: 5) == 2


async def test_the_answer_longest_unused_is_forgotten_first() -> None:
    memory: Answers[str] = Answers(2)
    asked = []

    async def get(key: str) -> None:
        async def question() -> str:
            asked.append(key)
            return key

        await memory.get(key, question, lambda _: 60)

    for key in ("a", "b", "a", "c", "a", "b"):
        await get(key)
    assert asked == ["a", "b", "c", "b"]
    assert len(memory) == 2


async def test_those_who_ask_at_once_share_a_question_even_if_the_first_leaves() -> None:
    memory: Answers[str] = Answers(2)
    gate, begun, asked = asyncio.Event(), asyncio.Event(), []

    async def question() -> str:
        asked.append("key")
        begun.set()
        await gate.wait()
        return "answer"

    first, second = (asyncio.ensure_future(memory.get("key", question, lambda _: 0)) for _ in range(2))
    await begun.wait()
    first.cancel()
    gate.set()
    assert await second == "answer"
    assert asked == ["key"]


async def test_a_failure_is_not_remembered() -> None:
    memory: Answers[str] = Answers(2)

    async def bad() -> str:
        raise errors.internal_error("no")

    async def good() -> str:
        return "answer"

    with pytest.raises(errors.StatusError):
        await memory.get("key", bad, lambda _: 60)
    assert await memory.get("key", good, lambda _: 60) == "answer"
