"""What becomes of what handlers raise."""

import logging

import pytest

from generic.endpoints import responses
from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.types import Receive, Scope, Send
from tests.support.asgi import call
from tests.support.chain import chain

pytestmark = pytest.mark.anyio


async def missing(scope: Scope, receive: Receive, send: Send) -> None:
    raise errors.not_found(GroupResource("apps", "deployments"), "web")


async def test_status_error_becomes_its_status() -> None:
    response = await call(chain(missing))
    assert response.status == 404
    assert response.header("content-type") == "application/json"
    assert response.json() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'deployments.apps "web" not found',
        "reason": "NotFound",
        "details": {"name": "web", "group": "apps", "kind": "deployments"},
        "code": 404,
    }


async def test_status_is_yaml_for_who_prefers_that() -> None:
    response = await call(chain(missing), headers={"Accept": "application/yaml"})
    assert response.header("content-type") == "application/yaml"
    assert b"reason: NotFound\n" in response.body


async def test_status_is_json_for_who_accepts_nothing_we_have() -> None:
    response = await call(chain(missing), headers={"Accept": "image/png"})
    assert response.json()["reason"] == "NotFound"


async def test_retry_after_is_a_header_and_in_the_details() -> None:
    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        raise errors.too_many_requests("slow down", 7)

    response = await call(chain(busy))
    assert (response.status, response.header("retry-after")) == (429, "7")
    assert response.json()["details"] == {"retryAfterSeconds": 7}


async def test_head_gets_the_head_of_the_refusal_alone() -> None:
    response = await call(chain(missing), method="HEAD")
    assert (response.status, response.body) == (404, b"")
    assert int(response.header("content-length") or 0) > 0


async def test_anything_else_is_a_panic(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise KeyError("secret")

    with caplog.at_level(logging.ERROR):
        response = await call(chain(broken))
    assert response.status == 500
    assert response.header("content-type") == "text/plain; charset=utf-8"
    assert response.body == b"This request caused apiserver to panic. Look in the logs for details.\n"
    assert "secret" in caplog.text


async def test_a_response_that_has_begun_is_cut_off() -> None:
    async def breaking_off(scope: Scope, receive: Receive, send: Send) -> None:
        await responses.start(scope, send)
        raise errors.bad_request("too late")

    with pytest.raises(errors.StatusError, match="too late"):
        await call(chain(breaking_off))


async def test_client_that_left_is_no_panic(caplog: pytest.LogCaptureFixture) -> None:
    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        raise ConnectionResetError("the client left")

    async def begun(scope: Scope, receive: Receive, send: Send) -> None:
        await responses.start(scope, send)
        await answering(scope, receive, send)

    with caplog.at_level(logging.ERROR), pytest.raises(ConnectionResetError):
        await call(chain(begun))
    assert caplog.text == ""
