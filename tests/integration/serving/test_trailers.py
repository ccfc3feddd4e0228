"""What comes around a body: trailers behind it, and informational responses before it."""

from typing import Any

import pytest

from generic.types import Receive, Scope, Send
from tests.integration.serving.harness import h2_client, raw, read_body, reply, serving
from trikube.pki import layout

pytestmark = pytest.mark.anyio

CHUNKED_OK = b"2\r\nok\r\n0\r\n"


async def trailing(scope: Scope, receive: Receive, send: Send, *headers: tuple[bytes, bytes]) -> None:
    assert scope["extensions"]["http.response.trailers"] == {}
    await send({"type": "http.response.start", "status": 200, "headers": headers, "trailers": True})
    await send({"type": "http.response.body", "body": b"ok"})
    first = [(b"X-Sum", b"1"), (b"content-length", b"9")]
    await send({"type": "http.response.trailers", "headers": first, "more_trailers": True})
    await send({"type": "http.response.trailers", "headers": [(b"x-more", b"2")]})


async def announcing(scope: Scope, receive: Receive, send: Send) -> None:
    await trailing(scope, receive, send, (b"trailer", b"x-sum"))


async def with_length(scope: Scope, receive: Receive, send: Send) -> None:
    await trailing(scope, receive, send, (b"content-length", b"2"))


async def test_trailers_reach_clients_that_take_them_or_are_told_of_them(pki: layout.Layout) -> None:
    async with serving(pki, trailing) as server, raw(server, pki) as client:
        client.say(b"GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await client.head()
        assert await client.reader.readuntil(b"\r\n\r\n") == CHUNKED_OK + b"x-sum: 1\r\nx-more: 2\r\n\r\n"
        await client.head()
        assert await client.reader.readuntil(b"\r\n\r\n") == CHUNKED_OK + b"\r\n"
    async with serving(pki, announcing) as server, raw(server, pki) as client:
        client.say(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert b"\r\ntrailer: x-sum\r\n" in await client.head()
        assert b"\r\nx-sum: 1\r\n" in await client.reader.readuntil(b"\r\n\r\n")


async def test_where_trailers_have_no_place_the_response_is_complete_without(pki: layout.Layout) -> None:
    async with serving(pki, with_length) as server, raw(server, pki) as client:
        for _ in range(2):
            client.say(b"GET / HTTP/1.1\r\nhost: a\r\nte: trailers\r\n\r\n")
            assert await client.response() == (200, b"ok")
        client.say(b"HEAD / HTTP/1.1\r\nhost: a\r\nte: trailers\r\n\r\n")
        await client.head()
    async with serving(pki, trailing) as server, raw(server, pki) as client:
        client.say(b"GET / HTTP/1.0\r\nhost: a\r\nte: trailers\r\n\r\n")
        assert (await client.end()).endswith(b"\r\n\r\nok")


async def test_trailers_end_a_stream(pki: layout.Layout) -> None:
    async with serving(pki, trailing) as server, h2_client(server, pki) as client:
        stream_id = client.request()
        assert await client.answer(stream_id) == (200, b"ok")
        assert client.trailers[stream_id] == {b"x-sum": b"1", b"x-more": b"2"}
        headless = client.request(method=b"HEAD")
        assert await client.answer(headless) == (200, b"")
        assert headless not in client.trailers


async def last_message(receive: Receive) -> Any:
    while (message := await receive())["more_body"]:
        pass
    return message


async def test_a_requests_trailers_come_with_the_end_of_its_body(pki: layout.Layout) -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((await last_message(receive)).get("trikube.trailers"))
        await reply(send)

    async with serving(pki, app) as server:
        async with raw(server, pki) as client:
            client.say(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
            client.say(b"1\r\nx\r\n0\r\nX-Sum: 1\r\ncontent-length: 7\r\n\r\n")
            assert await client.response() == (200, b"ok")
        async with h2_client(server, pki) as second:
            stream_id = second.request(method=b"POST", end=False)
            second.data(stream_id, b"x")
            second.connection.send_headers(stream_id, [(b"x-sum", b"2")], end_stream=True)
            second.flush()
            assert await second.answer(stream_id) == (200, b"ok")
            assert await second.answer(second.request(method=b"POST")) == (200, b"ok")
    assert seen == [[(b"x-sum", b"1")], [(b"x-sum", b"2")], None]


async def hinting(scope: Scope, receive: Receive, send: Send) -> None:
    assert scope["extensions"]["trikube.informational"] == {}
    hint = {"type": "trikube.informational", "status": 103, "headers": [(b"link", b"</a>"), (b"content-length", b"3")]}
    await send(hint)
    body = await read_body(receive)
    await reply(send, body or b"ok")
    with pytest.raises(RuntimeError, match="not expected"):
        await send(hint)


async def test_informational_responses_come_before_the_final_one(pki: layout.Layout) -> None:
    async with serving(pki, hinting) as server:
        async with raw(server, pki) as client:
            client.say(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            assert await client.head() == b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
            assert await client.response() == (200, b"ok")
            client.say(b"GET / HTTP/1.0\r\nhost: a\r\n\r\n")
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")
        async with h2_client(server, pki) as second:
            stream_id = second.request()
            assert await second.answer(stream_id) == (200, b"ok")
            assert second.statuses[stream_id] == [103, 200]


async def test_a_client_that_waits_to_be_asked_for_its_body_still_is_after_a_hint(pki: layout.Layout) -> None:
    async with serving(pki, hinting) as server, raw(server, pki) as client:
        client.say(b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n")
        assert (await client.head()).startswith(b"HTTP/1.1 103 ")
        assert (await client.head()).startswith(b"HTTP/1.1 100 ")
        client.say(b"body")
        assert await client.response() == (200, b"body")


async def test_what_is_no_hint_is_refused(pki: layout.Layout) -> None:
    refused: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for status in (100, 101, 200):
            with pytest.raises(ValueError, match="informational"):
                await send({"type": "trikube.informational", "status": status, "headers": []})
            refused.append(status)
        with pytest.raises(ValueError, match="line break"):
            await send({"type": "trikube.informational", "status": 103, "headers": [(b"a", b"b\r\nc: d")]})
        await reply(send)

    async with serving(pki, app) as server, raw(server, pki) as client:
        client.say(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        assert await client.response() == (200, b"ok")
    assert refused == [100, 101, 200]


async def test_reading_after_the_response_has_begun_asks_nobody_to_go_on(pki: layout.Layout) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await receive()
        await send({"type": "http.response.body", "body": b"ok"})

    async with serving(pki, app) as server, h2_client(server, pki) as client:
        stream_id = client.request(method=b"POST", end=False, headers=[(b"expect", b"100-continue")])
        await client.until(lambda: bool(client.statuses[stream_id]))
        client.data(stream_id, b"", end=True)
        assert await client.answer(stream_id) == (200, b"ok")
        assert client.statuses[stream_id] == [200]
