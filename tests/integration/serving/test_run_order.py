"""A process stops in Kubernetes' order, as its clients see it: over real sockets, behind the whole chain."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from generic.delegation import EmptyDelegate
from generic.endpoints import responses
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.filters.in_flight import InFlight
from generic.hooks import PostStartHook
from generic.meta.errors import StatusError
from generic.request import context
from generic.request.context import RequestContext
from generic.run import ServerRun, ShutdownOptions
from generic.server import GenericServer
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.types import Receive, Scope, Send
from tests.integration.serving import harness
from tests.support.chain import chain
from trikube.pki import layout

pytestmark = pytest.mark.anyio

LARGE = b"x" * 3_000_000


class Audit:
    """An auditor that says when it ends."""

    def __init__(self, events: list[str]) -> None:
        self._events = events

    async def start(self) -> None:
        assert self._events == []

    async def stop(self) -> None:
        self._events.append("audit stopped")

    async def refused(self, scope: Scope, request: RequestContext, refusal: StatusError) -> None:
        raise AssertionError("everybody is let in")


class Running:
    """A running process, and the handles that a test needs to hold it where it looks."""

    def __init__(self, pki: layout.Layout, *, drain: float) -> None:
        self.stop = asyncio.Event()
        self.stopping = asyncio.Event()
        """The pre-shutdown hooks have begun."""
        self.go_on = asyncio.Event()
        """Lets the pre-shutdown hook end."""
        self.release = asyncio.Event()
        """Lets the slow handler answer."""
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.events: list[str] = []
        self._listening = asyncio.Event()
        self.server = GenericServer("test", EmptyDelegate(), discovery=DiscoveryManager())
        self.server.mux.handle("/slow", self._slow)
        self.server.mux.handle("/api/v1/pods", self._watch)
        self.server.mux.handle("/api/v1/namespaces/default/pods/a/exec", self._exec)
        self.server.add_pre_shutdown_hook("hold", self._hold)
        self.server.add_destroyer(self._destroy)
        self.in_flight = InFlight()
        options = SecureServingOptions(
            bind_address="127.0.0.1", port=0, cert_file=pki.serving_cert, key_file=pki.serving_key
        )
        self.listener = SecureServer(chain(self.server, in_flight=self.in_flight), options)
        self._run = ServerRun(
            self.server,
            self.listener,
            self.in_flight,
            shutdown=ShutdownOptions(delay=0, drain=drain),
            auditor=Audit(self.events),
            on_listening=self._listening.set,
        )
        self.task = asyncio.ensure_future(self._run.run(self.stop))

    async def listening(self) -> None:
        waiting = asyncio.ensure_future(self._listening.wait())
        await asyncio.wait((waiting, self.task), return_when=asyncio.FIRST_COMPLETED)
        if not self._listening.is_set():
            waiting.cancel()
            await self.task

    async def _hold(self) -> None:
        self.stopping.set()
        await self.go_on.wait()

    async def _destroy(self) -> None:
        self.events.append("destroyed")

    async def _slow(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.entered.set()
        await self.release.wait()
        await responses.send_bytes(scope, send, LARGE, content_type=b"text/plain")
        self.events.append("answered")

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        ended = asyncio.Event()
        termination = context.of(scope).termination
        assert termination is not None
        await responses.start(scope, send)
        await send({"type": "http.response.body", "body": b"event\n", "more_body": True})
        termination.on_set(ended.set)
        await ended.wait()
        await send({"type": "http.response.body", "body": b"last\n", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _exec(self, scope: Scope, receive: Receive, send: Send) -> None:
        await responses.start(scope, send)
        await send({"type": "http.response.body", "body": b"$ ", "more_body": True})
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


@contextlib.asynccontextmanager
async def running(pki: layout.Layout, *, drain: float = 30) -> AsyncIterator[Running]:
    process = Running(pki, drain=drain)
    try:
        await process.listening()
        yield process
    finally:
        process.task.cancel()
        process.go_on.set()
        process.release.set()
        await asyncio.wait((process.task,))


async def status(process: Running, pki: layout.Layout, path: str) -> tuple[int, str]:
    """Of a connection of its own."""
    async with harness.client(process.listener, pki, http2=True, cert="") as client:
        answer = await client.get(path)
        return answer.status_code, answer.text


@pytest.mark.parametrize("http2", [False, True])
async def test_a_process_stops_in_order(pki: layout.Layout, http2: bool) -> None:
    async with running(pki) as process, harness.client(process.listener, pki, http2=http2, cert="") as client:
        await harness.until(lambda: all(hook.done for hook in process.server.post_start_hooks().values()))
        assert (await client.get("/readyz")).text == "ok"
        slow = asyncio.ensure_future(client.get("/slow"))
        await process.entered.wait()
        async with client.stream("GET", "/api/v1/pods?watch=1") as watch:
            lines = watch.aiter_lines()
            assert await anext(lines) == "event"

            process.stop.set()
            await process.stopping.wait()
            # Unready, and yet everybody is served, on new connections too.
            ready, text = await status(process, pki, "/readyz")
            assert (ready, "[-]shutdown failed" in text) == (500, True)
            assert await status(process, pki, "/livez") == (200, "ok")

            process.go_on.set()
            # The watch ends as if its time were up, and nobody new is let in.
            assert [line async for line in lines] == ["last"]
        with pytest.raises(httpx.ConnectError):
            await status(process, pki, "/livez")
        assert not process.task.done()
        assert process.events == []

        process.release.set()
        assert (await slow).content == LARGE
        await process.task
        assert process.events == ["answered", "audit stopped", "destroyed"]


async def test_idle_connections_do_not_hold_up_the_stop(pki: layout.Layout) -> None:
    process = Running(pki, drain=30)
    await process.listening()
    process.go_on.set()
    async with (
        harness.raw(process.listener, pki, cert="") as http1,
        harness.h2_client(process.listener, pki, cert="") as http2,
    ):
        assert (await http2.answer(http2.request(path=b"/livez")))[0] == 200
        process.stop.set()
        await process.task
        assert await http1.end() == b""
        await http2.until(lambda: http2.closed)
        assert http2.goaway == 0


async def test_an_exec_is_not_waited_for(pki: layout.Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generic.run._LAST_BYTES", 0.05)
    async with running(pki) as process, harness.h2_client(process.listener, pki, cert="") as client:
        stream = client.request(method=b"POST", path=b"/api/v1/namespaces/default/pods/a/exec")
        await client.until(lambda: bytes(client.bodies[stream]) == b"$ ")
        process.go_on.set()
        process.stop.set()
        await process.task
        assert process.cancelled.is_set()


async def test_a_request_that_never_ends_is_given_up(pki: layout.Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generic.run._LAST_BYTES", 0.05)
    async with running(pki, drain=0.05) as process, harness.h2_client(process.listener, pki, cert="") as client:
        client.request(path=b"/slow")
        await process.entered.wait()
        process.go_on.set()
        process.stop.set()
        await process.task
        assert process.events == ["audit stopped", "destroyed"]


async def test_a_failed_post_start_hook_stops_the_process(pki: layout.Layout) -> None:
    process = Running(pki, drain=30)

    async def fail() -> None:
        raise RuntimeError("no storage")

    process.server.add_post_start_hook(PostStartHook("bad", fail))
    process.go_on.set()
    with pytest.raises(Exception, match='PostStartHook "bad" failed: no storage'):
        await process.task
    assert process.events == ["audit stopped", "destroyed"]
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", process.listener.port)
