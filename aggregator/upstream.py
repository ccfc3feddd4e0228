"""Upstream: any Kubernetes API server as the delegate of this tier, where it runs alone.

Made by `trikube/standalone.py` from a kubeconfig, whose user acts for others: each request goes on as who asked it, by
impersonation. What its own server would say of itself to a tier in front (paths, discovery, OpenAPI) is fetched beside
the requests. Takes the place of the delegate of `kube-aggregator/pkg/cmd/server/start.go`.
"""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from aggregator.controllers import discovery_documents
from aggregator.controllers.discovery import ACCEPT, AGGREGATED, REFRESH_SECONDS
from aggregator.proxy import fetching, headers
from aggregator.proxy.backends import Answer, answer_of
from aggregator.proxy.call import Call
from aggregator.proxy.connections import ConnectionSet
from aggregator.proxy.exchange import Exchange, refuse
from aggregator.proxy.failures import Unreachable
from aggregator.proxy.fetching import Fetched, FetchError
from generic.client.kubeconfig import ClientConfig, KubeconfigError
from generic.client.resolving import Address
from generic.delegation import EmptyDelegate
from generic.endpoints.discovery.aggregated import DiscoveryManager, Entry, Source
from generic.endpoints.openapi.v3 import Document
from generic.health import HealthCheck
from generic.meta import untrusted
from generic.meta.gvk import GroupVersion
from generic.request import context
from generic.request.user import LOOPBACK_USER
from generic.types import Receive, Scope, Send

_HTTPS_PORT = 443
_OPENAPI = "/openapi/v3"
_JSON = "application/json"

_LOG = logging.getLogger(__name__)


class UpstreamError(Exception):
    """The server cannot be used as a delegate; the message is one line."""


