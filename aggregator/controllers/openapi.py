"""OpenAPIController: the OpenAPI v3 documents of remote group-versions, served among our own.

Started by `server.py`. Fetched beside the requests and only when the server says by the hash in its root that they
changed; what is not a document is left out and hurts nobody else. Mirrors
`kube-aggregator/pkg/controllers/openapiv3` and KEP-2896.
"""

import logging
from collections.abc import Callable
from typing import Any

import orjson

from aggregator.apiservices.registration import Registration
from aggregator.proxy.fetching import Fetcher, FetchError
from generic.client.controller import Controller
from generic.client.informer import Informer
from generic.endpoints.openapi.v3 import Document
from generic.request.user import AGGREGATOR, UserInfo
from generic.types import JSONObject

NAME = "apiservice-openapiv3-controller"
REFRESH_SECONDS = 60.0
ROOT = "/openapi/v3"
_WORKERS = 5
_USER = UserInfo(AGGREGATOR)
_JSON = {"accept": "application/json"}

_LOG = logging.getLogger(__name__)

Publish = Callable[[str, Document | None], None]
"""GenericServer.publish_openapi."""


class OpenAPIController:
    """Publishes one document for each remote APIService whose server has one."""

    def __init__(self, apiservices: Informer, fetcher: Fetcher, publish: Publish) -> None:
        self._apiservices = apiservices
        self._fetcher = fetcher
        self._publish = publish
        self._published: dict[str, tuple[str, str]] = {}
        self._controller: Controller[str] = Controller(NAME, self._refresh, workers=_WORKERS)
        apiservices.add_handler(self._changed)

    def start(self) -> None:
        self._controller.start()

    async def stop(self) -> None:
        await self._controller.stop()

    def _changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        found = new or old
        if found is not None:
            self._controller.enqueue(found["metadata"]["name"])

    async def _refresh(self, name: str) -> None:
        asked = self._registration(name)
        if asked is None:
            self._withdraw(name)
            return
        self._controller.enqueue_after(name, REFRESH_SECONDS)
        path = asked.discovery_path.lstrip("/")
        try:
            url = _url_of(path, _object(await self._get(asked, ROOT)))
            if self._published.get(name) == (path, url):
                return
            body = await self._get(asked, url)
            _object(body)
        except (FetchError, ValueError) as error:
            _LOG.info("no OpenAPI document of %s: %s", asked.group_version, error)
            return
        if self._registration(name) is not None:
            self._publish(path, Document(lambda: _object(body)))
            self._published[name] = (path, url)

    def _withdraw(self, name: str) -> None:
        path, _ = self._published.pop(name, ("", ""))
        if path:
            self._publish(path, None)

    def _registration(self, name: str) -> Registration | None:
        """The APIService as it is now, if it is remote."""
        found = self._apiservices.get(name)
        registration = None if found is None else Registration.of(found)
        return registration if registration is not None and registration.service is not None else None

    async def _get(self, asked: Registration, target: str) -> bytes:
        """Raises FetchError."""
        answer = await self._fetcher.get(asked, target, user=_USER, more=_JSON)
        if answer.status != 200:
            raise FetchError(f"bad status from {answer.url}: {answer.status}", answer.url)
        return answer.body


def _object(body: bytes) -> JSONObject:
    """Raises ValueError."""
    decoded: Any = orjson.loads(body)
    if not isinstance(decoded, dict):
        raise ValueError("not a JSON object")
    return decoded


def _url_of(path: str, root: JSONObject) -> str:
    """Where the root says the document of a path is. Raises ValueError."""
    paths = root.get("paths")
    entry = paths.get(path) if isinstance(paths, dict) else None
    url = entry.get("serverRelativeURL") if isinstance(entry, dict) else None
    if not isinstance(url, str) or not url.startswith(f"{ROOT}/"):
        raise ValueError(f"the root does not say where {path} is")
    return url
