"""Exchange: one request on its way to another server, and the answer on its way back.

Made by `handler.py` for a server behind an APIService and by `upstream.py` for one behind this whole tier. A connection
upgrade (WebSocket, SPDY) is the same request, after whose 101 bytes pass unread. Mirrors UpgradeAwareHandler of
`apimachinery/pkg/util/proxy/upgradeaware.go`.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from time import perf_counter

from aggregator.proxy import headers, switched, tracing
from aggregator.proxy.backends import Answer
from aggregator.proxy.call import Body, Call
from aggregator.proxy.departure import Departure
from aggregator.proxy.failures import BadTrust, Unreachable
from aggregator.proxy.headers import Headers
from aggregator.proxy.request_body import ClientLeft, RequestBody
from generic.client.resolving import ResolveError
from generic.endpoints import responses
from generic.meta import errors
from generic.request import context, upgrade
from generic.request.context import RequestContext
from generic.request.upgrade import Takeover
from generic.types import Receive, Scope, Send

DISCOVERY_SECONDS = 5.0
TRAILERS = "http.response.trailers"
"""ASGI's own extension, and the message it adds."""
INFORMATIONAL = "trikube.informational"
"""One of `generic/serving`, and the message it adds: a 1xx response, sent at once."""
_DIALING = "error trying to reach service"
_REDIRECTED = b"the backend attempted to redirect this request, which is not permitted"
_TEXT = b"text/plain; charset=utf-8"
_FINAL, _ERRORS = 200, 400


def _nothing() -> None:
    """Nobody wants to know."""


