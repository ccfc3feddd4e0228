"""Subresources that take the connection over: logs that stream, exec over a WebSocket (examples/podlogs)."""

import asyncio
from pathlib import Path

import orjson
import pytest

from examples.podlogs.__main__ import FOLLOWERS, SERVER, Program
from generic.meta.errors import StatusError
from tests.integration.aa.harness import Running, raw, running, talking, until
from trikube.aa import connection as channel

pytestmark = pytest.mark.anyio

PROGRAMS = Program.definition.gvr
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
