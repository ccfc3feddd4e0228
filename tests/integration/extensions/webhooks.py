"""A webhook over a real TLS socket, that answers what a test wants it to."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from generic.serving.options import SecureServingOptions
from generic.serving.server import SecureServer
from generic.types import JSONObject, Receive, Scope, Send
from trikube.pki import issue

Answer = Callable[[JSONObject], Awaitable[JSONObject | bytes]]
"""From a question to an answer; bytes are sent as they are, with status 500."""


@dataclass
class Webhook:
    """Remembers what it was asked."""

    answer: Answer
    ca_bundle: str
    port: int = 0
    asked: list[JSONObject] = field(default_factory=list)
    headers: list[dict[bytes, bytes]] = field(default_factory=list)

    def client_config(self, host: str = "localhost") -> JSONObject:
        return {"url": f"https://{host}:{self.port}/convert", "caBundle": self.ca_bundle}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        question = orjson.loads(body)
        self.asked.append(question)
        self.headers.append(dict(scope["headers"]))
        answer = await self.answer(question)
        status = 500 if isinstance(answer, bytes) else 200
        headers = [(b"content-type", b"text/plain" if isinstance(answer, bytes) else b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({
            "type": "http.response.body",
            "body": answer if isinstance(answer, bytes) else orjson.dumps(answer),
        })


@contextlib.asynccontextmanager
async def webhook(folder: Path, answer: Answer, *names: str) -> AsyncIterator[Webhook]:
    """Listens with a certificate for these names, by an authority of its own."""
    authority = await asyncio.to_thread(issue.new_authority, "webhooks")
    issued = await asyncio.to_thread(authority.issue_serving, names or ("localhost",))
    cert, key = folder / "webhook.crt", folder / "webhook.key"
    cert.write_bytes(issued.cert)
    key.write_bytes(issued.key)
    made = Webhook(answer, base64.b64encode(authority.pem).decode())
    server = SecureServer(made, SecureServingOptions(bind_address="127.0.0.1", port=0, cert_file=cert, key_file=key))
    await server.start()
    made.port = server.port
    try:
        yield made
    finally:
        await server.close()
