"""ProxyHandler: answers everything below a remote group-version by asking the server behind its APIService.

One for each remote APIService, put into the mux by the registration controller. Reads as a list of refusals, then the
proxy. Connection upgrades (WebSocket, SPDY) are not passed on yet and are refused. Mirrors
`kube-aggregator/pkg/apiserver/handler_proxy.go` and `apiserver/pkg/util/proxy/proxy.go`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from aggregator.apiservices.registration import Registration
from aggregator.proxy import headers, tracing
from aggregator.proxy.backends import Answer, Backends, Call
from aggregator.proxy.departure import Departure
from aggregator.proxy.failures import BadTrust, Unreachable
from aggregator.proxy.request_body import ClientLeft, RequestBody
from aggregator.resolving import ResolveError
from aggregator.routes import RoutingTable
from generic.delegation import DelegationTarget
from generic.endpoints import responses
from generic.meta import errors
from generic.request import context
from generic.request.context import RequestContext
from generic.request.user import UserInfo
from generic.types import Receive, Scope, Send

DISCOVERY_SECONDS = 5.0
_DIALING = "error trying to reach service"
_DISCOVERY_PARTS = 3
"""`/apis/<group>/<version>`."""
_MOST_HOPS = 16
"""Proxies a request may have come through. An APIService whose Service is this server would never end."""


@dataclass(frozen=True, slots=True)
class ProxyTools:
    """What all handlers share. `on_refused` is told which APIService somebody has just asked in vain."""

    table: RoutingTable
    backends: Backends
    delegate: DelegationTarget
    on_refused: Callable[[str], None]


class ProxyHandler:
    """The proxy of one APIService, by name: what that says is looked up at each request."""

    def __init__(self, name: str, tools: ProxyTools) -> None:
        self._name = name
        self._tools = tools

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        registration = self._tools.table.get(self._name)
        if registration is None or registration.service is None:
            await self._tools.delegate(scope, receive, send)
            return
        request = context.ensure(scope)
        request.trace.add("aggregator", f"proxy:{self._name}")
        if not registration.available:
            self._tools.on_refused(self._name)
            await _refuse(scope, send, "service unavailable", status=503)
            return
        if request.user is None:
            await _refuse(scope, send, "missing user", status=500)
            return
        if headers.is_upgrade(scope):
            raise errors.StatusError(
                501, "NotImplemented", "connection upgrades are not passed on to aggregated API servers yet"
            )
        if headers.hops(scope) > _MOST_HOPS:
            raise errors.StatusError(508, "LoopDetected", f"APIService {self._name} leads back to this server")
        exchange = _Exchange(self._tools, registration, request, request.user)
        await exchange.run(scope, receive, send)


class _Exchange:
    """One proxied request."""

    def __init__(self, tools: ProxyTools, registration: Registration, request: RequestContext, user: UserInfo) -> None:
        self._tools = tools
        self._registration = registration
        self._request = request
        self._user = user
        self._started = False

    async def run(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_watch = self._request.info.verb == "watch"
        async with Departure(receive, self._request.termination if is_watch else None) as departure:
            try:
                async with asyncio.timeout(DISCOVERY_SECONDS if self._is_discovery() else None):
                    await self._ask(scope, receive, send, departure)
            except ClientLeft:
                return
            except ResolveError:
                await self._fail(scope, send, "service unavailable", departure)
            except BadTrust as error:
                await self._fail(scope, send, str(error), departure, status=500)
            except Unreachable as error:
                self._tools.on_refused(self._registration.name)
                await self._fail(scope, send, f"{_DIALING}: {error}", departure)
            except TimeoutError:
                await self._fail(scope, send, f"{_DIALING}: context deadline exceeded", departure)
        if departure.terminated and self._started:
            # As a watch that this server itself serves ends: cleanly, so that its client starts another.
            await send({"type": "http.response.body", "body": b""})
        elif departure.terminated:
            raise errors.service_unavailable("apiserver is shutting down")

    async def _ask(self, scope: Scope, receive: Receive, send: Send, departure: Departure) -> None:
        body = await RequestBody(receive, departure.watch).read()
        sent = headers.forwarded(scope, user=self._user, audit_id=self._request.audit_id)
        if body is not None and not isinstance(body, bytes):
            sent += [one for one in scope["headers"] if one[0] == b"content-length"]
        sent_at = perf_counter()
        long_running = self._request.info.is_long_running
        call = Call(scope["method"], headers.target(scope), sent, body, stream=long_running)
        async with self._tools.backends.answer(self._registration, call) as answer:
            if tracing.is_wanted(scope):
                tracing.adopt(self._request.trace, answer.headers, sent_at=sent_at)
            await self._pass_back(answer, send, departure)

    async def _pass_back(self, answer: Answer, send: Send, departure: Departure) -> None:
        self._started = True
        await send({
            "type": "http.response.start",
            "status": answer.status,
            "headers": headers.returned(answer.headers),
        })
        async for chunk in answer.body:
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        departure.over()
        await send({"type": "http.response.body", "body": b""})

    async def _fail(self, scope: Scope, send: Send, text: str, departure: Departure, *, status: int = 503) -> None:
        if self._started:
            # The client must not take what it has for the whole: this cuts it off.
            raise errors.service_unavailable(text)
        self._started = True
        departure.over()
        await _refuse(scope, send, text, status=status)

    def _is_discovery(self) -> bool:
        info = self._request.info
        return not info.is_resource_request and len(info.path.strip("/").split("/")) == _DISCOVERY_PARTS


async def _refuse(scope: Scope, send: Send, text: str, *, status: int) -> None:
    await responses.send_text(scope, send, f"{text}\n", status=status)
