"""Subresources that take the connection over: logs that stream, exec over a WebSocket (examples/podlogs)."""

import asyncio
from pathlib import Path

import orjson
import pytest

from examples.podlogs.__main__ import FOLLOWERS, SERVER, Program
from generic.meta.errors import StatusError
from tests.integration.aa.harness import Running, Talk, raw, running, talking, until
from trikube import aa
from trikube.aa import channels as channel

pytestmark = pytest.mark.anyio

PROGRAMS = Program.definition.gvr
HEAD = {"apiVersion": "screens.demo.io/v1", "kind": "Screen"}
PATH = "/apis/podlogs.demo.io/v1/namespaces/default/programs/p"


async def program(server: Running) -> str:
    obj = {"metadata": {"name": "p", "namespace": "default"}, "spec": {"lines": ["one", "two"]}}
    head = {"apiVersion": "podlogs.demo.io/v1", "kind": "Program"}
    made = await server.client.create(PROGRAMS, {**head, **obj})
    return str(made["metadata"]["uid"])


async def test_a_log_is_sent_whole_or_its_end(tmp_path: Path) -> None:
    async with running(SERVER, tmp_path) as server:
        await program(server)
        whole = await server.client.request("GET", f"{PATH}/log")
        end = await server.client.request("GET", f"{PATH}/log", query={"tailLines": "1"})
        assert (whole.body, end.body) == (b"one\ntwo\n", b"two\n")
        with pytest.raises(StatusError, match="tailLines x is not a number") as raised:
            await server.client.request("GET", f"{PATH}/log", query={"tailLines": "x"})
        assert raised.value.code == 400
        with pytest.raises(StatusError) as raised:
            await server.client.request("POST", f"{PATH}/log")
        assert raised.value.code == 405
        with pytest.raises(StatusError) as raised:
            await server.client.request("GET", f"{PATH}x/log")
        assert raised.value.code == 404


async def test_a_followed_log_goes_on_until_its_reader_leaves(tmp_path: Path) -> None:
    async with running(SERVER, tmp_path) as server:
        uid = await program(server)
        async with raw(server.kubeconfig, f"GET {PATH}/log?follow=true HTTP/1.1") as reader:
            await reader.readuntil(b"two\n")
            await server.client.request("POST", f"{PATH}/say", body={"text": "three"})
            await reader.readuntil(b"three\n")
            assert len(FOLLOWERS[uid]) == 1
        await until(lambda: not FOLLOWERS[uid])
        assert (await server.client.get(PROGRAMS, "p", "default"))["spec"]["lines"] == ["one", "two", "three"]


async def test_a_followed_log_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    async with running(SERVER, tmp_path, shutdown_drain=30.0) as server:
        await program(server)
        async with raw(server.kubeconfig, f"GET {PATH}/log?follow=true HTTP/1.1") as reader:
            await reader.readuntil(b"two\n")
            server.stop.set()
            async with asyncio.timeout(10):
                await server.ended


async def test_exec_echoes_what_it_is_told_and_says_how_it_ended(tmp_path: Path) -> None:
    async with running(SERVER, tmp_path) as server:
        await program(server)
        async with talking(server.kubeconfig, f"{PATH}/exec?command=cat") as talk:
            assert (talk.status, talk.protocol) == (101, "v5.channel.k8s.io")
            for word in (b"miau", b"purr"):
                talk.say(channel.STDIN, word)
                assert await talk.hear() == (channel.STDOUT, word)
            talk.say(channel.CLOSE, bytes((channel.STDIN,)))
            heard = await talk.hear()
            assert heard is not None
            assert (heard[0], orjson.loads(heard[1])["status"]) == (channel.ERROR, "Success")
            assert await talk.hear() is None


async def test_a_command_that_fails_has_an_exit_code(tmp_path: Path) -> None:
    async with running(SERVER, tmp_path) as server:
        await program(server)
        async with talking(server.kubeconfig, f"{PATH}/exec?command=rm&command=x", ("v4.channel.k8s.io",)) as talk:
            assert await talk.hear() == (channel.STDERR, b"rm x: not found\n")
            heard = await talk.hear()
            assert heard is not None
            status = orjson.loads(heard[1])
    assert (status["reason"], status["details"]["causes"]) == (
        "NonZeroExitCode",
        [{"reason": "ExitCode", "message": "127"}],
    )


async def test_exec_without_a_websocket_or_in_another_tongue_is_refused(tmp_path: Path) -> None:
    async with running(SERVER, tmp_path) as server:
        await program(server)
        with pytest.raises(StatusError, match="unable to upgrade: a WebSocket") as raised:
            await server.client.request("GET", f"{PATH}/exec", query={"command": "cat"})
        assert raised.value.code == 400
        async with talking(server.kubeconfig, f"{PATH}/exec?command=cat", ("v9.channel.k8s.io",)) as talk:
            assert talk.status == 400


