"""What the outermost filter puts on every response: audit id, filters' headers, warnings, the trace."""

import re

import pytest

from generic.endpoints import responses
from generic.meta import errors
from generic.request import context
from generic.request.user import ANONYMOUS_USER
from generic.types import Receive, Scope, Send
from tests.support.asgi import Response, call, receive, scope
from tests.support.chain import Always, Rules, chain, ok

pytestmark = pytest.mark.anyio


def warning_app(*texts: str) -> object:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for text in texts:
            context.of(scope).warn(text)
        await responses.send_bytes(scope, send, b"{}")

    return app


async def test_audit_id_of_the_client_is_adopted_and_echoed() -> None:
    response = await call(chain(), headers={"Audit-ID": "mine"})
    assert response.header("audit-id") == "mine"


async def test_audit_id_is_generated_as_a_version_4_uuid_and_differs() -> None:
    ids = {(await call(chain())).header("audit-id") or "" for _ in range(20)}
    assert len(ids) == 20
    for audit_id in ids:
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", audit_id)


async def test_audit_id_is_on_refusals_too() -> None:
    response = await call(chain(authorizer=Rules(lambda _: False)), headers={"Audit-ID": "mine"})
    assert (response.status, response.header("audit-id")) == (403, "mine")


async def test_responses_are_not_to_be_cached() -> None:
    assert (await call(chain())).header("cache-control") == "no-cache, private"


async def test_a_handlers_own_header_wins() -> None:
    async def cacheable(scope: Scope, receive: Receive, send: Send) -> None:
        await responses.send_bytes(scope, send, b"{}", headers=((b"cache-control", b"public, immutable"),))

    assert (await call(chain(cacheable))).header("cache-control") == "public, immutable"


async def test_hsts_only_where_configured() -> None:
    configured = chain(hsts_directives=("max-age=31536000", "includeSubDomains"))
    assert (await call(configured)).header("strict-transport-security") == "max-age=31536000; includeSubDomains"
    assert (await call(chain())).header("strict-transport-security") is None


async def test_warnings_go_out_once_each_with_code_299_and_quoted() -> None:
    response = await call(chain(warning_app('unknown field "a\\b"', "x", "x")))  # type: ignore[arg-type]
    assert response.headers("warning") == ['299 - "unknown field \\"a\\\\b\\""', '299 - "x"']


async def test_warnings_go_out_with_refusals() -> None:
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        context.of(scope).warn("careful")
        raise errors.bad_request("no")

    response = await call(chain(refusing))
    assert (response.status, response.headers("warning")) == (400, ['299 - "careful"'])


async def test_warnings_past_4096_characters_are_cut_to_256_each() -> None:
    texts = [f"{i}-{'ä' * 1000}" for i in range(5)]
    response = await call(chain(warning_app(*texts)))  # type: ignore[arg-type]
    assert response.headers("warning") == [f'299 - "{text[:256]}"' for text in texts]


async def test_warnings_that_do_not_fit_even_when_cut_are_left_out() -> None:
    texts = [f"{i:03}{'x' * 300}" for i in range(20)]
    response = await call(chain(warning_app(*texts)))  # type: ignore[arg-type]
    assert len(response.headers("warning")) == 4096 // 256


async def test_warning_with_a_line_break_cannot_forge_a_header() -> None:
    response = await call(chain(warning_app("a\r\nset-cookie: x", "fine")))  # type: ignore[arg-type]
    assert response.headers("warning") == ['299 - "fine"']


async def test_trace_comes_back_when_asked_for() -> None:
    response = await call(chain(), headers={"Trikube-Trace": "1"})
    steps = (response.header("trikube-trace") or "").split(", ")
    assert [step.split(";")[0] for step in steps] == ["authorization=allow"]


async def test_trace_is_not_sent_unasked() -> None:
    assert (await call(chain())).header("trikube-trace") is None


@pytest.mark.parametrize("user", [ANONYMOUS_USER, None])
async def test_strangers_are_told_no_trace(user: object) -> None:
    response = await call(chain(authenticator=Always(user)), headers={"Trikube-Trace": "1"})  # type: ignore[arg-type]
    assert response.header("trikube-trace") is None


async def test_refused_websocket_gets_a_denial_response() -> None:
    request = scope("/api/v1/namespaces/a/pods/x/exec")
    request["type"] = "websocket"
    del request["method"]
    response = Response()
    await chain(authorizer=Rules(lambda _: False))(request, receive, response.send)
    assert [message["type"] for message in response.messages] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
    ]
    assert response.status == 403
    assert response.json()["reason"] == "Forbidden"


async def test_accepted_websocket_carries_the_audit_id() -> None:
    async def accepting(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    request = scope("/api/v1/namespaces/a/pods/x/exec", headers={"Audit-ID": "mine"})
    request["type"] = "websocket"
    response = Response()
    await chain(accepting)(request, receive, response.send)
    assert response.messages[0]["type"] == "websocket.accept"
    assert response.header("audit-id") == "mine"


async def test_handlers_message_is_not_changed_under_it() -> None:
    message = {"type": "http.response.start", "status": 200, "headers": []}

    async def repeating(scope: Scope, receive: Receive, send: Send) -> None:
        await send(message)
        await send({"type": "http.response.body", "body": b""})

    await call(chain(repeating))
    assert message["headers"] == []


async def test_status_and_size_of_the_response_are_known_to_the_context() -> None:
    request = scope()
    await chain(ok)(request, receive, Response().send)
    assert (context.of(request).status, context.of(request).sent) == (200, 2)
