"""The wardle server, run as its process runs it but in the test's own, and clients of it over TLS."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.wardle import v1alpha1, v1beta1
from examples.wardle.__main__ import SERVER
from generic.client.kubeconfig import ClientConfig
from generic.client.rest import Client
from generic.types import JSONObject
from trikube import aa
from trikube.pki import issue
from trikube.pki.layout import Layout

OLD, NEW = v1alpha1.Flunder.definition.gvr, v1beta1.Flunder.definition.gvr
FISCHERS = v1alpha1.Fischer.definition.gvr
AS_ALICE = {"X-Remote-User": "alice", "X-Remote-Group": "dev"}


@dataclass(frozen=True)
class Wardle:
    """A running server. `stop` ends it; `ended` is done when it has."""

    listener: aa.Listening
    pki: Layout
    stop: asyncio.Event
    ended: asyncio.Task[None]

    @contextlib.asynccontextmanager
    async def client(
        self, leaf: issue.Issued | None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Client]:
        """A client with this certificate and these headers on each call."""
        config = ClientConfig(
            server=self.listener.url,
            ca=self.pki.cluster.pem,
            client_cert=leaf.cert if leaf else None,
            client_key=leaf.key if leaf else None,
        )
        client = Client.connect(config)
        try:
            yield client.with_headers(headers or {})
        finally:
            await client.aclose()

    def front_proxy(self, headers: Mapping[str, str] | None = None) -> Any:
        """A client that is the front proxy, and says who asks."""
        leaf = self.pki.front_proxy.issue_client("front-proxy-client")
        return self.client(leaf, AS_ALICE if headers is None else headers)


@contextlib.asynccontextmanager
async def running(folder: Path, pki: Layout, **changes: Any) -> AsyncIterator[Wardle]:
    """Standalone unless told otherwise; `changes` are Options. Stopped, and its failure told, at the end."""
    serving = pki.cluster.issue_serving(["127.0.0.1"])
    cert, key = folder / "tls.crt", folder / "tls.key"
    cert.write_bytes(serving.cert)
    key.write_bytes(serving.key)
    settings: dict[str, Any] = {
        "data_dir": folder / "data",
        "tls_cert_file": cert,
        "tls_private_key_file": key,
        "bind_address": "127.0.0.1",
        "secure_port": 0,
        "standalone": True,
        "client_ca_file": pki.ca_cert,
        "requestheader_client_ca_file": pki.front_proxy_ca_cert,
        "requestheader_allowed_names": ("front-proxy-client",),
        **changes,
    }
    options = aa.Options(**settings)
    stop = asyncio.Event()
    listening: asyncio.Future[aa.Listening] = asyncio.get_running_loop().create_future()
    ended = asyncio.ensure_future(SERVER.run(stop, options, on_listening=listening.set_result))
    try:
        ended.add_done_callback(lambda _: listening.cancel())
        await asyncio.wait({listening})
        if ended.done():
            await ended
        yield Wardle(listening.result(), pki, stop, ended)
    finally:
        stop.set()
        await ended


def flunder(name: str, version: str = "v1alpha1", **spec: str) -> JSONObject:
    return {
        "apiVersion": f"wardle.example.com/{version}",
        "kind": "Flunder",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }
