"""Requests through the proxy to a server behind an APIService."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from generic.types import Receive, Scope, Send
from tests.integration.aggregator.harness import NAME, PATH, Plane, aggregated, answer, backend

pytestmark = pytest.mark.anyio

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FLUNDERS = f"{PATH}/namespaces/default/flunders"


async def ok(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, b'{"kind":"FlunderList"}')


async def test_the_backend_learns_who_asks_from_us_alone(plane: Plane, tmp_path: Path) -> None:
    async with aggregated(plane, tmp_path, ok) as served:
        asked = {
            "x-remote-user": "mallory",
            "x-remote-extra-scopes": "all",
            "connection": "close, x-private",
            "x-private": "1",
            "impersonate-user": "jane",
            "impersonate-uid": "u1",
            "impersonate-group": "system:masters",
            "impersonate-extra-acme.com%2Fproject": "some",
            "audit-id": "a1",
            "traceparent": TRACE,
            "expect": "100-continue",
        }
        response = await plane.http.get(f"{FLUNDERS}?a=%2F&b=", headers=asked)
        assert (response.status_code, response.json()) == (200, {"kind": "FlunderList"})
        seen = served.headers(FLUNDERS)
    assert seen["x-remote-user"] == ["jane"]
    assert seen["x-remote-uid"] == ["u1"]
    assert seen["x-remote-group"] == ["system:masters", "system:authenticated"]
    assert seen["x-remote-extra-acme.com%2fproject"] == ["some"]
    assert seen["audit-id"] == ["a1"]
    assert seen["traceparent"] == [TRACE]
    assert seen["host"] == [f"127.0.0.1:{served.port}"]
    assert seen["x-forwarded-for"] == ["127.0.0.1"]
    assert seen["x-forwarded-uri"] == [FLUNDERS]
    assert seen["x-forwarded-host"] == [plane.listener.url.removeprefix("https://")]
    assert seen["x-forwarded-proto"] == ["https"]
    assert not seen.keys() & {"expect", "authorization", "x-private", "x-remote-extra-scopes", "impersonate-user"}
    scope = served.last(FLUNDERS)
    assert scope["query_string"] == b"a=%2F&b="
    assert scope["extensions"]["tls"]["client_cert_chain"], "the front proxy shows its certificate"


async def test_responses_come_back_as_they_are_but_for_what_concerns_the_connection(
    plane: Plane, tmp_path: Path
) -> None:
    async def packed(scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"location", b"https://169.254.169.254/"), (b"content-encoding", b"zstd"), (b"keep-alive", b"1")]
        await answer(send, b"packed", status=201, headers=headers)

    async with aggregated(plane, tmp_path, packed):
        request = plane.http.build_request("GET", FLUNDERS)
        response = await plane.http.send(request, stream=True)
        raw = b"".join([chunk async for chunk in response.aiter_raw()])
        await response.aclose()
    assert (response.status_code, raw) == (201, b"packed")
    assert response.headers["location"] == "https://169.254.169.254/"
    assert response.headers["content-encoding"] == "zstd"
    assert "keep-alive" not in response.headers


async def test_a_watch_event_arrives_before_the_next_is_sent(plane: Plane, tmp_path: Path) -> None:
    proceed = asyncio.Event()

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"type":"ADDED"}\n', "more_body": True})
        await proceed.wait()
        await send({"type": "http.response.body", "body": b'{"type":"DELETED"}\n'})

    async with aggregated(plane, tmp_path, watch), plane.http.stream("GET", f"{FLUNDERS}?watch=true") as response:
        lines = response.aiter_lines()
        assert await anext(lines) == '{"type":"ADDED"}'
        proceed.set()
        assert await anext(lines) == '{"type":"DELETED"}'


async def test_a_client_that_leaves_takes_its_upstream_connection_along(plane: Plane, tmp_path: Path) -> None:
    left = asyncio.Event()

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    async with aggregated(plane, tmp_path, watch):
        async with plane.http.stream("GET", f"{FLUNDERS}?watch=true") as response:
            assert await anext(response.aiter_lines()) == "{}"
        async with asyncio.timeout(10):
            await left.wait()


async def test_ten_megabytes_stream_through_in_both_directions(plane: Plane, tmp_path: Path) -> None:
    chunk, count = b"x" * (1 << 16), 160

    async def echo_size(scope: Scope, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-size", str(size).encode())]})
        for _ in range(count):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def upload() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield chunk

    async with aggregated(plane, tmp_path, echo_size):
        response = await plane.http.post(FLUNDERS, content=upload())
    assert response.headers["x-size"] == str(len(chunk) * count)
    assert len(response.content) == len(chunk) * count


async def test_a_backend_that_dies_in_mid_answer_leaves_the_client_no_complete_one(
    plane: Plane, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def die(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise OSError("gone")

    async with aggregated(plane, tmp_path, die):
        with pytest.raises(httpx.RemoteProtocolError):
            await plane.http.get(FLUNDERS)
        # A line says so, and no more: it is nothing of ours that failed.
        (told,) = [record for record in caplog.records if "was cut off" in record.message]
        assert "error trying to reach service" in told.message
        assert told.exc_info is None


async def test_a_dead_backend_is_503_at_once_and_unavailable_soon_and_recovers(plane: Plane, tmp_path: Path) -> None:
    async with aggregated(plane, tmp_path, ok, dies=True) as served:
        assert (await plane.http.get(FLUNDERS)).status_code == 200
    response = await plane.http.get(FLUNDERS)
    assert response.status_code == 503
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    refused = f"dial tcp 127.0.0.1:{served.port}: connect: connection refused"
    assert response.text == f"error trying to reach service: {refused}\n"
    held = await plane.condition(lambda held: held["status"] == "False")
    assert held["reason"] == "FailedDiscoveryCheck"
    url = f"https://127.0.0.1:{served.port}{PATH}"
    assert held["message"] == f'failing or missing response from {url}: Get "{url}": {refused}'
    await plane.until(lambda: not plane.aggregator.table.remote()[0].available)
    response = await plane.http.get(FLUNDERS)
    assert (response.status_code, response.text) == (503, "service unavailable\n")
    assert (await plane.http.get("/api/v1/namespaces")).status_code == 200

    async with backend(plane, tmp_path, ok) as again:
        await plane.move(("127.0.0.1", again.port))
        await plane.available()
        assert (await plane.http.get(FLUNDERS)).status_code == 200


async def test_an_endpoint_that_cannot_be_connected_to_is_passed_over(plane: Plane, tmp_path: Path) -> None:
    async with backend(plane, tmp_path, ok) as served:
        await plane.register(*[(f"127.0.0.{number}", served.port) for number in (2, 3, 4, 1)])
        await plane.available()
        answers = [await plane.http.post(FLUNDERS, json={}) for _ in range(10)]
    assert {one.status_code for one in answers} == {200}


@pytest.mark.parametrize("wrong", ["authority", "name"])
async def test_a_backend_with_the_wrong_certificate_is_not_available(plane: Plane, tmp_path: Path, wrong: str) -> None:
    names = ("other.default.svc",) if wrong == "name" else ("api.default.svc",)
    ca = plane.pki.front_proxy.pem if wrong == "authority" else None
    async with backend(plane, tmp_path, ok, names=names) as served:
        await plane.register(("127.0.0.1", served.port), ca=ca)
        held = await plane.condition(lambda held: held["status"] == "False" and "x509" in held["message"])
        assert held["reason"] == "FailedDiscoveryCheck"
        why = {
            "authority": "certificate signed by unknown authority",
            "name": "certificate is not valid for 'api.default.svc'",
        }
        assert f"tls: failed to verify certificate: x509: {why[wrong]}" in held["message"]
        assert (await plane.http.get(FLUNDERS)).text == "service unavailable\n"
        assert not [scope for scope in served.seen if scope["path"] == FLUNDERS]


async def test_who_is_trusted_can_be_changed_under_way(plane: Plane, tmp_path: Path) -> None:
    async with backend(plane, tmp_path, ok) as served:
        await plane.register(("127.0.0.1", served.port), ca=plane.pki.front_proxy.pem)
        await plane.condition(lambda held: held["status"] == "False")
        await plane.change(caBundle=None, insecureSkipTLSVerify=True)
        await plane.available()
        assert (await plane.http.get(FLUNDERS)).status_code == 200


async def test_a_watch_through_the_proxy_ends_cleanly_when_the_server_stops(plane: Plane, tmp_path: Path) -> None:
    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async with (
        aggregated(plane, tmp_path, watch, dies=True),
        plane.http.stream("GET", f"{FLUNDERS}?watch=true") as response,
    ):
        lines = response.aiter_lines()
        assert await anext(lines) == "{}"
        plane.in_flight.begin_drain()
        assert [line async for line in lines] == []


async def test_the_trace_shows_the_hops_on_both_sides_once(plane: Plane, tmp_path: Path) -> None:
    async def traced(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, headers=[(b"trikube-trace", b"wardle=serve;t=12, store=get;t=80")])

    async with aggregated(plane, tmp_path, traced):
        response = await plane.http.get(FLUNDERS, headers={"trikube-trace": "1"})
        assert len(response.headers.get_list("trikube-trace")) == 1
        hops = [hop.partition(";")[0] for hop in response.headers["trikube-trace"].split(", ")]
        assert "trikube-trace" not in (await plane.http.get(FLUNDERS)).headers
    assert hops[-3:] == [f"aggregator=proxy:{NAME}", "wardle=serve", "store=get"]


async def test_a_watch_outlives_a_change_of_whom_to_trust(plane: Plane, tmp_path: Path) -> None:
    proceed = asyncio.Event()

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"1\n", "more_body": True})
        await proceed.wait()
        await send({"type": "http.response.body", "body": b"2\n"})

    async with aggregated(plane, tmp_path, watch), plane.http.stream("GET", f"{FLUNDERS}?watch=true") as response:
        lines = response.aiter_lines()
        assert await anext(lines) == "1"
        await plane.change(caBundle=None, insecureSkipTLSVerify=True)
        await plane.until(lambda: plane.aggregator.table.remote()[0].insecure)
        proceed.set()
        assert (await plane.http.get(FLUNDERS)).text == "1\n2\n"
        assert await anext(lines) == "2"


async def test_a_renewed_front_proxy_certificate_is_used_without_a_restart(plane: Plane, tmp_path: Path) -> None:
    async with aggregated(plane, tmp_path, ok) as served:
        renewed = plane.pki.front_proxy.issue_client("front-proxy-client-2")
        plane.pki.front_proxy_client_key.write_bytes(renewed.key)
        plane.pki.front_proxy_client_cert.write_bytes(renewed.cert)

        async def shown() -> str:
            await plane.http.get(FLUNDERS)
            return str(served.last(FLUNDERS)["extensions"]["tls"]["client_cert_name"])

        async with asyncio.timeout(10):
            while "front-proxy-client-2" not in await shown():
                pass


async def test_a_request_that_goes_round_in_circles_is_stopped(plane: Plane, tmp_path: Path) -> None:
    async with aggregated(plane, tmp_path, ok):
        assert (await plane.http.get(FLUNDERS, headers={"x-forwarded-for": ",".join("a" * 16)})).status_code == 200
        response = await plane.http.get(FLUNDERS, headers={"x-forwarded-for": ",".join("a" * 17)})
    assert (response.status_code, response.json()["reason"]) == (508, "LoopDetected")
