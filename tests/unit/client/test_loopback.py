import asyncio
from collections.abc import AsyncIterator
from typing import cast

import httpx
import pytest

from generic.client import loopback
from generic.client.loopback import WHOLE, LoopbackTransport
from generic.types import ASGIApp, Receive, Scope, Send
from tests.unit.client.fake_api import read_body, reply

pytestmark = pytest.mark.anyio

START = {"type": "http.response.start", "status": 200, "headers": [(b"x-one", b"1")]}


def more(body: bytes) -> dict[str, object]:
    return {"type": "http.response.body", "body": body, "more_body": True}


LAST = {"type": "http.response.body", "body": b""}


async def call(app: ASGIApp, path: str = "/", *, method: str = "GET", whole: bool = False) -> httpx.Response:
    return await via(LoopbackTransport(app), path, method=method, whole=whole)


async def via(
    transport: LoopbackTransport, path: str = "/", *, method: str = "GET", whole: bool = False
) -> httpx.Response:
    extensions = {WHOLE: True} if whole else {}
    request = httpx.Request(method, f"https://localhost{path}", content=b"sent", extensions=extensions)
    return await transport.handle_async_request(request)


def chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    assert isinstance(response.stream, httpx.AsyncByteStream)
    return aiter(response.stream)


@pytest.mark.parametrize("whole", [True, False])
async def test_the_app_sees_the_request_as_from_a_socket(whole: bool) -> None:
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope["method"], scope["path"], scope["query_string"], await read_body(receive)))
        seen.append(dict(scope["headers"])[b"content-length"])
        await reply(send, b"{}")

    response = await call(app, "/apis/a%2Fb?x=1%2C2", method="POST", whole=whole)
    assert await response.aread() == b"{}"
    assert seen == ["POST", "/apis/a/b", b"x=1%2C2", b"sent", b"4"]


@pytest.mark.parametrize("given", [{}, {"authorization": "Bearer other"}])
async def test_the_loopback_token_is_presented_unless_the_caller_has_one(given: dict[str, str]) -> None:
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend(value for name, value in scope["headers"] if name == b"authorization")
        await reply(send, b"{}")

    transport = LoopbackTransport(app)
    await transport.handle_async_request(httpx.Request("GET", "https://localhost/", headers=given))
    assert seen == [given.get("authorization", f"Bearer {transport.token}").encode()]


def test_each_process_has_a_token_of_its_own() -> None:
    assert LoopbackTransport().token != LoopbackTransport().token


async def test_a_call_before_there_is_a_server_is_refused_connection() -> None:
    transport = LoopbackTransport()
    with pytest.raises(httpx.ConnectError):
        await via(transport)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, b"{}")

    transport.bind(app)
    assert (await via(transport)).status_code == 200


async def test_head_and_chunks_arrive_while_the_app_still_runs() -> None:
    more_to_say = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(more(b"one"))
        await more_to_say.wait()
        await send(more(b"two"))
        await send(LAST)

    response = await call(app)
    assert (response.status_code, response.headers["x-one"]) == (200, "1")
    body = chunks(response)
    assert await anext(body) == b"one"
    more_to_say.set()
    assert await anext(body) == b"two"
    assert await anext(body, None) is None
    await response.aclose()


async def test_a_whole_call_needs_no_task() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert asyncio.current_task() is caller
        await send(START)
        await send(more(b"x" * (loopback.HIGH_WATER + 1)))
        await send(more(b"y"))
        await send(LAST)

    caller = asyncio.current_task()
    response = await call(app, whole=True)
    assert len(await response.aread()) == loopback.HIGH_WATER + 2


async def test_an_app_far_ahead_of_the_reader_waits() -> None:
    sent: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        for number in range(4):
            await send(more(b"x" * loopback.HIGH_WATER))
            sent.append(number)
        await send(LAST)

    response = await call(app)
    for _ in range(20):
        await asyncio.sleep(0)
    assert sent == [0]
    assert sum([len(chunk) async for chunk in chunks(response)]) == 4 * loopback.HIGH_WATER
    assert sent == [0, 1, 2, 3]
    await response.aclose()


async def test_closing_tells_the_app_and_waits_for_it() -> None:
    said: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        await send(START)
        said.append(cast(str, (await receive())["type"]))
        await asyncio.sleep(0)
        await send(more(b"nobody reads this"))
        said.append("ended")

    response = await call(app)
    await response.aclose()
    assert said == ["http.disconnect", "ended"]


async def test_closing_wakes_an_app_that_waits_for_the_reader() -> None:
    said: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(more(b"x" * (loopback.HIGH_WATER + 1)))
        said.append("ended")

    response = await call(app)
    await response.aclose()
    assert said == ["ended"]


async def test_an_app_that_ignores_its_client_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "GRACE", 0.0)
    said: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        try:
            await asyncio.Event().wait()
        finally:
            said.append("cancelled")

    response = await call(app)
    await response.aclose()
    assert said == ["cancelled"]


async def test_a_receive_given_up_does_not_spoil_the_next_one() -> None:
    said: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        first = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        first.cancel()
        await send(START)
        said.append(cast(str, (await receive())["type"]))

    response = await call(app)
    await response.aclose()
    assert said == ["http.disconnect"]


@pytest.mark.parametrize("whole", [True, False])
async def test_a_failure_before_the_response_reaches_the_caller(whole: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("a defect")

    with pytest.raises(LookupError, match="a defect"):
        await call(app, whole=whole)


async def test_a_failure_in_the_middle_reaches_the_reader() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send(more(b"one"))
        raise LookupError("a defect")

    response = await call(app)
    body = chunks(response)
    assert await anext(body) == b"one"
    with pytest.raises(LookupError, match="a defect"):
        await anext(body)
    await response.aclose()


@pytest.mark.parametrize("when", ["before the reader left", "after the reader left"])
async def test_a_failure_nobody_is_there_to_be_told_is_logged(when: str, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        await send(START)
        if when == "after the reader left":
            await receive()
        raise LookupError("a defect")

    response = await call(app)
    for _ in range(3):
        await asyncio.sleep(0)
    await response.aclose()
    assert "LookupError: a defect" in caplog.text


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("begun", [True, False])
async def test_a_response_without_its_end_is_a_broken_connection(whole: bool, begun: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if begun:
            await send(START)
            await send(more(b"one"))

    with pytest.raises(httpx.RemoteProtocolError):
        await (await call(app, whole=whole)).aread()


@pytest.mark.parametrize("whole", [True, False])
async def test_a_cancelled_caller_ends_the_app(whole: bool) -> None:
    said: list[str] = []
    running = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read_body(receive)
        running.set()
        try:
            said.append(cast(str, (await receive())["type"]))
        except asyncio.CancelledError:
            said.append("cancelled")
            raise

    task = asyncio.ensure_future(call(app, whole=whole))
    await running.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert said == ["cancelled" if whole else "http.disconnect"]


async def test_head_has_no_body() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, b"{}")

    response = await call(app, method="HEAD", whole=True)
    assert (response.headers["content-length"], await response.aread()) == ("2", b"")
