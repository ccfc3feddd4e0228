"""An aggregated API server made of Starlette and hypercorn alone, as somebody else would write one in an afternoon.

Nothing of ours is imported, so that it cannot share a mistake with the aggregator in front of it: what passes between
them is Kubernetes' public contract. It believes the identity headers of whoever shows a certificate of the front proxy
and keeps notes in memory. A process of its own: `python -m tests.support.plain_aa CERT KEY CLIENT_CA`, which prints
its port.
"""

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import AsyncIterator
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

GROUP_VERSION = "plain.example.com/v1"
ROOT = f"/apis/{GROUP_VERSION}"
NOTES = "/namespaces/{namespace}/notes"

notes: dict[tuple[str, str], dict[str, Any]] = {}
followers: set[asyncio.Queue[dict[str, Any]]] = set()


async def resources(request: Request) -> Response:
    note = {"name": "notes", "singularName": "note", "namespaced": True, "kind": "Note", "shortNames": ["nt"]}
    verbs = ["create", "delete", "get", "list", "watch"]
    return JSONResponse({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": GROUP_VERSION,
        "resources": [{**note, "verbs": verbs}, {**note, "name": "notes/shout", "verbs": ["create", "get"]}],
    })


async def collection(request: Request) -> Response:
    namespace = request.path_params["namespace"]
    if request.method == "POST":
        return await _create(request, namespace)
    if request.query_params.get("watch") in {"true", "1"}:
        return StreamingResponse(_events(), media_type="application/json")
    found = [note for (where, _), note in notes.items() if where == namespace]
    metadata = {"resourceVersion": str(len(notes))}
    return JSONResponse({"kind": "NoteList", "apiVersion": GROUP_VERSION, "metadata": metadata, "items": found})


async def _create(request: Request, namespace: str) -> Response:
    note = await request.json()
    name = note["metadata"]["name"]
    if (namespace, name) in notes:
        return _status(409, "AlreadyExists", f'notes.plain.example.com "{name}" already exists')
    note["metadata"].update(namespace=namespace, uid=f"uid-{name}", resourceVersion=str(len(notes) + 1))
    note["author"] = {
        "user": request.headers.get("x-remote-user"),
        "uid": request.headers.get("x-remote-uid"),
        "groups": request.headers.getlist("x-remote-group"),
        "extra": {name: value for name, value in request.headers.items() if name.startswith("x-remote-extra-")},
    }
    notes[namespace, name] = note
    for follower in followers:
        follower.put_nowait({"type": "ADDED", "object": note})
    return JSONResponse(note, status_code=201)


async def _events() -> AsyncIterator[bytes]:
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for note in notes.values():
        queue.put_nowait({"type": "ADDED", "object": note})
    followers.add(queue)
    try:
        while True:
            yield json.dumps(await queue.get()).encode() + b"\n"
    finally:
        followers.discard(queue)


async def one(request: Request) -> Response:
    key = request.path_params["namespace"], request.path_params["name"]
    if key not in notes:
        return _status(404, "NotFound", f'notes.plain.example.com "{key[1]}" not found')
    note = notes.pop(key) if request.method == "DELETE" else notes[key]
    return JSONResponse(note)


async def count(request: Request) -> Response:
    """How many follow: for tests that want to see a watch end."""
    return JSONResponse({"followers": len(followers)})


async def shout(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol=websocket.scope["subprotocols"][0])
    await websocket.send_text(f"hello {websocket.headers['x-remote-user']}")
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())


def _status(code: int, reason: str, message: str) -> Response:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code}
    return JSONResponse({**status, "message": message}, status_code=code)


app = Starlette(
    routes=[
        Route(ROOT, resources),
        Route(f"{ROOT}{NOTES}", collection, methods=["GET", "POST"]),
        Route(f"{ROOT}{NOTES}/{{name}}", one, methods=["GET", "DELETE"]),
        WebSocketRoute(f"{ROOT}{NOTES}/{{name}}/shout", shout),
        Route(f"{ROOT}/followers", count),
    ]
)


async def main(cert: str, key: str, client_ca: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.certfile, config.keyfile, config.ca_certs = cert, key, client_ca
    config.verify_mode = ssl.CERT_REQUIRED
    config.accesslog = config.errorlog = None
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await serve(app, config)  # type: ignore[arg-type]


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
