"""`/openapi/v2`: the one document of everything, for clients that do not know v3.

Mounted by `GenericServer` on the outermost server. Made of the v3 documents of the whole chain, remote ones among
them, when first asked for and again when one of them has changed; in a thread, for it takes a second. In JSON, and in
the protobuf that older kubectl asks for.

Mirrors `kube-openapi/pkg/handler` and `kube-aggregator/pkg/controllers/openapi`.
"""

import asyncio
import hashlib
import logging
import zlib
from collections.abc import Mapping

import orjson

from generic.endpoints import responses, writing
from generic.endpoints.body import header
from generic.endpoints.openapi import forms
from generic.endpoints.openapi.v2_conversion import Swagger
from generic.endpoints.openapi.v3 import Document, Documents
from generic.protobuf import documents as protobuf_documents
from generic.types import Receive, Scope, Send

PATH = "/openapi/v2"
_VARY = ((b"vary", b"Accept-Encoding"), (b"vary", b"Accept"))
_GZIP = 31
"""zlib's number for its own kind of window with gzip's head and tail."""

_LOG = logging.getLogger(__name__)


class OpenAPIV2Handler:
    """`documents`: the v3 documents by path, in the order of the chain."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._made_of: Mapping[str, Document] | None = None
        self._made = _Made(b"")
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content_type = forms.chosen(header(scope, b"accept"), forms.V2_PROTOBUF)
        if content_type is None:
            await responses.send_bytes(scope, send, b"", status=406, headers=_VARY)
            return
        packed = writing.accepts_gzip(header(scope, b"accept-encoding"))
        async with self._making:
            documents = dict(self._documents())
            if documents != self._made_of:
                self._made = _Made(await asyncio.to_thread(_merge, documents))
                self._made_of = documents
            made = self._made
            headers = [(b"etag", made.etag.encode()), *_VARY]
            if made.etag in header(scope, b"if-none-match"):
                body, status = b"", 304
            else:
                body, status = await made.body(content_type, packed=packed), 200
        if packed:
            headers.append((b"content-encoding", b"gzip"))
        await responses.send_bytes(
            scope, send, body, status=status, content_type=content_type.encode(), headers=headers
        )


class _Made:
    """One state of the document, in the forms that were asked for."""

    def __init__(self, json: bytes) -> None:
        self._json = json
        self.etag = f'"{hashlib.sha512(json).hexdigest().upper()}"'
        """One for all forms: they vary by header."""
        self._bodies: dict[tuple[str, bool], bytes] = {}

    async def body(self, content_type: str, *, packed: bool) -> bytes:
        known = self._bodies.get((content_type, packed))
        if known is None:
            if packed:
                known = await asyncio.to_thread(_gzip, await self.body(content_type, packed=False))
            elif content_type == forms.V2_PROTOBUF:
                known = await asyncio.to_thread(_protobuf, self._json)
            else:
                known = self._json
            self._bodies[content_type, packed] = known
        return known


def _merge(documents: Mapping[str, Document]) -> bytes:
    """The JSON."""
    swagger = Swagger()
    for path, document in documents.items():
        try:
            swagger.add(path, orjson.loads(document.encoded()[0]))
        except (ValueError, RecursionError) as error:
            _LOG.info("the OpenAPI document of %s is left out of v2: %s", path, error)
    return orjson.dumps(swagger.document())


def _protobuf(json: bytes) -> bytes:
    return protobuf_documents.v2().encode(orjson.loads(json))


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, wbits=_GZIP)
