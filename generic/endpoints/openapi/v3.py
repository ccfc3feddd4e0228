"""OpenAPI v3: the root that lists one document per group-version, and the documents.

Documents are made on first demand, named by their hash, and cacheable for ever under that name.
Mirrors `kube-openapi/pkg/handler3` and KEP-2896.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from email.utils import formatdate
from urllib.parse import parse_qs

import orjson

from generic.endpoints import responses
from generic.endpoints.body import header
from generic.endpoints.openapi import forms
from generic.protobuf import documents
from generic.types import JSONObject, Receive, Scope, Send

_VARY = (b"vary", b"Accept")
_YEAR = 365 * 24 * 3600


class Document:
    """One group-version's document: made once, when first asked for."""

    def __init__(self, make: Callable[[], JSONObject]) -> None:
        self._make = make
        self._encoded: tuple[bytes, str] | None = None
        self._protobuf: bytes | None = None

    def encoded(self) -> tuple[bytes, str]:
        """The JSON and its hash (upper-case hexadecimal SHA-512)."""
        if self._encoded is None:
            body = orjson.dumps(self._make(), option=orjson.OPT_SORT_KEYS)
            self._encoded = body, hashlib.sha512(body).hexdigest().upper()
        return self._encoded

    def protobuf(self) -> bytes:
        """The same in protobuf; takes a tenth of a second if it is large."""
        if self._protobuf is None:
            self._protobuf = documents.v3().encode(orjson.loads(self.encoded()[0]))
        return self._protobuf


Documents = Callable[[], Mapping[str, Document]]
"""The documents of the chain by path below `/openapi/v3/` (`apis/apps/v1`), as they are now."""


class RootHandler:
    """`/openapi/v3`: the path and hash of every document."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        paths = {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={document.encoded()[1]}"}
            for path, document in sorted(self._documents().items())
        }
        await responses.send_bytes(scope, send, orjson.dumps({"paths": paths}))


class DocumentHandler:
    """`/openapi/v3/<path>`: one document; an empty 404 if nobody serves that group-version."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix("/openapi/v3/")
        document = self._documents().get(path)
        if document is None:
            await responses.send_bytes(scope, send, b"", status=404)
            return
        content_type = forms.chosen(header(scope, b"accept"), forms.V3_PROTOBUF)
        if content_type is None:
            await responses.send_bytes(scope, send, b"", status=406, headers=(_VARY,))
            return
        body, digest = document.encoded()
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        asked = query.get("hash", [""])[0]
        if asked and asked != digest:
            location = f"/openapi/v3/{path}?hash={digest}".encode()
            await responses.send_bytes(scope, send, b"", status=301, headers=((b"location", location),))
            return
        etag = f'"{digest}"'
        headers = [(b"etag", etag.encode()), _VARY]
        if asked:
            # A document asked for by its hash never changes: clients keep it.
            expires = formatdate(time.time() + _YEAR, usegmt=True).encode()
            headers += [(b"cache-control", b"public, immutable"), (b"expires", expires)]
        unchanged = etag in header(scope, b"if-none-match")
        if content_type == forms.V3_PROTOBUF and not unchanged:
            body = await asyncio.to_thread(document.protobuf)
        await responses.send_bytes(
            scope,
            send,
            body,
            status=304 if unchanged else 200,
            content_type=content_type.encode(),
            headers=headers,
        )