async def test_a_port_is_forwarded_and_another_says_why_it_is_not(tmp_path: Path) -> None:
    async with running(SERVER, tmp_path) as server:
        await program(server)
        path = f"{PATH}/portforward?ports=7&ports=8"
        async with talking(server.kubeconfig, path, ("v4.channel.k8s.io",)) as talk:
            opened = [await talk.hear() for _ in range(4)]
            assert opened == [(0, b"\x07\x00"), (1, b"\x07\x00"), (2, b"\x08\x00"), (3, b"\x08\x00")]
            assert await talk.hear() == (3, b"nothing listens on port 8")
            talk.say(0, b"ping")
            assert await talk.hear() == (0, b"ping")


@pytest.mark.parametrize(
    "query", ["", "?ports=", "?ports=x", "?ports=0", "?ports=65536", pytest.param(f"?ports={'9' * 5000}", id="endless")]
)
async def test_what_is_no_port_is_refused(tmp_path: Path, query: str) -> None:
    async with running(SERVER, tmp_path) as server:
        await program(server)
        with pytest.raises(StatusError, match="ports must be numbers from 1 to 65535") as raised:
            await server.client.request("GET", f"{PATH}/portforward{query}")
        assert raised.value.code == 400


async def test_a_terminal_says_how_large_it_is(tmp_path: Path) -> None:
    class Screen(aa.Resource, group="screens.demo.io", version="v1", namespaced=False):
        """Screen shows its size for each line."""

        @aa.connect("attach")
        async def attach(self, ctx: aa.Context, connection: aa.Connection) -> None:
            channels = await connection.channels()
            async for _ in channels.stdin():
                await channels.stdout(str(channels.size))
            await channels.exit()

    async with running(aa.APIServer().with_resource(Screen), tmp_path) as server:
        await server.client.create(Screen.definition.gvr, {**HEAD, "metadata": {"name": "s"}})
        async with talking(server.kubeconfig, "/apis/screens.demo.io/v1/screens/s/attach") as talk:
            for size in (b'{"Width":80,"Height":24}', b"nonsense"):
                talk.say(channel.RESIZE, size)
                talk.say(channel.STDIN, b"\n")
                assert await talk.hear() == (channel.STDOUT, b"(80, 24)")


class Bomb(aa.Resource, group="screens.demo.io", version="v1", namespaced=False):
    """Bomb goes off in the middle of an answer."""

    @aa.connect("attach")
    async def attach(self, ctx: aa.Context, connection: aa.Connection) -> None:
        channels = await connection.channels()
        if connection.query_params.get("how") == "refuse":
            raise aa.errors.forbidden(Bomb.definition.gvr.group_resource, "b", "not you")
        await channels.stdout("tick")
        raise RuntimeError("boom")

    @aa.connect("log")
    async def log(self, ctx: aa.Context, connection: aa.Connection) -> None:
        await connection.write("tick\n")
        raise RuntimeError("boom")

    @aa.connect("file")
    async def file(self, ctx: aa.Context, connection: aa.Connection) -> None:
        raise FileNotFoundError("no such bomb")

    @aa.connect("talk")
    async def talk(self, ctx: aa.Context, connection: aa.Connection) -> None:
        await connection.websocket().accept()
        raise RuntimeError("boom")


async def test_what_goes_wrong_in_the_middle_is_told_and_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = "/apis/screens.demo.io/v1/bombs/b"
    async with running(aa.APIServer().with_resource(Bomb), tmp_path) as server:
        bomb = {"apiVersion": "screens.demo.io/v1", "kind": "Bomb", "metadata": {"name": "b"}}
        await server.client.create(Bomb.definition.gvr, bomb)
        async with talking(server.kubeconfig, f"{path}/attach") as talk:
            assert await talk.hear() == (channel.STDOUT, b"tick")
            assert await _failure(talk) == (500, "Internal error occurred: Bomb/attach raised RuntimeError: boom")
        async with talking(server.kubeconfig, f"{path}/attach?how=refuse") as talk:
            assert await _failure(talk) == (403, 'bombs.screens.demo.io "b" is forbidden: not you')
        async with talking(server.kubeconfig, f"{path}/talk", ()) as talk:
            assert (await talk.event()).code == 1011
        async with raw(server.kubeconfig, f"GET {path}/log HTTP/1.1") as reader:
            answer = await reader.read()
        with pytest.raises(StatusError, match="Bomb/file raised FileNotFoundError: no such bomb"):
            await server.client.request("GET", f"{path}/file")
    # Without the last chunk: the client sees that something is missing.
    assert answer.endswith(b"tick\n\r\n")
    assert "Traceback" not in caplog.text


async def _failure(talk: Talk) -> tuple[int, str]:
    heard = await talk.hear()
    assert heard is not None
    assert heard[0] == channel.ERROR
    status = orjson.loads(heard[1])
    assert await talk.hear() is None
    return status["code"], status["message"]
