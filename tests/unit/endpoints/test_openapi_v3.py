"""The documents below `/openapi/v3`: named by their hash, kept for ever under that name."""

import pytest

from generic.endpoints.openapi import v3
from tests.support import asgi

pytestmark = pytest.mark.anyio

_DOCUMENT = v3.Document(lambda: {"openapi": "3.0.0"})
_HASH = _DOCUMENT.encoded()[1]
_V3 = "application/com.github.proto-openapi.spec.v3"
_APPS = "/openapi/v3/apis/apps/v1"


async def ask(path: str, **headers: str) -> asgi.Response:
    handler = v3.DocumentHandler(lambda: {"apis/apps/v1": _DOCUMENT})
    return await asgi.call(handler, path, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_asked_for_by_its_hash_it_may_be_kept_for_ever() -> None:
    answer = await ask(f"{_APPS}?hash={_HASH}")
    assert (answer.status, answer.json()) == (200, {"openapi": "3.0.0"})
    assert answer.header("cache-control") == "public, immutable"
    assert (answer.header("expires") or "").endswith("GMT")
    assert answer.header("etag") == f'"{_HASH}"'


async def test_asked_for_by_its_path_it_may_not() -> None:
    answer = await ask(_APPS)
    assert (answer.status, answer.header("cache-control"), answer.header("expires")) == (200, None, None)


async def test_an_older_hash_leads_to_the_newer_one() -> None:
    answer = await ask(f"{_APPS}?hash=0")
    assert (answer.status, answer.header("location")) == (301, f"{_APPS}?hash={_HASH}")


async def test_who_has_it_is_not_sent_it_again() -> None:
    answer = await ask(_APPS, if_none_match=f'"{_HASH}"')
    assert (answer.status, answer.body) == (304, b"")
    assert (await ask(_APPS, if_none_match='"other"')).status == 200


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (f"{_V3}.v1.0+protobuf", f"{_V3}.v1.0+protobuf"),
        (f"{_V3}@v1.0+protobuf", f"{_V3}.v1.0+protobuf"),
        (f"{_V3}.v1.0+protobuf;q=0.5, application/json", "application/json"),
        ("application/yaml, */*", "application/json"),
        ("application/yaml", None),
    ],
)
async def test_it_comes_in_the_form_that_is_accepted(accept: str, content_type: str | None) -> None:
    answer = await ask(f"{_APPS}?hash={_HASH}", accept=accept)
    assert (answer.status, answer.header("vary")) == (200 if content_type else 406, "Accept")
    if content_type is not None:
        assert (answer.header("content-type"), answer.header("etag")) == (content_type, f'"{_HASH}"')
        assert answer.body == (b'{"openapi":"3.0.0"}' if content_type == "application/json" else b"\n\x053.0.0")


async def test_nobody_serves_it() -> None:
    answer = await ask("/openapi/v3/apis/none/v1")
    assert (answer.status, answer.body) == (404, b"")
