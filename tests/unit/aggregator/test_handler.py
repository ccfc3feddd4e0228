"""What the proxy of one APIService says where it cannot ask anybody. BEHAVIOURS C, "Proxy"."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from aggregator.apiservices.registration import Registration
from aggregator.proxy.backends import Answer
from aggregator.proxy.call import Call
from aggregator.proxy.failures import BadTrust, Unreachable
from aggregator.proxy.handler import ProxyHandler, ProxyTools
from aggregator.routes import RoutingTable
from generic.client.resolving import Address, ResolveError
from generic.delegation import EmptyDelegate
from generic.request import context
from generic.request.user import UserInfo
from generic.types import Message
from tests.support.asgi import Response, scope
from tests.unit.aggregator.objects import SERVICE, apiservice

pytestmark = pytest.mark.anyio

PATH = "/apis/a.example.com/v1"
FLUNDERS = f"{PATH}/flunders"
JANE = UserInfo("jane")
AVAILABLE = {"conditions": [{"type": "Available", "status": "True"}]}


class Failing:
    """Backends of which one cannot be asked, for this reason; without one, it says this, or nothing."""

    def __init__(self, error: Exception | None = None, said: Answer | None = None) -> None:
        self.error = error
        self.said = said
        self.asked = 0

    @asynccontextmanager
    async def answer(self, registration: Registration, call: Call) -> AsyncIterator[Answer]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        if self.said is None:
            await asyncio.Event().wait()
        else:
            yield self.said


async def nothing() -> AsyncIterator[bytes]:
    yield b""


class Asking:
    """A proxy and who is told of refusals."""

    def __init__(self, backends: Failing, *, available: bool = True, redirects: bool = False) -> None:
        table, self.refused = RoutingTable(), list[str]()
        status = {"status": AVAILABLE} if available else {}
        table.put(Registration.of(apiservice("a.example.com", service=SERVICE) | status))
        failing: Any = backends
        self.handler = ProxyHandler(
            "v1.a.example.com",
            ProxyTools(table, failing, EmptyDelegate(), self.refused.append, redirects=redirects),
        )

    async def get(self, path: str, *, user: UserInfo | None = JANE) -> tuple[int, str]:
        """Status and text of the answer, to a client that stays."""
        asked, response, requests = scope(path), Response(), [b""]
        context.ensure(asked).user = user

        async def receive() -> Message:
            if not requests:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": requests.pop(), "more_body": False}

        await self.handler(asked, receive, response.send)
        assert response.header("content-type") == "text/plain; charset=utf-8"
        return response.status, response.body.decode()


REFUSED = Unreachable("dial tcp 127.0.0.1:1: connect: connection refused", Address("127.0.0.1", 1))


@pytest.mark.parametrize(
    ("error", "status", "text", "tells"),
    [
        (ResolveError('no endpoints available for service "api"'), 503, "service unavailable\n", False),
        (BadTrust("unable to load root certificates"), 500, "unable to load root certificates\n", False),
        (REFUSED, 503, f"error trying to reach service: {REFUSED}\n", True),
    ],
)
async def test_why_nobody_can_be_asked_is_said_in_plain_text(
    error: Exception, status: int, text: str, tells: bool
) -> None:
    asking = Asking(Failing(error))
    assert await asking.get(FLUNDERS) == (status, text)
    assert asking.refused == ["v1.a.example.com"] * tells


async def test_a_request_of_nobody_is_not_passed_on() -> None:
    backends = Failing()
    assert await Asking(backends).get(FLUNDERS, user=None) == (500, "missing user\n")
    assert backends.asked == 0


async def test_what_is_not_available_is_not_asked_but_looked_at_again() -> None:
    backends = Failing()
    asking = Asking(backends, available=False)
    assert await asking.get(FLUNDERS) == (503, "service unavailable\n")
    assert (backends.asked, asking.refused) == (0, ["v1.a.example.com"])


async def test_discovery_is_given_up_in_time_and_nothing_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.proxy.handler.DISCOVERY_SECONDS", 0.01)
    asking = Asking(Failing())
    other = asyncio.create_task(asking.get(FLUNDERS))
    for path in (PATH, f"{PATH}/"):
        late = (503, "error trying to reach service: context deadline exceeded\n")
        assert await asking.get(path) == late
    assert not other.done()
    other.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other


@pytest.mark.parametrize(
    ("location", "redirects", "expected"),
    [
        (b"/elsewhere", False, (502, "the backend attempted to redirect this request, which is not permitted")),
        (b"/elsewhere", True, (307, "")),
        (b"", False, (307, "")),
    ],
)
async def test_no_server_sends_our_clients_elsewhere_unless_it_may(
    location: bytes, redirects: bool, expected: tuple[int, str]
) -> None:
    headers = [(b"Location", location), (b"content-type", b"text/plain; charset=utf-8")]
    said = Answer(307, headers, nothing(), Address("127.0.0.1", 1))
    assert await Asking(Failing(said=said), redirects=redirects).get(FLUNDERS) == expected
