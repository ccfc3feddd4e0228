"""OpenAPIController: the OpenAPI v3 documents of remote group-versions, served among our own.

Started by `server.py`. Fetched beside the requests, every minute, after a failure ever more rarely, and only when the
server says by the hash in its root that they changed; what is not a document is left out and hurts nobody else, and
what was published stays until there is another. A server that has none is asked for v2. Mirrors
`kube-aggregator/pkg/controllers/{openapi,openapiv3}` and KEP-2896.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable

import orjson

from aggregator.apiservices.registration import Registration
from aggregator.controllers.backoff import Backoff
from aggregator.informers import Informers
from aggregator.openapi_v3_conversion import v3_of
from aggregator.proxy.fetching import Fetched, Fetcher, FetchError
from generic.client.controller import Controller
from generic.endpoints.openapi.v3 import Document
from generic.meta import untrusted
from generic.request.user import AGGREGATOR, UserInfo
from generic.types import JSONObject

NAME = "apiservice-openapiv3-controller"
REFRESH_SECONDS = 60.0
_MOST_SECONDS = 3600.0
_PATIENCE = 60.0
"""Seconds for one answer: many servers make their documents when they are first asked for them."""
ROOT, OLD_ROOT = "/openapi/v3", "/openapi/v2"
_OK, _NOT_FOUND = 200, 404
_WORKERS = 10
_USER = UserInfo(AGGREGATOR)
_JSON = {"accept": "application/json"}

_LOG = logging.getLogger(__name__)

Publish = Callable[[str, Document | None], None]
"""GenericServer.publish_openapi."""


class OpenAPIController:
    """Publishes one document for each remote APIService whose server has one."""

    def __init__(self, informers: Informers, fetcher: Fetcher, publish: Publish) -> None:
        self._informers = informers
        self._fetcher = fetcher
        self._publish = publish
        self._published: dict[str, tuple[str, str]] = {}
        self._backoff = Backoff(first=REFRESH_SECONDS, most=_MOST_SECONDS)
        self._controller: Controller[str] = Controller(NAME, self._refresh, workers=_WORKERS)
        informers.apiservices.add_handler(self._changed)

    def start(self) -> None:
        self._controller.start()

    async def stop(self) -> None:
        await self._controller.stop()

    def refresh_all(self) -> None:
        """Ask every server again: it may answer otherwise now."""
        for one in self._informers.apiservices.list():
            self._changed(one, one)

    def _changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        found = new or old
        if found is not None:
            # Most likely it has become available.
            self._backoff.forget(found["metadata"]["name"])
            self._controller.enqueue(found["metadata"]["name"])

    async def _refresh(self, name: str) -> None:
        await self._informers.wait_synced_backends()
        asked = self._registration(name)
        if asked is None:
            self._withdraw(name)
            return
        path = asked.discovery_path.lstrip("/")
        try:
            found = await self._find(asked, path, self._published.get(name, ("", ""))[1])
        except (FetchError, ValueError, RecursionError) as error:
            _LOG.info("no OpenAPI document of %s: %s", asked.group_version, error)
            self._controller.enqueue_after(name, self._backoff.failed(name))
            return
        self._backoff.forget(name)
        self._controller.enqueue_after(name, REFRESH_SECONDS)
        if found is not None and self._registration(name) is not None:
            named, body = found
            self._publish(path, Document(lambda: untrusted.decoded(body)))
            self._published[name] = (path, named)

    async def _find(self, asked: Registration, path: str, held: str) -> tuple[str, bytes] | None:
        """What names the document as it is now, and its JSON; None if that is what we hold.

        Raises FetchError, ValueError.
        """
        root = await self._answer(asked, ROOT)
        if root.status == _NOT_FOUND:
            return await self._convert(asked, path, held)
        url = _url_of(path, untrusted.decoded(_checked(root).body))
        if url == held:
            return None
        body = _checked(await self._answer(asked, url)).body
        untrusted.decoded(body)
        return url, body

    async def _convert(self, asked: Registration, path: str, held: str) -> tuple[str, bytes] | None:
        """From its v2 document, of a server too old for v3."""
        body = _checked(await self._answer(asked, OLD_ROOT)).body
        named = f"{OLD_ROOT}?hash={hashlib.sha512(body).hexdigest()}"
        if named == held:
            return None
        return named, orjson.dumps(await asyncio.to_thread(_converted, body, path))

    def _withdraw(self, name: str) -> None:
        path, _ = self._published.pop(name, ("", ""))
        if path:
            self._publish(path, None)

    def _registration(self, name: str) -> Registration | None:
        """The APIService as it is now, if it is remote."""
        found = self._informers.apiservices.get(name)
        registration = None if found is None else Registration.of(found)
        return registration if registration is not None and registration.service is not None else None

    async def _answer(self, asked: Registration, target: str) -> Fetched:
        """Raises FetchError."""
        return await self._fetcher.get(asked, target, user=_USER, more=_JSON, seconds=_PATIENCE)


def _checked(answer: Fetched) -> Fetched:
    """Raises FetchError unless it is 200."""
    if answer.status != _OK:
        raise FetchError(f"bad status from {answer.url}: {answer.status}", answer.url)
    return answer


def _converted(body: bytes, path: str) -> JSONObject:
    return v3_of(untrusted.decoded(body), path)


def _url_of(path: str, root: JSONObject) -> str:
    """Where the root says the document of a path is. Raises ValueError."""
    paths = root.get("paths")
    entry = paths.get(path) if isinstance(paths, dict) else None
    url = entry.get("serverRelativeURL") if isinstance(entry, dict) else None
    if not isinstance(url, str) or not url.startswith(f"{ROOT}/"):
        raise ValueError(f"the root does not say where {path} is")
    return url
