"""What a builder was told, at work: storage, admission, hooks, handlers, flags, and whom the server believes."""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from examples.cats.__main__ import Cat
from examples.files.__main__ import SERVER as FILES
from examples.files.__main__ import Note, NoteV1Beta1, Summary
from generic.client.failures import TransportError
from generic.client.kubeconfig import ClientConfig
from generic.client.rest import Client
from generic.hooks import HookFailed
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.integration.aa.harness import Running, running, until
from tests.support import plane
from trikube import aa
from trikube.pki import issue

pytestmark = pytest.mark.anyio

CATS = Cat.definition.gvr
CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")


def cat(name: str, namespace: str = "default") -> JSONObject:
    head = {"apiVersion": "animal.demo.io/v1alpha1", "kind": "Cat"}
    return {**head, "metadata": {"name": name, "namespace": namespace}, "spec": {"breed": "tabby"}}


def cats() -> aa.APIServer:
    return aa.APIServer("cats").with_resource(Cat).with_local_debug_extension()


# Alone.


async def test_the_examples_files_are_what_it_serves_and_what_is_edited_is_served_next_time(tmp_path: Path) -> None:
    notes, old = Note.definition.gvr, NoteV1Beta1.definition.gvr
    file = tmp_path / "notes" / "registry" / "files.demo.io" / "notes" / "list.json"
    async with running(FILES, tmp_path) as server:
        note = {"apiVersion": "files.demo.io/v1beta1", "kind": "Note", "metadata": {"name": "list"}}
        await server.client.create(old, {**note, "spec": {"text": "milk\nhay"}})
        on_disk = orjson.loads(file.read_bytes())
        assert (on_disk["apiVersion"], on_disk["spec"]) == ("files.demo.io/v1", {"lines": ["milk", "hay"]})
        summary = {"apiVersion": "files.demo.io/v1", "kind": "Summary", "metadata": {}, "text": "a b c"}
        assert (await server.client.create(Summary.definition.gvr, summary))["words"] == 3
    on_disk["spec"]["lines"].append("oats")
    file.write_bytes(orjson.dumps(on_disk))
    async with running(FILES, tmp_path) as server:
        assert (await server.client.get(old, "list"))["spec"]["text"] == "milk\nhay\noats"
        await server.client.delete(notes, "list")
        assert not file.exists()


async def test_strangers_may_only_ask_for_health_and_the_administrator_may_do_everything(tmp_path: Path) -> None:
    async with running(cats(), tmp_path) as server:
        await server.client.create(CATS, cat("tom"))
        async with stranger(server, tmp_path) as nobody:
            assert (await nobody.request("GET", "/readyz")).body == b"ok"
            with pytest.raises(StatusError) as raised:
                await nobody.list(CATS)
            assert raised.value.code == 403
            token = {"authorization": f"Bearer {server.listening.token}"}
            found = await nobody.with_headers(token).list(CATS)
        assert [item["metadata"]["name"] for item in found["items"]] == ["tom"]
    async with running(cats().without_authorization(), tmp_path) as server, stranger(server, tmp_path) as nobody:
        await nobody.delete(CATS, "tom", "default")


class NoRex:
    """Refuses a name that a flag gives."""

    name = "NoRex"

    def __init__(self, setup: aa.Setup) -> None:
        self._banned = setup.options.extra.banned

    def handles(self, attributes: aa.Attributes) -> bool:
        return attributes.operation == "CREATE"

    async def validate(self, attributes: aa.Attributes) -> None:
        if attributes.name == self._banned:
            raise aa.errors.forbidden(attributes.resource.group_resource, attributes.name, "it is banned")


async def test_flags_options_admission_handlers_and_hooks_have_their_say(tmp_path: Path) -> None:
    seen: list[str] = []
    well = True

    def flags(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--banned", default="")

    async def hello(request: Request) -> Response:
        return PlainTextResponse(f"hello {request.query_params['who']}")

    async def check() -> None:
        if not well:
            raise RuntimeError("not well")

    async def started(setup: aa.Setup) -> None:
        found = await setup.loopback.list(CATS)
        seen.append(f"started with {len(found['items'])}")

    async def stopping() -> None:
        seen.append("stopping")

    server = (
        cats()
        .with_flags(flags)
        .with_options(lambda options: replace(options, secure_port=0))
        .with_admission(NoRex)
        .with_handler("/hello", hello)
        .with_server(lambda generic: seen.append(f"made {generic.name}"))
        .with_health_check("mood", check)
        .with_post_start_hook("count", started)
        .with_pre_shutdown_hook("bye", stopping)
    )
    parsed = server.parse(["--banned", "rex", "--standalone-debug-mode", "--secure-port", "1"])
    assert parsed.bind_address == "127.0.0.1"
    async with running(server, tmp_path, extra=parsed.extra, secure_port=1) as served:
        assert (await served.client.request("GET", "/hello", query={"who": "you"})).body == b"hello you"
        with pytest.raises(StatusError, match="it is banned"):
            await served.client.create(CATS, cat("rex"))
        await until(lambda: seen == ["made cats", "started with 0"])
        assert (await served.client.request("GET", "/healthz/mood")).body == b"ok"
        well = False
        assert (await served.client.request("GET", "/readyz", check=False)).status == 500
    assert seen == ["made cats", "started with 0", "stopping"]


async def test_a_post_start_hook_that_fails_ends_the_server(tmp_path: Path) -> None:
    async def fail(setup: aa.Setup) -> None:
        raise RuntimeError("no mouse")

    with pytest.raises(HookFailed, match=r'PostStartHook "hunt" failed: no mouse'):
        async with running(cats().with_post_start_hook("hunt", fail), tmp_path) as served:
            await served.ended


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--secure-port", "70000"), "--secure-port 70000 must be between 0 and 65535"),
        (("--bind-address", "here"), "--bind-address here is not an IP address"),
        (("--tls-cert-file", "x"), "--tls-cert-file and --tls-private-key-file need each other"),
        (("--client-ca-file", "x"), "--client-ca-file and --requestheader-client-ca-file replace what the main"),
        (("--etcd-prefix", "x"), "--etcd-prefix x must begin with a slash"),
        ((), "--kubeconfig is needed to reach the main server: this is no pod with a service account"),
        (("--client-ca-file", "x", "--standalone-debug-mode"), "cannot read x: No such file or directory"),
    ],
)
async def test_options_that_cannot_be_are_one_line(tmp_path: Path, arguments: Sequence[str], why: str) -> None:
    server = cats()
    options = server.parse(["--data-dir", str(tmp_path), *arguments])
    with pytest.raises(aa.OptionsError) as raised:
        await server.run(asyncio.Event(), options)
    assert str(raised.value).startswith(why)


