"""The sample aggregated API server behind a main server: whom to trust, who a token is and who may do what, it asks."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from generic.authentication import delegated_config
from generic.authentication.delegated import DelegationError
from generic.client.failures import TransportError
from generic.client.informer import INITIAL_EVENTS_END
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupResource
from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.types import JSONObject, Receive, Scope, Send
from tests.integration.wardle.harness import AS_ALICE, OLD, flunder, running
from tests.unit.client.fake_api import FakeAPI, configmap, read_body, reply
from trikube import kubeconfig
from trikube.pki import issue
from trikube.pki.layout import Layout

pytestmark = pytest.mark.anyio


ADMISSION = "/apis/admissionregistration.k8s.io/v1"


def trust(pki: Layout, front_proxy: issue.Authority) -> JSONObject:
    return configmap(
        delegated_config.NAME,
        delegated_config.NAMESPACE,
        **{
            "client-ca-file": pki.cluster.pem.decode(),
            "requestheader-client-ca-file": front_proxy.pem.decode(),
            "requestheader-username-headers": '["X-Remote-User"]',
            "requestheader-group-headers": '["X-Remote-Group"]',
            "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
            "requestheader-allowed-names": '["front-proxy-client"]',
        },
    )


class MainServer:
    """ConfigMaps, TokenReview (`carols-token` is carol's) and SubjectAccessReview (alice and carol may do anything).

    There are no webhooks, and no such thing as policies. Namespaces are `default` and one that is being
    terminated; `new` cannot be listed, only got.
    """

    def __init__(self) -> None:
        self.api = FakeAPI()
        self.reviewed: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/api/v1/namespaces") and "configmaps" not in scope["path"]:
            await self._namespaces(scope["path"].removeprefix("/api/v1/namespaces").strip("/"), receive, send)
            return
        if scope["path"] == ADMISSION:
            await reply(send, {"kind": "APIResourceList", "resources": []})
            return
        if scope["path"].startswith(ADMISSION):
            await _follow([], receive, send)
            return
        if not scope["path"].startswith("/apis/auth"):
            await self.api(scope, receive, send)
            return
        review = orjson.loads(await read_body(receive))
        spec = review["spec"]
        self.reviewed.append(review["kind"])
        if review["kind"] == "TokenReview":
            known = spec["token"] == "carols-token"
            status: JSONObject = {"authenticated": True, "user": {"username": "carol"}} if known else {"user": {}}
        else:
            status = {"allowed": spec["user"] in ("alice", "carol"), "reason": "RBAC"}
        await reply(send, {**review, "status": status}, status=201)

    async def _namespaces(self, name: str, receive: Receive, send: Send) -> None:
        if name:
            missing = errors.not_found(GroupResource("", "namespaces"), name)
            known = name == "new"
            await reply(send, namespace(name) if known else missing.to_status(), status=200 if known else 404)
            return
        await _follow([namespace("default"), namespace("old", "Terminating")], receive, send)


async def _follow(found: list[JSONObject], receive: Receive, send: Send) -> None:
    """A watch that begins with all there is, and goes on."""
    end = {"metadata": {"resourceVersion": "2", "annotations": {INITIAL_EVENTS_END: "true"}}}
    events = [*({"type": "ADDED", "object": obj} for obj in found), {"type": "BOOKMARK", "object": end}]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    body = b"".join(orjson.dumps(event) + b"\n" for event in events)
    await send({"type": "http.response.body", "body": body, "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


def namespace(name: str, phase: str = "Active") -> JSONObject:
    return {"metadata": {"name": name, "resourceVersion": "1"}, "status": {"phase": phase}}


@contextlib.asynccontextmanager
async def serving(main: MainServer, folder: Path, pki: Layout) -> AsyncIterator[dict[str, Any]]:
    """The main server over TLS; gives the Options of an aggregated server behind it."""
    serving = SecureServingOptions(
        bind_address="127.0.0.1", port=0, cert_file=pki.serving_cert, key_file=pki.serving_key
    )
    listener = SecureServer(main, serving)
    await listener.start()
    try:
        yield behind(listener.url, folder, pki)
    finally:
        await listener.close()


def behind(url: str, folder: Path, pki: Layout) -> dict[str, Any]:
    leaf = pki.cluster.issue_client("wardle-server")
    path = folder / "kubeconfig"
    kubeconfig.write(path, server=url, ca=pki.cluster.pem, client_cert=leaf.cert, client_key=leaf.key)
    nothing = {"standalone": False, "client_ca_file": None, "requestheader_client_ca_file": None}
    return {**nothing, "kubeconfig": path}


async def test_users_and_rights_are_the_main_servers(tmp_path: Path, pki: Layout) -> None:
    main = MainServer()
    await main.api.put(trust(pki, pki.front_proxy))
    async with serving(main, tmp_path, pki) as options, running(tmp_path, pki, **options) as wardle:
        async with wardle.front_proxy() as alice:
            await alice.create(OLD, flunder("a", reference="x"))
            await alice.create(OLD, flunder("b", reference="x"))
        # One question for both: they differ in nothing that is asked.
        assert main.reviewed == ["SubjectAccessReview"]
        async with wardle.front_proxy({"X-Remote-User": "bob"}) as bob:
            with pytest.raises(StatusError) as raised:
                await bob.list(OLD, "default")
        assert raised.value.message == (
            'flunders.wardle.example.com is forbidden: User "bob" cannot list resource "flunders" '
            'in API group "wardle.example.com" in the namespace "default": RBAC'
        )
        async with wardle.client(None, {"authorization": "Bearer carols-token"}) as carol:
            assert len((await carol.list(OLD))["items"]) == 2
        async with wardle.client(None, {"authorization": "Bearer guess"}) as guesser:
            with pytest.raises(StatusError) as raised:
                await guesser.list(OLD)
        assert raised.value.code == 401


async def test_flunders_live_in_the_main_servers_namespaces(tmp_path: Path, pki: Layout) -> None:
    main = MainServer()
    await main.api.put(trust(pki, pki.front_proxy))
    refused = {}
    async with (
        serving(main, tmp_path, pki) as options,
        running(tmp_path, pki, **options) as wardle,
        wardle.front_proxy() as alice,
    ):
        for name in ("default", "new", "old", "nowhere"):
            obj = flunder("a", reference="x")
            obj["metadata"]["namespace"] = name
            try:
                await alice.create(OLD, obj)
            except StatusError as error:
                refused[name] = (error.code, error.message)
    assert refused == {
        "old": (
            403,
            'flunders.wardle.example.com "a" is forbidden: unable to create new content in namespace old '
            "because it is being terminated",
        ),
        "nowhere": (404, 'namespaces "nowhere" not found'),
    }


async def test_a_front_proxy_of_a_new_authority_gets_in_without_a_restart(tmp_path: Path, pki: Layout) -> None:
    main, new = MainServer(), issue.new_authority("new-front-proxy-ca")
    await main.api.put(trust(pki, pki.front_proxy))
    async with serving(main, tmp_path, pki) as options, running(tmp_path, pki, **options) as wardle:
        leaf = new.issue_client("front-proxy-client")
        async with wardle.client(leaf, AS_ALICE) as client:
            with pytest.raises(TransportError):
                await client.list(OLD)
        await main.api.until(lambda: main.api.watches == 1)
        await main.api.put(trust(pki, new))
        while True:
            async with wardle.client(leaf, AS_ALICE) as client:
                with contextlib.suppress(TransportError):
                    await client.list(OLD)
                    break


async def test_without_the_config_map_it_serves_but_believes_nobody(tmp_path: Path, pki: Layout) -> None:
    main = MainServer()
    async with serving(main, tmp_path, pki) as options, running(tmp_path, pki, **options) as wardle:
        async with wardle.client(None) as stranger:
            assert (await stranger.request("GET", "/healthz")).body == b"ok"
        async with wardle.front_proxy() as alice:
            with pytest.raises(TransportError):
                await alice.list(OLD)


async def test_a_main_server_that_is_not_there_ends_it_and_nothing_stays_open(tmp_path: Path, pki: Layout) -> None:
    options = behind("https://127.0.0.1:1", tmp_path, pki)
    for _ in range(2):  # the second would find the database locked by the first
        with pytest.raises(DelegationError, match="cannot read configmap"):
            async with running(tmp_path, pki, **options):
                pass
