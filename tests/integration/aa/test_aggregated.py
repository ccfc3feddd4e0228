"""A server registered with an aggregator: its objects, its streams and its WebSockets go through."""

import asyncio
from pathlib import Path

import orjson
import pytest

from examples.podlogs.__main__ import SERVER, Program
from tests.integration.aa.harness import raw, running, talking
from tests.support import plane
from trikube.aa import channels as channel
from trikube.aa import registration

pytestmark = pytest.mark.anyio

VERSION = Program.definition.group_version
PATH = f"{VERSION.path}/namespaces/default/programs"


async def test_objects_logs_and_exec_go_through_the_aggregator(tmp_path: Path) -> None:
    async with plane.running(tmp_path / "plane") as main:
        behind = {"standalone": False, "kubeconfig": main.options.kubeconfig}
        async with running(SERVER, tmp_path / "aa", **behind) as served:
            await register(main, served.listening.port, (tmp_path / "aa" / "certs" / "ca.crt").read_bytes())
            lines = {"apiVersion": str(VERSION), "kind": "Program", "metadata": {"name": "p"}, "spec": {"lines": ["a"]}}
            await main.create(PATH, lines)
            assert (await main.http.get(f"{PATH}/p/log")).text == "a\n"
            async with raw(main.options.kubeconfig, f"GET {PATH}/p/log?follow=1 HTTP/1.1") as reader:
                await reader.readuntil(b"a\n")
                await main.create(f"{PATH}/p/say", {"text": "miau"})
                await reader.readuntil(b"miau\n")
            async with talking(main.options.kubeconfig, f"{PATH}/p/exec?command=cat") as talk:
                assert (talk.status, talk.protocol) == (101, "v5.channel.k8s.io")
                talk.say(channel.STDIN, b"purr")
                assert await talk.hear() == (channel.STDOUT, b"purr")


async def register(main: plane.Running, port: int, ca: bytes) -> None:
    """Apply what the program prints, and wait until the aggregator has asked it."""
    paths = {
        "Namespace": "/api/v1/namespaces",
        "Service": "/api/v1/namespaces/podlogs/services",
        "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/podlogs/endpointslices",
        "APIService": "/apis/apiregistration.k8s.io/v1/apiservices",
    }
    for obj in registration.objects("podlogs", [VERSION], address="127.0.0.1", port=port, ca=ca):
        await main.create(paths[obj["kind"]], obj)
    path = f"{paths['APIService']}/{VERSION.version}.{VERSION.group}"
    async with asyncio.timeout(20):
        while True:
            found = orjson.loads((await main.http.get(path)).content)
            conditions = (found.get("status") or {}).get("conditions") or ()
            if any(each["type"] == "Available" and each["status"] == "True" for each in conditions):
                return
            await asyncio.sleep(0.02)