# Behind a main server.


class CopyCat:
    """Admits the cats a ConfigMap of the main server names."""

    name = "CopyCat"

    def __init__(self, setup: aa.Setup) -> None:
        self._maps = setup.informer(CONFIG_MAPS, namespace="default")

    def handles(self, attributes: aa.Attributes) -> bool:
        return attributes.operation == "CREATE"

    async def validate(self, attributes: aa.Attributes) -> None:
        if self._maps.get(attributes.name, attributes.namespace) is None:
            why = "no ConfigMap has its name"
            raise aa.errors.forbidden(attributes.resource.group_resource, attributes.name, why)


async def test_users_rights_namespaces_and_informers_are_the_main_servers(tmp_path: Path) -> None:
    seen: list[str] = []

    async def count(setup: aa.Setup) -> None:
        maps = setup.informer(CONFIG_MAPS, namespace="default")
        await maps.wait_synced()
        seen.extend(obj["metadata"]["name"] for obj in maps.list() if obj["metadata"]["name"] == "tom")

    async with plane.running(tmp_path / "plane") as main:
        await main.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "tom"}})
        behind = {"standalone": False, "kubeconfig": main.options.kubeconfig}
        server = cats().with_admission(CopyCat).with_post_start_hook("count", count)
        async with running(server, tmp_path / "cats", **behind) as served:
            await until(lambda: seen == ["tom"])
            await served.client.request("GET", "/readyz", check=False)
            async with as_user(served, main, tmp_path, "system:masters") as admin:
                await eventually_ready(admin)
                await admin.create(CATS, cat("tom"))
                for wrong, why in ((cat("tim"), "no ConfigMap has its name"), (cat("tom", "x"), "not found")):
                    with pytest.raises(StatusError, match=why):
                        await admin.create(CATS, wrong)
            async with as_user(served, main, tmp_path, "dev") as nobody:
                with pytest.raises(StatusError, match='User "alice" cannot list resource "cats"') as raised:
                    await nobody.list(CATS)
                assert raised.value.code == 403


async def test_authorities_of_flags_replace_those_of_the_main_server(tmp_path: Path) -> None:
    other = issue.new_authority("other-ca")
    ca_file = tmp_path / "other.crt"
    ca_file.write_bytes(other.pem)
    files = {"client_ca_file": ca_file, "requestheader_client_ca_file": ca_file}
    async with plane.running(tmp_path / "plane") as main:
        behind = {"standalone": False, "kubeconfig": main.options.kubeconfig, **files}
        async with running(cats(), tmp_path / "cats", **behind) as served:
            config = ClientConfig(served.listening.url, own_ca(tmp_path))
            leaf = other.issue_client("bob", ("system:masters",))
            async with closing(replace(config, client_cert=leaf.cert, client_key=leaf.key)) as bob:
                assert (await bob.list(CATS))["items"] == []
            leaf = main.plane.pki.cluster.issue_client("alice", ("system:masters",))
            async with closing(replace(config, client_cert=leaf.cert, client_key=leaf.key)) as alice:
                with pytest.raises(TransportError):
                    await alice.list(CATS)


async def eventually_ready(client: Client) -> None:
    async with asyncio.timeout(20):
        while True:
            if (await client.request("GET", "/readyz", check=False)).status == 200:
                return
            await asyncio.sleep(0.02)


def own_ca(folder: Path) -> bytes:
    return (folder / "cats" / "certs" / "ca.crt").read_bytes()


def stranger(served: Running, folder: Path) -> "closing":
    return closing(ClientConfig(served.listening.url, (folder / "certs" / "ca.crt").read_bytes()))


def as_user(served: Running, main: plane.Running, folder: Path, group: str) -> "closing":
    leaf = main.plane.pki.cluster.issue_client("alice", (group,))
    config = ClientConfig(served.listening.url, own_ca(folder), leaf.cert, leaf.key)
    return closing(config)


class closing:
    """A client that is closed at the end."""

    def __init__(self, config: ClientConfig) -> None:
        self._client = Client.connect(config)

    async def __aenter__(self) -> Client:
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
