"""The limit on a request's body, from the socket to the `Status`: 413, and the connection goes on where it can."""

import pytest

from generic.endpoints import body, responses
from generic.types import Receive, Scope, Send
from tests.integration.serving import harness
from tests.support.chain import chain
from trikube.pki import layout

pytestmark = pytest.mark.anyio

TOO_LARGE = body.MAX_BODY + 1


async def size(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers how large the body is."""
    await responses.send_text(scope, send, str(len(await body.read(receive, scope))))


@pytest.mark.parametrize("http2", [False, True])
async def test_the_largest_body_is_taken_and_one_byte_more_is_413(pki: layout.Layout, http2: bool) -> None:
    async with harness.serving(pki, chain(size)) as server, harness.client(server, pki, http2=http2) as client:
        largest = await client.post("/api/v1/pods", content=b"x" * body.MAX_BODY)
        assert (largest.status_code, largest.text) == (200, str(body.MAX_BODY))
        answer = await client.post("/api/v1/pods", content=b"x" * TOO_LARGE)
        assert answer.status_code == 413
        status = answer.json()
        assert (status["kind"], status["reason"]) == ("Status", "RequestEntityTooLarge")
        assert status["message"] == "Request entity too large: limit is 3145728"
        assert (await client.post("/api/v1/pods", content=b"xyz")).text == "3"


async def test_a_body_that_does_not_say_its_length_is_stopped_at_the_limit(pki: layout.Layout) -> None:
    async with harness.serving(pki, chain(size)) as server, harness.raw(server, pki) as client:
        client.say(b"POST /api/v1/pods HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n")
        client.say(b"%x\r\n" % TOO_LARGE + b"x" * TOO_LARGE)
        assert (await client.response())[0] == 413


async def test_the_client_is_answered_before_it_sends_what_it_announced(pki: layout.Layout) -> None:
    async with harness.serving(pki, chain(size)) as server, harness.h2_client(server, pki) as client:
        length = (b"content-length", b"%d" % TOO_LARGE)
        upload = client.request(method=b"POST", path=b"/api/v1/pods", end=False, headers=[length])
        assert (await client.answer(upload))[0] == 413
        other = client.request(method=b"POST", path=b"/api/v1/pods", end=False)
        client.data(other, b"xyz", end=True)
        assert await client.answer(other) == (200, b"3")
        assert client.goaway is None
