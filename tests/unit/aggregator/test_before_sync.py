"""What a path nobody has yet is answered before all APIServices are registered. BEHAVIOURS A, "503, not 404"."""

import pytest

from generic.delegation import EmptyDelegate, Signal
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.filters.stamps import with_mux_complete
from generic.meta.errors import StatusError
from generic.request import context
from generic.server import GenericServer
from generic.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import call

pytestmark = pytest.mark.anyio


def arriving(app: ASGIApp) -> ASGIApp:
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        context.ensure(scope)
        await app(scope, receive, send)

    return handle


async def test_a_request_that_came_before_the_last_signal_is_told_to_come_again_and_a_later_one_not() -> None:
    inner = GenericServer("inner", EmptyDelegate(), discovery=DiscoveryManager())
    inner.add_mux_complete_signal(Signal("definitions-synced"))
    outer = GenericServer("outer", inner, discovery=DiscoveryManager())
    outer.add_mux_complete_signal(Signal("apiservices-registered"))

    async def complete_meanwhile(scope: Scope, receive: Receive, send: Send) -> None:
        for signal in outer.mux_complete_signals().values():
            signal.set()
        await outer(scope, receive, send)

    early = arriving(with_mux_complete(outer.is_mux_complete)(outer))
    racing = arriving(with_mux_complete(outer.is_mux_complete)(complete_meanwhile))
    outer.mux_complete_signals()["apiservices-registered"].set()
    for app in (early, racing):
        with pytest.raises(StatusError) as refused:
            await call(app, "/apis/a.example.com/v1/things")
        assert (refused.value.code, refused.value.retry_after) == (503, 5)
    response = await call(early, "/apis/a.example.com/v1/things")
    assert (response.status, response.body) == (404, b"404 page not found\n")