class Exchange:
    """One request: `ask` sends it and gives the answer, `identity` are the headers that say who asks.

    `patience`: seconds until it is given up. `redirects`: the answer may send the client elsewhere. `on_unreachable` is
    called when nobody answered.
    """

    def __init__(
        self,
        ask: Callable[[Call], AbstractAsyncContextManager[Answer]],
        identity: Headers,
        *,
        patience: float | None = None,
        redirects: bool = True,
        on_unreachable: Callable[[], None] = _nothing,
    ) -> None:
        self._ask = ask
        self._identity = identity
        self._patience = patience
        self._redirects = redirects
        self._on_unreachable = on_unreachable
        self._started = False
        self._trailers = False
        """Trailers were promised, and there are to be some, or none, at the end."""
        self._takeover: Takeover | None = None

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer it. Raises StatusError, or ConnectionAbortedError if it was cut off in mid-answer."""
        request = context.of(scope)
        if headers.is_upgrade(scope):
            self._takeover = upgrade.offered(scope)
            if self._takeover is None:
                raise errors.StatusError(501, "NotImplemented", "there is no connection to be taken over")
        ends_with_server = request.info.verb == "watch" or self._takeover is not None
        async with Departure(receive, request.termination if ends_with_server else None) as departure:
            try:
                async with asyncio.timeout(None if self._takeover else self._patience):
                    await self._exchange(scope, receive, send, departure)
            except ClientLeft:
                return
            except ResolveError:
                await self._fail(scope, send, "service unavailable", departure)
            except BadTrust as error:
                await self._fail(scope, send, str(error), departure, status=500)
            except Unreachable as error:
                self._on_unreachable()
                text = str(error) if self._takeover else f"{_DIALING}: {error}"
                await self._fail(scope, send, text, departure)
            except TimeoutError:
                await self._fail(scope, send, f"{_DIALING}: context deadline exceeded", departure)
        if departure.terminated and self._started:
            # As a watch that this server itself serves ends: cleanly, so that its client starts another.
            await self._end(send, [])
        elif departure.terminated:
            raise errors.service_unavailable("apiserver is shutting down")

    async def _exchange(self, scope: Scope, receive: Receive, send: Send, departure: Departure) -> None:
        body = RequestBody(receive, departure.watch)
        call = await self._call(scope, body, send, departure)
        sent_at = perf_counter()
        async with tracing.asked(self._ask, call) as answer:
            if tracing.is_wanted(scope):
                tracing.adopt(context.of(scope).trace, answer.headers, sent_at=sent_at)
            if not self._redirects and self._takeover is None and _is_redirect(answer):
                self._started = True
                departure.over()
                await responses.send_bytes(scope, send, _REDIRECTED, status=502, content_type=_TEXT)
            elif answer.status >= (_FINAL if self._takeover is None else _ERRORS):
                # A body that nobody wanted is not read now: all that can still be heard is that its client leaves.
                watch = departure.watch if call.expects_continue and not body.begun else _nothing
                await self._pass_back(scope, answer, send, departure, watch)
            elif self._takeover is not None and answer.switched is not None:
                departure.over()
                await self._switch(context.of(scope), self._takeover, answer)
            else:
                raise Unreachable(f"invalid upgrade response: status code {answer.status}", answer.address)

    async def _call(self, scope: Scope, reading: RequestBody, send: Send, departure: Departure) -> Call:
        body: Body = None
        expects = self._takeover is None and headers.expects_continue(scope)
        if scope["type"] == "http":
            body = reading.when_wanted() if expects else await reading.read()
        else:
            departure.watch()
        request = context.of(scope)
        sent = headers.forwarded(scope, identity=self._identity, audit_id=request.audit_id)
        if body is not None and not isinstance(body, bytes):
            sent += [one for one in scope["headers"] if one[0] == b"content-length"]
        if expects:
            sent.append((b"expect", b"100-continue"))
        switches = self._takeover is not None
        if switches:
            sent += headers.switching(scope)
        return Call(
            scope["method"],
            headers.target(scope),
            sent,
            body,
            upgrade=switches,
            lasting=request.info.verb == "watch",
            expects_continue=expects,
            inform=partial(_inform, send) if INFORMATIONAL in (scope.get("extensions") or ()) else None,
            trailers=reading.trailers,
        )

    async def _switch(self, request: RequestContext, take_over: Takeover, answer: Answer) -> None:
        """Both sides have agreed on another protocol: from here on it is theirs."""
        assert answer.switched is not None
        self._started = True
        request.status = answer.status
        if request.lift_deadline is not None:
            request.lift_deadline()
        client = await take_over(answer.reason, answer.headers)
        await switched.relay(client, answer.switched, request.termination)

    async def _pass_back(
        self, scope: Scope, answer: Answer, send: Send, departure: Departure, watch: Callable[[], None]
    ) -> None:
        self._started = True
        returned = headers.returned(answer.headers)
        self._trailers = headers.announces_trailers(scope, returned) and TRAILERS in (scope.get("extensions") or ())
        start = {"type": "http.response.start", "status": answer.status, "headers": returned}
        await send({**start, "trailers": True} if self._trailers else start)
        watch()
        async for chunk in answer.body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        departure.over()
        await self._end(send, answer.trailers())

    async def _end(self, send: Send, trailers: Headers) -> None:
        await send({"type": "http.response.body", "body": b""})
        if self._trailers:
            await send({"type": TRAILERS, "headers": headers.returned(trailers)})

    async def _fail(self, scope: Scope, send: Send, text: str, departure: Departure, *, status: int = 503) -> None:
        if self._started:
            # The client must not take what it has for the whole: serving cuts it off, and says why in a line.
            raise ConnectionAbortedError(text)
        self._started = True
        departure.over()
        await refuse(scope, send, text, status=status)


def _is_redirect(answer: Answer) -> bool:
    return 300 <= answer.status < _ERRORS and any(name.lower() == b"location" and at for name, at in answer.headers)


async def refuse(scope: Scope, send: Send, text: str, *, status: int) -> None:
    """Answer in plain text, as kube-aggregator does."""
    await responses.send_text(scope, send, f"{text}\n", status=status)


async def _inform(send: Send, status: int, received: Headers) -> None:
    await send({"type": INFORMATIONAL, "status": status, "headers": headers.returned(received)})
