"""Calls an ASGI app directly, without a server, and looks at what it answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from generic.types import ASGIApp, Message, Scope


@dataclass
class Response:
    """What an app sent for one request."""

    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    def headers(self, name: str) -> list[str]:
        return [value.decode() for key, value in self.messages[0]["headers"] if key == name.encode()]

    def header(self, name: str) -> str | None:
        found = self.headers(name)
        assert len(found) < 2, f"{name} occurs twice: {found}"
        return found[0] if found else None

    def json(self) -> Any:
        return orjson.loads(self.body)

    async def send(self, message: Message) -> None:
        self.messages.append(message)


def scope(
    path: str = "/",
    *,
    method: str = "GET",
    headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    tls: dict[str, Any] | None = None,
    http_version: str = "1.1",
) -> Scope:
    """The scope of a request; `path` may have a query."""
    path, _, query = path.partition("?")
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "http_version": http_version,
        "client": ("192.0.2.1", 4711),
        "headers": [(name.lower().encode(), value.encode()) for name, value in pairs],
        "extensions": {} if tls is None else {"tls": tls},
    }


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def call(app: ASGIApp, path: str = "/", **given: Any) -> Response:
    """The answer of `app` to one request; `given` goes to `scope`."""
    response = Response()
    await app(scope(path, **given), receive, response.send)
    return response