class Upstream(EmptyDelegate):
    """Proxies whatever reaches it. `load` it before a server is built on it."""

    def __init__(self, config: ClientConfig, discovery: DiscoveryManager) -> None:
        """Raises UpstreamError, KubeconfigError."""
        url = urlsplit(config.server)
        if url.scheme != "https" or not url.hostname:
            raise UpstreamError(f"{config.server} is not an https URL")
        self._config = config
        self._discovery = discovery
        self._address = Address(url.hostname, url.port or _HTTPS_PORT)
        self._prefix = url.path.rstrip("/").encode()
        self._connections = ConnectionSet(config.ssl_context, config.tls_server_name or url.hostname)
        self._paths: list[str] = []
        self._group_versions: list[GroupVersion] = []
        self._etag = ""
        self._documents: dict[str, tuple[str, Document]] = {}
        self._refreshing: asyncio.Task[None] | None = None

    # As a delegate.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = context.ensure(scope)
        request.trace.add("upstream", f"proxy:{self._address}")
        if request.user is None:
            await refuse(scope, send, "missing user", status=500)
            return
        identity = self._credentials()
        # This server itself is whom its kubeconfig says: it may not be trusted with more.
        if request.user != LOOPBACK_USER:
            identity += headers.impersonation(request.user)
        await Exchange(self._answer, identity).run(scope, receive, send)

    def listed_paths(self) -> list[str]:
        return self._paths

    def group_versions(self) -> Sequence[GroupVersion]:
        """What it serves at the moment, whoever does so behind it."""
        return self._group_versions

    def openapi_v3(self) -> Mapping[str, Document]:
        return {path: document for path, (_, document) in self._documents.items()}

    def health_checks(self) -> Sequence[HealthCheck]:
        async def ready() -> None:
            answer = await self._get("/readyz", "text/plain")
            if answer.status != 200:
                raise UpstreamError(f"{answer.url} answered {answer.status}")

        return (HealthCheck("upstream", ready),)

    async def destroy(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait((self._refreshing,))
        self._connections.close()

    # What it has.

    async def load(self) -> None:
        """Find out which paths it serves. Raises UpstreamError."""
        try:
            paths = untrusted.decoded(await self._ok("/", _JSON)).get("paths")
        except (FetchError, ValueError, KubeconfigError) as error:
            raise UpstreamError(f"{self._config.server}: {error}") from error
        if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
            raise UpstreamError(f"{self._config.server} does not list its paths")
        self._paths = paths
        self._group_versions = list(_group_versions(paths))

    async def start(self) -> None:
        """A post-start hook: know its resources, then its documents, and go on following both."""
        await self._try(self._refresh_discovery)
        self._refreshing = asyncio.create_task(self._follow(), name="upstream-documents")

    async def _follow(self) -> None:
        while True:
            await self._try(self._refresh_openapi)
            await asyncio.sleep(REFRESH_SECONDS)
            await self._try(self._refresh_discovery)

    async def _try(self, refresh: Callable[[], Awaitable[None]]) -> None:
        try:
            await refresh()
        except (FetchError, ValueError, KubeconfigError) as error:
            _LOG.warning("what is known of %s may be old: %s", self._config.server, error)

    async def _refresh_discovery(self) -> None:
        answer = await self._get("/apis", ACCEPT, etag=self._etag)
        if answer.status != 200 or AGGREGATED not in answer.headers.get("content-type", ""):
            return
        document = untrusted.decoded(answer.body)
        listed = discovery_documents.listed(document)
        for group_version, fresh in listed.items():
            resources = discovery_documents.aggregated(document, group_version)
            self._discovery.put(Entry(group_version, resources, Source.BUILTIN, fresh=fresh))
        for gone in set(self._group_versions) - set(listed):
            self._discovery.remove(gone, Source.BUILTIN)
        self._group_versions = list(listed)
        self._etag = answer.headers.get("etag", "")

    async def _refresh_openapi(self) -> None:
        root = untrusted.decoded(await self._ok(_OPENAPI, _JSON)).get("paths")
        found: dict[str, tuple[str, Document]] = {}
        for path, entry in (root if isinstance(root, dict) else {}).items():
            url = entry.get("serverRelativeURL") if isinstance(entry, dict) else None
            if not isinstance(url, str) or not url.startswith(f"{_OPENAPI}/"):
                continue
            held = self._documents.get(path)
            if held is None or held[0] != url:
                body = await self._ok(url, _JSON)
                held = url, Document(partial(untrusted.decoded, body))
            found[path] = held
        self._documents = found

    # How it is asked.

    def _answer(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        whole = replace(call, target=self._prefix + call.target) if self._prefix else call
        return answer_of(self._connections, (self._address,), whole)

    async def _ok(self, target: str, accept: str) -> bytes:
        answer = await self._get(target, accept)
        if answer.status != 200:
            raise FetchError(f"bad status from {answer.url}: {answer.status}", answer.url)
        return answer.body

    async def _get(self, target: str, accept: str, *, etag: str = "") -> Fetched:
        """Raises FetchError, KubeconfigError."""
        more = [(b"accept", accept.encode()), *([(b"if-none-match", etag.encode())] if etag else [])]
        call = Call("GET", target.encode(), [*more, *self._credentials()])
        url = f"{self._config.server}{target}"
        try:
            async with asyncio.timeout(fetching.SECONDS), self._answer(call) as answer:
                return await fetching.whole(answer, target)
        except Unreachable as error:
            raise FetchError(f'Get "{url}": {error}', url) from error
        except TimeoutError:
            raise FetchError(f'Get "{url}": context deadline exceeded', url) from None

    def _credentials(self) -> headers.Headers:
        """Raises KubeconfigError."""
        token = self._config.bearer_token()
        if token:
            return [(b"authorization", b"Bearer " + token.encode())]
        if self._config.username:
            pair = f"{self._config.username}:{self._config.password or ''}"
            return [(b"authorization", b"Basic " + base64.b64encode(pair.encode()))]
        return []


def _group_versions(paths: Sequence[str]) -> Iterator[GroupVersion]:
    """Of the paths that a server lists, those that are named groups' versions."""
    for path in paths:
        root, _, rest = path.removeprefix("/").partition("/")
        group, slash, version = rest.partition("/")
        if root == "apis" and slash and version and "/" not in version:
            yield GroupVersion(group, version)
