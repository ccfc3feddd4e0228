"""What a router refuses by itself, and in which words."""

import pytest

from generic.endpoints import routes
from tests.support.asgi import call
from tests.support.chain import chain, ok

pytestmark = pytest.mark.anyio

JSON, YAML = "application/json", "application/yaml"
APP = chain(routes.get_only(ok, (JSON, YAML), consumes=(JSON,)))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": f"text/html, {YAML};q=0.1"},
        {"Accept": f"{JSON};as=Nothing;g=x;v=v1"},
        {"Accept": "text/html, */*;q=0.8"},
        {"Content-Type": f"{JSON}; charset=utf-8"},
    ],
)
async def test_what_names_a_type_comes_through_whatever_else_it_says(headers: dict[str, str]) -> None:
    assert (await call(APP, headers=headers)).status == 200


@pytest.mark.parametrize("accept", ["text/html", "application/*", "application/cbor, text/plain"])
async def test_other_types_are_not_acceptable(accept: str) -> None:
    answer = (await call(APP, headers={"Accept": accept})).json()
    assert (answer["code"], answer["reason"], answer["details"]) == (406, "NotAcceptable", {})
    assert answer["message"] == f"406: Not Acceptable\n\nAvailable representations: {JSON}, {YAML}"


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
async def test_there_is_a_route_for_get_alone(method: str) -> None:
    # It is said of the method, whatever else is wrong.
    answer = await call(APP, method=method, headers={"Accept": "text/html"})
    assert answer.status == 405
    if method != "HEAD":
        assert answer.json()["message"] == "the server does not allow this method on the requested resource"


async def test_a_body_of_an_unknown_type_is_refused_before_the_answer() -> None:
    answer = (await call(APP, headers={"Content-Type": "text/plain", "Accept": "text/html"})).json()
    assert (answer["code"], answer["message"], answer["details"]) == (415, "415: Unsupported Media Type", {})
