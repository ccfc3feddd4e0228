"""`/openapi/v2`: the one document of everything, for clients that do not know v3.

Mounted by `server.py`. Made of the v3 documents of the whole chain, remote ones among them, when first asked for and
again when one of them has changed; in a thread, for it takes a second. Mirrors `kube-openapi/pkg/handler` and
`kube-aggregator/pkg/controllers/openapi`.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping

import orjson

from aggregator.openapi_v2_conversion import Swagger
from generic.endpoints import responses
from generic.endpoints.openapi.v3 import Document, Documents
from generic.types import Receive, Scope, Send

PATH = "/openapi/v2"
_JSON = ("application/json", "application/*", "*/*")

_LOG = logging.getLogger(__name__)


class OpenAPIV2Handler:
    """`documents`: the v3 documents by path, in the order of the chain."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._made_of: Mapping[str, Document] | None = None
        self._made: tuple[bytes, str] = (b"", "")
        self._making = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _accepts_json(scope):
            # The protobuf form is not made: clients that want it ask for JSON next, or do without.
            await responses.send_bytes(scope, send, b"", status=406)
            return
        async with self._making:
            documents = dict(self._documents())
            if documents != self._made_of:
                self._made = await asyncio.to_thread(_merge, documents)
                self._made_of = documents
        body, etag = self._made
        headers = ((b"etag", etag.encode()), (b"vary", b"Accept"))
        if etag in _header(scope, b"if-none-match"):
            await responses.send_bytes(scope, send, b"", status=304, headers=headers)
            return
        await responses.send_bytes(scope, send, body, headers=headers)


def _merge(documents: Mapping[str, Document]) -> tuple[bytes, str]:
    """JSON and ETag."""
    swagger = Swagger()
    for path, document in documents.items():
        try:
            swagger.add(path, orjson.loads(document.encoded()[0]))
        except (ValueError, RecursionError) as error:
            _LOG.info("the OpenAPI document of %s is left out of v2: %s", path, error)
    body = orjson.dumps(swagger.document())
    return body, f'"{hashlib.sha512(body).hexdigest().upper()}"'


def _accepts_json(scope: Scope) -> bool:
    accept = _header(scope, b"accept")
    return not accept or any(clause.partition(";")[0].strip() in _JSON for clause in accept.split(","))


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")
