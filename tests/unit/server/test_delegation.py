"""GenericServers one behind the other: who answers, what is merged, and what the end says. BEHAVIOURS A."""

import pytest

from generic.delegation import DelegationTarget, EmptyDelegate, NothingBehind, Signal
from generic.endpoints import responses
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.health import HealthCheck
from generic.hooks import PostStartHook
from generic.meta.errors import StatusError
from generic.request import context
from generic.server import GenericServer
from generic.types import ASGIApp, Receive, Scope, Send
from tests.support.asgi import Response, call, receive, scope

pytestmark = pytest.mark.anyio


def server(name: str, delegate: DelegationTarget | None = None) -> GenericServer:
    return GenericServer(name, delegate or EmptyDelegate(), discovery=DiscoveryManager())


def says(text: str) -> ASGIApp:
    async def handle(scope: Scope, receive: Receive, send: Send) -> None:
        await responses.send_text(scope, send, text)

    return handle


async def nothing() -> None: ...


async def test_the_first_server_that_knows_a_path_answers() -> None:
    inner = server("inner")
    outer = server("outer", inner)
    inner.mux.handle("/both", says("inner"))
    inner.mux.handle("/only", says("inner only"))
    outer.mux.handle("/both", says("outer"))
    assert (await call(outer, "/both")).body == b"outer"
    assert (await call(outer, "/only")).body == b"inner only"


async def test_a_delegate_never_sees_what_an_earlier_server_answers() -> None:
    class Untouchable(EmptyDelegate):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            raise AssertionError(f"asked for {scope['path']}")

    outer = server("outer", Untouchable())
    outer.mux.handle("/mine", says("mine"))
    assert (await call(outer, "/mine")).body == b"mine"
    with pytest.raises(AssertionError, match="asked for /other"):
        await call(outer, "/other")


async def test_the_end_of_the_chain_is_plain_text() -> None:
    response = await call(server("outer", server("inner")), "/nowhere")
    assert (response.status, response.body) == (404, b"404 page not found\n")


async def test_before_all_owners_have_synced_a_miss_is_503_and_stays_one() -> None:
    chain = server("outer", server("inner"))
    asked = scope("/nowhere")
    context.ensure(asked).arrived_before_sync = True
    response = Response()
    with pytest.raises(StatusError) as refused:
        await chain(asked, receive, response.send)
    assert (refused.value.code, refused.value.reason, refused.value.retry_after) == (503, "ServiceUnavailable", 5)


async def test_a_server_that_stands_alone_lists_its_paths_where_the_chain_ends() -> None:
    alone = server("alone", NothingBehind())
    alone.mux.handle("/here", says("here"))
    response = await call(alone, "/nowhere")
    assert response.status == 404
    assert response.json() == {"paths": ["/here"]}


async def test_hooks_signals_and_checks_of_the_delegates_are_the_outer_servers_too() -> None:
    inner = server("inner")
    inner.add_post_start_hook(PostStartHook("inner-hook", nothing))
    inner.add_pre_shutdown_hook("inner-end", nothing)
    inner.add_mux_complete_signal(Signal("inner-synced"))
    inner.add_health_check(HealthCheck("inner-check", nothing))
    outer = server("outer", inner)
    outer.add_post_start_hook(PostStartHook("outer-hook", nothing))
    outer.add_health_check(HealthCheck("outer-check", nothing))
    assert set(outer.post_start_hooks()) == {"inner-hook", "outer-hook"}
    assert set(outer.pre_shutdown_hooks()) == {"inner-end"}
    assert [check.name for check in outer.health_checks()] == ["ping", "outer-check", "inner-check"]
    assert not outer.is_mux_complete()
    outer.mux_complete_signals()["inner-synced"].set()
    assert outer.is_mux_complete()
    assert set(inner.post_start_hooks()) == {"inner-hook"}


async def test_a_name_that_a_server_of_the_chain_has_is_refused() -> None:
    inner = server("inner")
    inner.add_post_start_hook(PostStartHook("hook", nothing))
    inner.add_pre_shutdown_hook("end", nothing)
    inner.add_mux_complete_signal(Signal("synced"))
    outer = server("outer", inner)
    with pytest.raises(ValueError, match="hook is already registered"):
        outer.add_post_start_hook(PostStartHook("hook", nothing))
    with pytest.raises(ValueError, match="end is already registered"):
        outer.add_pre_shutdown_hook("end", nothing)
    with pytest.raises(ValueError, match="synced is already registered"):
        outer.add_mux_complete_signal(Signal("synced"))


async def test_once_prepared_nothing_is_added_any_more() -> None:
    made = server("made")
    await made.prepare_to_run()
    with pytest.raises(ValueError, match="post-start hook late: the server is already prepared to run"):
        made.add_post_start_hook(PostStartHook("late", nothing))
    with pytest.raises(ValueError, match="health check late: the server is already prepared to run"):
        made.add_health_check(HealthCheck("late", nothing))
    with pytest.raises(ValueError, match="preparation: the server is already prepared to run"):
        made.add_preparation(nothing)


async def test_preparing_goes_from_the_innermost_out_and_destroying_back_in() -> None:
    order: list[str] = []

    def note(what: str) -> None:
        order.append(what)

    inner = server("inner")
    outer = server("outer", inner)
    for each in (outer, inner):

        async def prepare(name: str = each.name) -> None:
            note(f"prepare {name}")

        async def destroy(name: str = each.name) -> None:
            note(f"destroy {name}")

        each.add_preparation(prepare)
        each.add_destroyer(destroy)
    await outer.prepare_to_run()
    await outer.destroy()
    assert order == ["prepare inner", "prepare outer", "destroy outer", "destroy inner"]
