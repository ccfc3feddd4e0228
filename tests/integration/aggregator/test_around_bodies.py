"""Trailers, informational responses and `100-continue` from a client through the aggregator to a backend, and back."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from generic.types import Receive, Scope, Send
from tests.integration.aggregator.harness import PATH, Plane, aggregated, answer
from tests.integration.aggregator.rawbackend import Asked, raw_aggregated, raw_client

pytestmark = pytest.mark.anyio

FLUNDERS = f"{PATH}/namespaces/default/flunders"
CHUNKED = "transfer-encoding: chunked"
CONTINUE = "expect: 100-continue"
OVER_EITHER = ("", "?watch=true")
"""To our own servers short requests go over HTTP/1.1, watches over HTTP/2."""


async def test_trailers_pass_to_those_who_take_them(plane: Plane, tmp_path: Path) -> None:
    async def trailing(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": True})
        await send({"type": "http.response.body", "body": b"ok"})
        await send({"type": "http.response.trailers", "headers": [(b"x-sum", b"1"), (b"connection", b"x")]})

    async with aggregated(plane, tmp_path, trailing), raw_client(plane) as client:
        for query in OVER_EITHER:
            for taken, end in (("te: trailers", b"x-sum: 1\r\n\r\n"), ("te: deflate", b"\r\n")):
                client.ask(FLUNDERS + query, taken)
                await client.head()
                body = await client.reader.readuntil(b"\r\n0\r\n")
                assert body == b"2\r\nok\r\n0\r\n"
                assert await client.reader.readexactly(len(end)) == end


async def test_a_watch_that_promised_trailers_still_ends_with_the_server(plane: Plane, tmp_path: Path) -> None:
    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"trailer", b"x-sum")]})
        await send({"type": "http.response.body", "body": b"{}\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async with aggregated(plane, tmp_path, watch, dies=True), raw_client(plane) as client:
        client.ask(f"{FLUNDERS}?watch=true")
        assert await client.reader.readuntil(b"3\r\n{}\n\r\n")
        plane.in_flight.begin_drain()
        assert await client.reader.readexactly(5) == b"0\r\n\r\n"


async def test_a_requests_trailers_pass_but_for_those_that_say_who_asks(plane: Plane, tmp_path: Path) -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (message := await receive())["more_body"]:
            pass
        seen.append(message.get("trikube.trailers"))
        await answer(send)

    async with aggregated(plane, tmp_path, app), raw_client(plane) as client:
        client.ask(FLUNDERS, CHUNKED, method="POST", body=b"1\r\nx\r\n0\r\nx-sum: 1\r\nX-Remote-User: root\r\n\r\n")
        assert b" 200 " in await client.head()
    assert seen == [[(b"x-sum", b"1")]]


async def test_hints_pass_before_the_answer(plane: Plane, tmp_path: Path) -> None:
    async def hinting(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "trikube.informational", "status": 103, "headers": [(b"link", b"</a>")]})
        await answer(send)

    async with aggregated(plane, tmp_path, hinting), raw_client(plane) as client:
        for query in OVER_EITHER:
            client.ask(FLUNDERS + query)
            assert await client.head() == b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
            assert b" 200 " in await client.head()
            assert await client.reader.readuntil(b"0\r\n\r\n") == b"2\r\n{}\r\n0\r\n\r\n"


async def test_a_client_is_asked_for_its_body_when_the_backend_asks(plane: Plane, tmp_path: Path) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow(asking: Asked) -> None:
        assert asking.headers["expect"] == "100-continue"
        asked.set()
        await go_on.wait()
        await asking.say(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await asking.body()
        await asking.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    async with raw_aggregated(plane, tmp_path, slow), raw_client(plane) as client:
        client.ask(FLUNDERS, CONTINUE, "content-length: 4", method="POST")
        head = asyncio.create_task(client.head())
        await asked.wait()
        assert not head.done()
        go_on.set()
        assert (await head).startswith(b"HTTP/1.1 100 ")
        client.writer.write(b"body")
        assert await client.response() == (200, b"body")


async def test_a_client_is_not_asked_for_a_body_that_the_backend_does_not_want(plane: Plane, tmp_path: Path) -> None:
    async def refuse(asking: Asked) -> None:
        await asking.say(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\nno")

    async with raw_aggregated(plane, tmp_path, refuse), raw_client(plane) as client:
        client.ask(FLUNDERS, CONTINUE, "content-length: 4", method="POST")
        assert await client.response() == (401, b"no")


async def test_a_client_that_waits_for_nothing_is_not_told_to_go_on(plane: Plane, tmp_path: Path) -> None:
    async def eager(asking: Asked) -> None:
        await asking.say(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    async with raw_aggregated(plane, tmp_path, eager), raw_client(plane) as client:
        client.ask(FLUNDERS)
        assert await client.response() == (200, b"ok")


async def test_a_backend_that_does_not_know_how_to_ask_gets_the_body(
    plane: Plane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.proxy.call.CONTINUE_SECONDS", 0.05)

    async def wait(asking: Asked) -> None:
        body = await asking.body()
        await asking.say(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

    async with raw_aggregated(plane, tmp_path, wait), raw_client(plane) as client:
        client.ask(FLUNDERS, CONTINUE, "content-length: 4", method="POST")
        assert (await client.head()).startswith(b"HTTP/1.1 100 ")
        client.writer.write(b"body")
        assert await client.response() == (200, b"body")


async def test_a_client_that_leaves_an_answer_to_an_unread_body_is_noticed(plane: Plane, tmp_path: Path) -> None:
    closed = asyncio.Event()

    async def linger(asking: Asked) -> None:
        await asking.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbegun")
        await asking.reader.read()
        closed.set()

    async with raw_aggregated(plane, tmp_path, linger):
        async with raw_client(plane) as client:
            client.ask(FLUNDERS, CONTINUE, "content-length: 4", method="POST")
            await client.reader.readuntil(b"begun")
        await closed.wait()
