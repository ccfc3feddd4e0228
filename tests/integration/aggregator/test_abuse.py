"""A server behind an APIService that means harm, or does not know better: its callers are told, nobody else notices."""

import asyncio
import datetime
import gc
import logging
import os
import tracemalloc
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

import httpx
import pytest

from tests.integration.aggregator.harness import PATH, Plane, backend
from tests.integration.aggregator.rawbackend import Asked, RawBackend, raw_aggregated
from tests.integration.aggregator.rawbackend import answer as response_of
from tests.integration.aggregator.test_memory import traced

pytestmark = pytest.mark.anyio

FLUNDERS = f"{PATH}/namespaces/default/flunders"
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


async def flood(asked: Asked) -> None:
    while True:
        await asked.say(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


async def giant_head(asked: Asked) -> None:
    await asked.say(OK)
    while True:
        await asked.say(b"x-big: " + b"x" * 60_000 + b"\r\n")


async def silence(asked: Asked) -> None:
    await asked.reader.read()


async def hang_up(asked: Asked) -> None:
    """Says nothing."""


async def half(asked: Asked) -> None:
    await asked.say(OK + b"content-length: 100\r\n\r\nhalf of it")


async def half_a_chunk(asked: Asked) -> None:
    await asked.say(OK + b"transfer-encoding: chunked\r\n\r\nff\r\nhalf of it")


async def endless(asked: Asked) -> None:
    await asked.say(OK + b"transfer-encoding: chunked\r\n\r\n")
    while True:
        await asked.say(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")


async def drip(asked: Asked) -> None:
    await asked.say(OK + b"content-length: 1000000\r\n\r\n")
    while True:
        await asked.say(b"x")
        await asyncio.sleep(0.005)


def says(data: bytes) -> Callable[[Asked], Awaitable[None]]:
    async def say(asked: Asked) -> None:
        await asked.say(data)

    return say


REDIRECT = b"the backend attempted to redirect this request, which is not permitted"
MALFORMED = b"error trying to reach service: net/http: HTTP/1.x transport connection broken: "
MOVED = b"HTTP/1.1 307 X\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
ANSWERED: Mapping[str, tuple[Callable[[Asked], Awaitable[None]], int, bytes]] = {
    "flood": (flood, 503, b"error trying to reach service: net/http: too many 1xx informational responses"),
    "giant-head": (giant_head, 503, MALFORMED + b"server response headers are too long"),
    "hang-up": (hang_up, 503, b"error trying to reach service: EOF"),
    "no-http": (says(b"SSH-2.0-x\r\n\r\n"), 503, MALFORMED + b'malformed HTTP response "SSH-2.0-x"'),
    "unasked-switch": (
        says(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"),
        503,
        MALFORMED + b"backend tried to switch protocol unasked",
    ),
    "two-lengths": (
        says(OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\nxx"),
        503,
        MALFORMED + b"http: message cannot contain multiple Content-Length headers",
    ),
    "control-characters": (
        says(OK + b"x-a: b\0c\r\ncontent-length: 0\r\n\r\n"),
        503,
        MALFORMED + b'malformed MIME header line: "x-a: b\\x00c"',
    ),
    "no-such-status": (says(b"HTTP/1.1 abc\r\n\r\n"), 503, MALFORMED + b'malformed HTTP status code "abc"'),
    "no-json": (says(response_of(b"{]")), 200, b"{]"),
    "elsewhere": (says(MOVED), 502, REDIRECT),
}
BROKEN_OFF = {"half": half, "half-a-chunk": half_a_chunk}
GOING_ON = {"endless": endless, "drip": drip, "silence": silence}


async def behave(asked: Asked) -> None:
    """As the path says."""
    how = asked.line.split(" ")[1].partition("?")[0].rpartition("/")[2]
    known = {**{name: one[0] for name, one in ANSWERED.items()}, **BROKEN_OFF, **GOING_ON}
    await known[how](asked)


async def leave(plane: Plane, served: RawBackend, how: str) -> None:
    """Ask, and go away once it has begun to answer or, where it never does, has been asked."""
    if how == "silence":
        # Not sooner: a client cancelled in its handshake leaves a socket open on its own side.
        mark = uuid.uuid4().hex
        asking = asyncio.create_task(plane.http.get(f"{FLUNDERS}/{how}?{mark}"))
        await plane.until(lambda: asking.done() or any(mark in asked.line for asked in served.seen))
        asking.cancel()
        await asyncio.wait((asking,))
        return
    async with asyncio.timeout(10), plane.http.stream("GET", f"{FLUNDERS}/{how}") as response:
        await anext(response.aiter_raw())


async def gone(plane: Plane, served: RawBackend) -> None:
    """Return when nothing of a request is left: a connection for what the aggregator itself asks may be."""
    await plane.until(lambda: plane.aggregator.connections.users == 0)
    await plane.until(lambda: all(asked.writer.transport.is_closing() for asked in served.seen))


async def test_every_misbehaviour_has_an_answer_and_others_get_theirs(plane: Plane, tmp_path: Path) -> None:
    async with raw_aggregated(plane, tmp_path, behave) as served:
        for how, (_, status, body) in ANSWERED.items():
            response = await plane.http.get(f"{FLUNDERS}/{how}")
            assert (how, response.status_code) == (how, status), response.text
            assert response.content.startswith(body), response.text
            assert (await plane.http.get("/api/v1/namespaces/default")).status_code == 200
        for how in BROKEN_OFF:
            with pytest.raises(httpx.RemoteProtocolError):
                await plane.http.get(f"{FLUNDERS}/{how}")
        response = await plane.http.get(f"{FLUNDERS}/silence?timeout=100ms")
        assert (response.status_code, response.json()["reason"]) == (504, "Timeout")
        await gone(plane, served)


@pytest.mark.timeout(180)
async def test_misbehaviour_leaves_nothing_behind(
    plane: Plane, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # A captured log record keeps the frames of its traceback, and so all that the request held.
    caplog.set_level(logging.CRITICAL + 1)
    async with raw_aggregated(plane, tmp_path, behave) as served:
        hows = [*ANSWERED, *BROKEN_OFF, *GOING_ON]

        async def round_of_all() -> int:
            async def one(how: str) -> None:
                try:
                    await leave(plane, served, how)
                except (httpx.HTTPError, StopAsyncIteration, TimeoutError):
                    pass

            await asyncio.gather(*(one(how) for how in hows for _ in range(3)))
            await gone(plane, served)
            # Whether it may be asked at all changes under such treatment.
            await plane.available()
            asked = len(served.seen)
            served.seen.clear()
            return asked

        await round_of_all()
        with traced():
            await round_of_all()
            allowed = _held().at_most_more(tasks=5, descriptors=5, objects=250, memory=2 << 20)
            asked = [await round_of_all() for _ in range(6)]
            await plane.until(lambda: _held().within(allowed))
        assert sum(asked) > 240, "what each left behind would show"


@dataclass(frozen=True)
class Held:
    """By this process: tasks, file descriptors, objects the garbage collector knows of, bytes of Python's memory."""

    tasks: int
    descriptors: int
    objects: int
    memory: int

    def at_most_more(self, *, tasks: int, descriptors: int, objects: int, memory: int) -> "Held":
        """With room for the connection or two that are kept for the next request."""
        return Held(self.tasks + tasks, self.descriptors + descriptors, self.objects + objects, self.memory + memory)

    def within(self, allowed: "Held") -> bool:
        return all(now <= then for now, then in zip(astuple(self), astuple(allowed), strict=True))


def _held() -> Held:
    gc.collect()
    memory, _ = tracemalloc.get_traced_memory()
    return Held(len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd")), len(gc.get_objects()), memory)


async def test_others_are_answered_while_a_server_floods_drips_and_stays_silent(plane: Plane, tmp_path: Path) -> None:
    async with raw_aggregated(plane, tmp_path, behave) as served:
        bad = [asyncio.create_task(plane.http.get(f"{FLUNDERS}/{how}")) for how in ("endless", "drip", "silence") * 2]
        await plane.until(lambda: len(served.seen) == len(bad))
        for _ in range(50):
            assert (await plane.http.get("/apis/apps/v1")).status_code == 200
        assert not any(task.done() for task in bad)
        for task in bad:
            task.cancel()
        await asyncio.wait(bad)
        await gone(plane, served)


async def test_an_endless_body_is_not_collected(plane: Plane, tmp_path: Path) -> None:
    poured = 0

    async def pour(asked: Asked) -> None:
        nonlocal poured
        await asked.say(OK + b"transfer-encoding: chunked\r\n\r\n")
        while True:
            await asked.say(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            poured += 0x10000

    async with raw_aggregated(plane, tmp_path, pour) as served:
        async with plane.http.stream("GET", FLUNDERS) as response:
            await anext(response.aiter_raw())
            last = -1
            while last != poured:
                last = poured
                await asyncio.sleep(0.1)
            assert poured < 30 << 20, "it waits for its reader"
        await gone(plane, served)


@pytest.mark.parametrize("wrong", ["expired", "foreign"])
async def test_a_server_with_a_certificate_not_to_be_trusted_is_never_asked(
    plane: Plane, tmp_path: Path, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if wrong == "expired":
        past = datetime.timedelta(minutes=-4)
        issue = type(plane.pki.cluster).issue_serving
        monkeypatch.setattr(
            type(plane.pki.cluster), "issue_serving", lambda self, names: issue(self, names, lifetime=past)
        )
    authority = plane.pki.front_proxy.pem if wrong == "foreign" else None

    async def ok(*_: object) -> None:
        raise AssertionError("it was asked")

    why = {"expired": "certificate has expired or is not yet valid", "foreign": "signed by unknown authority"}
    async with backend(plane, tmp_path, ok) as served:
        await plane.register(("127.0.0.1", served.port), ca=authority)
        held = await plane.condition(lambda held: "x509" in held["message"])
        assert (held["status"], held["reason"]) == ("False", "FailedDiscoveryCheck")
        assert why[wrong] in held["message"]
        assert (await plane.http.get(FLUNDERS)).status_code == 503
    assert served.seen == []
