"""A main server that answers reviews, as an ASGI app, and a client of it."""

from collections.abc import Callable

import orjson

from generic.client.asking import Persistence
from generic.client.loopback import LoopbackTransport
from generic.client.rest import Client
from generic.endpoints import responses
from generic.meta.errors import StatusError
from generic.types import JSONObject, Receive, Scope, Send

IMPATIENT = Persistence(tries=2, first_wait=0.0, limit=30.0)
"""Asks again at once."""


class Reviewer:
    """Answers each review by `answer`, which gets its spec and returns a status or raises. `asked`: path and spec."""

    def __init__(self, answer: Callable[[JSONObject], JSONObject]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, JSONObject]] = []
        self.client = Client.loopback(LoopbackTransport(self))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        review: JSONObject = orjson.loads((await receive())["body"])
        self.asked.append((scope["path"], review["spec"]))
        try:
            status = self.answer(review["spec"])
        except StatusError as error:
            await responses.send_bytes(scope, send, orjson.dumps(error.to_status()), status=error.code)
            return
        await responses.send_bytes(scope, send, orjson.dumps({**review, "status": status}), status=201)


class Clock:
    """Time that passes when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
