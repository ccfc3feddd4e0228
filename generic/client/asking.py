"""Asking the main server, and remembering its answers for a moment.

Called by what an aggregated server delegates: TokenReview (`generic/authentication/token_review.py`) and
SubjectAccessReview (`generic/authorization/subject_access_review.py`). Mirrors `apiserver/pkg/util/webhook`
(WithExponentialBackoff) and the expiring caches in `apiserver/pkg/authentication/token/cache` and
`apiserver/plugin/pkg/authorizer/webhook`.
"""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from generic.client.rest import Client
from generic.meta import errors
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Persistence:
    """How often a review is asked again when the failure may pass. Seconds; `limit` is for all tries together."""

    tries: int = 5
    first_wait: float = 0.5
    factor: float = 1.5
    jitter: float = 0.2
    limit: float = 10.0


async def ask(
    client: Client, gvr: GroupVersionResource, review: JSONObject, persistence: Persistence | None = None
) -> JSONObject:
    """The status the main server gives a review. Raises StatusError when it has none to give."""
    persistence = persistence or Persistence()
    try:
        async with asyncio.timeout(persistence.limit):
            answer = await _persist(client, gvr, review, persistence)
    except TimeoutError:
        raise errors.timeout(f"no answer to {review['kind']} within {persistence.limit:g} seconds") from None
    status: Any = answer.get("status")
    if not isinstance(status, dict):
        raise errors.internal_error(f"the answer to {review['kind']} has no status")
    return status


async def _persist(
    client: Client, gvr: GroupVersionResource, review: JSONObject, persistence: Persistence
) -> JSONObject:
    wait = persistence.first_wait
    for _ in range(persistence.tries - 1):
        try:
            return await client.create(gvr, review)
        except errors.StatusError as error:
            # A review changes nothing, so that asking twice does no harm.
            if error.code < 500 and error.code != 429:
                raise
        await asyncio.sleep(wait * (1 + random.random() * persistence.jitter))
        wait *= persistence.factor
    return await client.create(gvr, review)


class Answers(Generic[T]):
    """A bounded memory of answers, each good for a while; who asks for the same thing at once shares one question.

    A failure is not remembered, and everyone who waited for it gets it.
    """

    def __init__(self, size: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = size
        self._clock = clock
        self._held: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._asking: dict[Hashable, asyncio.Task[T]] = {}

    def __len__(self) -> int:
        return len(self._held)

    async def get(self, key: Hashable, question: Callable[[], Awaitable[T]], lifetime: Callable[[T], float]) -> T:
        """The answer held for `key`, or the one to `question`, kept for `lifetime` seconds (0: not at all)."""
        held = self._held.get(key)
        if held is not None:
            if self._clock() < held[0]:
                self._held.move_to_end(key)
                return held[1]
            del self._held[key]
        task = self._asking.get(key)
        if task is None:
            task = asyncio.ensure_future(self._find_out(key, question, lifetime))
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))
        # Shielded: one of those who wait may leave without spoiling it for the others.
        return await asyncio.shield(task)

    async def _find_out(self, key: Hashable, question: Callable[[], Awaitable[T]], lifetime: Callable[[T], float]) -> T:
        answer = await question()
        seconds = lifetime(answer)
        if seconds > 0:
            self._held[key] = (self._clock() + seconds, answer)
            self._held.move_to_end(key)
            if len(self._held) > self._size:
                self._held.popitem(last=False)
        return answer

    def _asked(self, key: Hashable, done: "asyncio.Task[T]") -> None:
        self._asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # looked at, so that asyncio does not complain when all who waited have left
