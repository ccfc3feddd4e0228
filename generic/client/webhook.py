"""WebhookCaller: asks the webhooks of the cluster: conversion webhooks, admission webhooks.

Made by the servers that have webhooks, one each. A webhook gets its question as JSON over TLS and answers likewise; it
sees no credentials of ours, may not redirect, and has a limited time and size to answer. Mirrors
`apiserver/pkg/util/webhook/client.go`.
"""

import asyncio
import base64
import binascii
import ssl
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Self
from urllib.parse import quote

import httpx
import orjson

from generic.client import failures, webhook_failures
from generic.client.resolving import Address, ResolveError, ServiceReference
from generic.client.rest import Client
from generic.client.webhook_failures import WebhookCallError
from generic.client.webhook_services import ServiceAddresses
from generic.tracing import client_span
from generic.tracing.client_span import ClientSpan
from generic.types import JSONObject

LARGEST_ANSWER = 64 << 20
"""Bytes. A list of converted objects can be long; a webhook that never ends is not."""

_KEPT = 64
"""Sets of connections, one for each CA bundle."""
_KEEP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class WebhookEndpoint:
    """Where a webhook is: behind a Service, or at a plain URL. `url`: as errors show it."""

    url: str
    server_name: str
    port: int
    service: ServiceReference | None = None
    ca_bundle: str = ""
    """PEM in base64; empty: the system's authorities."""

    @classmethod
    def of(cls, config: JSONObject) -> Self:
        """From a validated `clientConfig` of a webhook configuration or of a definition's conversion."""
        bundle, service = config.get("caBundle") or "", config.get("service")
        if service is None:
            url = httpx.URL(config["url"])
            text = str(url) if url.raw_path != b"/" or str(url).endswith("/") else f"{url}/"
            return cls(text, url.host, url.port or 443, ca_bundle=bundle)
        reference = ServiceReference(service["namespace"], service["name"], service.get("port") or 443)
        host, path = reference.server_name, quote(service.get("path") or "", safe="/%:@!$&'()*+,;=~-._")
        return cls(f"https://{host}:{reference.port}{path or '/'}", host, reference.port, reference, bundle)


