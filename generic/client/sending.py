"""Sender: one HTTP call after another to one server: credentials, retries, refusals.

Called by `rest.Client` alone. Uses the transports directly, below `httpx.AsyncClient`, whose cookies,
redirects and log lines are nothing for an API client and cost three times the rest of a loopback call.
Mirrors `client-go/rest/{request,with_retry}.go`.
"""

import asyncio
import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias
from urllib.parse import quote, urlencode

import httpx
import orjson

from generic.client import failures
from generic.client.kubeconfig import KubeconfigError
from generic.client.loopback import WHOLE
from generic.types import JSONObject

JSON = "application/json"
RETRIES = 10
"""How often a call is made again when the server says `Retry-After`, as in client-go."""

Query: TypeAlias = Mapping[str, str]
Body: TypeAlias = JSONObject | list[JSONObject] | bytes | None

_TIMEOUTS = {"connect": 10.0, "read": 70.0, "write": 70.0, "pool": 70.0}
"""Seconds. The server gives a call up after 60, and says so."""
_STREAM_TIMEOUTS = {**_TIMEOUTS, "read": None}

_STALE = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""How a kept connection looks that the server closed when we were about to use it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A raw answer. Header names are found in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> JSONObject:
        """Raises TransportError if the body is not a JSON object."""
        try:
            decoded = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise failures.TransportError(f"the answer is not JSON: {error}") from error
        if not isinstance(decoded, dict):
            raise failures.TransportError("the answer is not a JSON object")
        return decoded


class Sender:
    """Calls and streams have transports of their own; over the loopback both are the same."""

    def __init__(
        self,
        calls: httpx.AsyncBaseTransport,
        streams: httpx.AsyncBaseTransport,
        *,
        server: str = "https://localhost",
        credentials: Callable[[], str] | None = None,
        server_name: str | None = None,
    ) -> None:
        """`credentials` gives the Authorization header; `server_name` is whom the certificate must be for."""
        self._calls = calls
        self._streams = streams
        self._server = server.rstrip("/")
        self._credentials = credentials
        self._headers: dict[str, str] = {"user-agent": "trikube", "accept": JSON}
        extensions = {"sni_hostname": server_name} if server_name else {}
        self._call_extensions: dict[str, Any] = {"timeout": _TIMEOUTS, WHOLE: True, **extensions}
        self._stream_extensions: dict[str, Any] = {"timeout": _STREAM_TIMEOUTS, **extensions}

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """One on the same transports that sends these as well."""
        other = copy.copy(self)
        other._headers = {**self._headers, **{name.lower(): value for name, value in headers.items()}}
        return other

    async def aclose(self) -> None:
        await self._calls.aclose()
        if self._streams is not self._calls:
            await self._streams.aclose()

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body = None,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        check: bool = True,
        stream: bool = False,
    ) -> httpx.Response:
        """The response, read whole unless a stream is wanted and granted.

        Raises StatusError for a refusal (with `check` off, it is returned), TransportError.
        """
        url = f"{self._server}{path}?{urlencode(query, quote_via=quote)}" if query else f"{self._server}{path}"
        sent = self._sent_headers(headers)
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else orjson.dumps(body)
            sent["content-type"] = content_type
        again = method in ("GET", "HEAD")
        left = RETRIES
        while True:
            try:
                with failures.translated(method, path):
                    response = await self._once(method, url, headers=sent, content=content, stream=stream)
            except failures.TransportError as error:
                if not again or not isinstance(error.__cause__, _STALE):
                    raise
                # Go's transport does the same, once, where nothing can happen twice.
                again = False
                continue
            code = response.status_code
            if code < 400 or not check:
                return response
            wait = _retry_after(response)
            if wait is None or left == 0 or not (code == 429 or code >= 500):
                raise failures.of_response(code, response.content, method=method, path=path, retry_after=wait)
            left -= 1
            await asyncio.sleep(wait)

    async def _once(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, stream: bool
    ) -> httpx.Response:
        extensions = self._stream_extensions if stream else self._call_extensions
        request = httpx.Request(method, url, headers=headers, content=content, extensions=extensions)
        response = await (self._streams if stream else self._calls).handle_async_request(request)
        if not stream or response.status_code >= 400:
            try:
                await response.aread()
            finally:
                await response.aclose()
        return response

    def _sent_headers(self, more: Mapping[str, str] | None) -> dict[str, str]:
        headers = {**self._headers, **{name.lower(): value for name, value in (more or {}).items()}}
        if self._credentials is not None and "authorization" not in headers:
            try:
                authorization = self._credentials()
            except KubeconfigError as error:
                raise failures.TransportError(str(error)) from error
            if authorization:
                headers["authorization"] = authorization
        return headers


def _retry_after(response: httpx.Response) -> int | None:
    value = response.headers.get("retry-after", "")
    return int(value) if value.isdecimal() else None