class _Url:
    """Where a question goes. `text`: as errors show it, a port that goes without saying included."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.parsed = httpx.URL(text)


@dataclass(slots=True)
class _Pool:
    """Connections made with one CA bundle, and how many calls use them."""

    transport: httpx.AsyncHTTPTransport
    users: int = 0
    dropped: bool = False


class WebhookCaller:
    """Calls may run concurrently. `client` finds the Services; None: their names do. `aclose` once, at the end."""

    def __init__(self, client: Client | None) -> None:
        self._services = ServiceAddresses(client) if client is not None else None
        self._pools: OrderedDict[str, _Pool] = OrderedDict()

    async def aclose(self) -> None:
        """Close all connections, whatever still runs."""
        pools, self._pools = list(self._pools.values()), OrderedDict()
        await asyncio.gather(*(pool.transport.aclose() for pool in pools))
        if self._services is not None:
            await self._services.stop()

    async def call(self, endpoint: WebhookEndpoint, question: JSONObject, *, seconds: float) -> JSONObject:
        """The answer, within so many seconds. Raises WebhookCallError."""
        url = _Url(f"{endpoint.url}?timeout={ceil(seconds)}s")
        try:
            async with asyncio.timeout(seconds):
                return await self._ask(endpoint, url, orjson.dumps(question))
        except TimeoutError:
            raise WebhookCallError(_posting(url, "context deadline exceeded"), timed_out=True) from None

    async def _ask(self, endpoint: WebhookEndpoint, url: _Url, body: bytes) -> JSONObject:
        addresses: Sequence[Address] = (Address(endpoint.server_name, endpoint.port),)
        if endpoint.service is not None and self._services is not None:
            try:
                addresses = await self._services.resolve(endpoint.service)
            except ResolveError as error:
                raise WebhookCallError(_posting(url, str(error))) from None
        pool = self._pool(endpoint.ca_bundle, url)
        await self._drop_oldest()
        pool.users += 1
        try:
            return await _ask_within_span(pool.transport, addresses, url, body, endpoint.server_name)
        finally:
            pool.users -= 1
            if pool.dropped and not pool.users:
                await pool.transport.aclose()

    def _pool(self, bundle: str, url: _Url) -> _Pool:
        held = self._pools.get(bundle)
        if held is None:
            held = _Pool(_transport(_trust(bundle, url)))
            self._pools[bundle] = held
        self._pools.move_to_end(bundle)
        return held

    async def _drop_oldest(self) -> None:
        """Connections made for bundles nobody uses any more; those in use close when they are done."""
        while len(self._pools) > _KEPT:
            _, dropped = self._pools.popitem(last=False)
            dropped.dropped = True
            if not dropped.users:
                await dropped.transport.aclose()


def _transport(context: ssl.SSLContext) -> httpx.AsyncHTTPTransport:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=_KEPT, keepalive_expiry=_KEEP_SECONDS)
    return httpx.AsyncHTTPTransport(verify=context, trust_env=False, limits=limits)


async def _ask_within_span(
    transport: httpx.AsyncHTTPTransport, addresses: Sequence[Address], url: _Url, body: bytes, server_name: str
) -> JSONObject:
    span = client_span.begin("POST")
    if span is None:
        return await _ask_first(transport, addresses, url, body, server_name)
    with span:
        return await _ask_first(transport, addresses, url, body, server_name, span=span)


async def _ask_first(
    transport: httpx.AsyncHTTPTransport,
    addresses: Sequence[Address],
    url: _Url,
    body: bytes,
    server_name: str,
    *,
    span: ClientSpan | None = None,
) -> JSONObject:
    """The answer of the first address that can be connected to."""
    failed = ""
    for address in addresses:
        asked = _request(url, body, server_name, address=address)
        if span is not None:
            asked.headers.update(span.headers())
        try:
            response = await transport.handle_async_request(asked)
        except httpx.HTTPError as error:
            failed = webhook_failures.describe(error, address)
            if isinstance(error, httpx.ConnectError):
                # Nobody there has seen the question: the next one may.
                continue
            break
        if span is not None:
            span.answered(response.status_code, url=url.text, host=server_name, port=address.port)
        return await _answer(response, url, address)
    raise WebhookCallError(_posting(url, failed))


def _trust(bundle: str, url: _Url) -> ssl.SSLContext:
    if not bundle:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cadata=base64.b64decode(bundle).decode())
    except (ssl.SSLError, binascii.Error, ValueError):
        raise WebhookCallError(_posting(url, "unable to load root certificates: no valid certificate data")) from None


def _request(asked: _Url, body: bytes, server_name: str, *, address: Address) -> httpx.Request:
    url = asked.parsed
    headers = {
        "host": url.netloc.decode(),
        "content-type": "application/json",
        "accept": "application/json",
        "user-agent": "kube-apiserver-admission",
    }
    return httpx.Request(
        "POST",
        url.copy_with(host=address.host, port=address.port),
        headers=headers,
        content=body,
        extensions={"sni_hostname": server_name, "timeout": {}},
    )


async def _answer(response: httpx.Response, url: _Url, address: Address) -> JSONObject:
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise WebhookCallError(_posting(url, f"the answer is larger than {LARGEST_ANSWER} bytes"))
    except httpx.HTTPError as error:
        raise WebhookCallError(_posting(url, webhook_failures.describe(error, address))) from None
    finally:
        await response.aclose()
    if not 200 <= response.status_code < 300:
        # Only plain text is shown to others, and what was asked is nothing to them.
        told = bytes(body) if body.startswith(b"{") or _is_text(response) else b""
        refusal = failures.of_response(response.status_code, told, method="POST", path="")
        raise WebhookCallError(refusal.message.removesuffix(" (post )"))
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise WebhookCallError(f"couldn't decode the answer: {error}") from None
    if not isinstance(decoded, dict):
        raise WebhookCallError("couldn't decode the answer: json: cannot unmarshal into Go value of type struct")
    return decoded


def _is_text(response: httpx.Response) -> bool:
    kind: str = response.headers.get("content-type", "text/")
    return kind.startswith("text/")


def _posting(url: _Url, why: str) -> str:
    return f'Post "{url.text}": {why}'
