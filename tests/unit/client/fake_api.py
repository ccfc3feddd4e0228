"""A small API server of ConfigMaps as an ASGI app, with switches for everything that may go wrong.

Revisions, lists and watches behave as Kubernetes'; there is no validation, no chain, no storage.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs

import orjson

from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupResource, GroupVersionResource
from generic.types import JSONObject, Message, Receive, Scope, Send

GVR = GroupVersionResource("", "v1", "configmaps")
RESOURCE = GroupResource("", "configmaps")
Key = tuple[str, str]


def configmap(name: str, namespace: str = "default", **data: str) -> JSONObject:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": dict(data),
    }


async def read_body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        assert message["type"] == "http.request"
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def reply(send: Send, obj: Any, *, status: int = 200, headers: Any = ()) -> None:
    body = obj if isinstance(obj, bytes) else orjson.dumps(obj)
    sent = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


class FakeAPI:
    """`objects` is the truth; `requests` says what was asked."""

    def __init__(self) -> None:
        self.revision = 1
        self.compacted = 0
        self.objects: dict[Key, JSONObject] = {}
        self.log: list[tuple[int, str, JSONObject]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.failures: list[Callable[[str, dict[str, str]], Exception | None]] = []
        self.watches = 0
        self.short_watches = False
        self.bare_items = False
        self.page_limit = 0
        self._generation = 0
        self._moved = asyncio.Condition()

    # The world changes.

    async def put(self, obj: JSONObject) -> JSONObject:
        key = (obj["metadata"]["namespace"], obj["metadata"]["name"])
        self.revision += 1
        stored = copy.deepcopy(obj)
        known = self.objects.get(key, {"metadata": {"uid": f"uid-{self.revision}"}})
        stored["metadata"] |= {"resourceVersion": str(self.revision), "uid": known["metadata"]["uid"]}
        self.log.append((self.revision, "MODIFIED" if key in self.objects else "ADDED", stored))
        self.objects[key] = stored
        await self._notify()
        return copy.deepcopy(stored)

    async def remove(self, name: str, namespace: str = "default") -> JSONObject:
        stored = copy.deepcopy(self.objects.pop((namespace, name)))
        self.revision += 1
        stored["metadata"]["resourceVersion"] = str(self.revision)
        self.log.append((self.revision, "DELETED", stored))
        await self._notify()
        return stored

    async def bookmark(self) -> None:
        self.revision += 1
        metadata = {"resourceVersion": str(self.revision)}
        self.log.append((self.revision, "BOOKMARK", {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata}))
        await self._notify()

    async def compact(self) -> None:
        """Forget all history; watches from before end with 410."""
        self.compacted = self.revision
        await self._notify()

    async def restore(self) -> None:
        """The storage is replaced by one with less history, as from a backup; every watch ends."""
        self.revision = 1
        self.log.clear()
        await self.disconnect()

    async def disconnect(self) -> None:
        """End every watch at once, without a word."""
        self._generation += 1
        await self._notify()

    def fail_once(self, verb: str, error: Exception) -> None:
        """The next request of this verb fails so."""

        def failure(asked: str, _: dict[str, str]) -> Exception | None:
            return error if asked == verb else None

        self.failures.append(failure)

    async def _notify(self) -> None:
        async with self._moved:
            self._moved.notify_all()

    # ASGI.

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = {name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()}
        verb = self._verb(scope, query)
        self.requests.append((verb, scope["path"], query))
        body = await read_body(receive)
        try:
            for failure in self.failures:
                if (error := failure(verb, query)) is not None:
                    self.failures.remove(failure)
                    raise error
            if verb == "watch":
                await self._watch(query, scope, receive=receive, send=send)
            else:
                await reply(send, await self._answer(verb, scope["path"], query, body=body))
        except StatusError as error:
            headers = [] if error.retry_after is None else [(b"retry-after", str(error.retry_after).encode())]
            await reply(send, error.to_status(), status=error.code, headers=headers)

    @staticmethod
    def _verb(scope: Scope, query: dict[str, str]) -> str:
        named = not scope["path"].endswith("/configmaps")
        if scope["method"] == "GET":
            return "get" if named else ("watch" if query.get("watch") == "true" else "list")
        return {"POST": "create", "PUT": "update", "DELETE": "delete", "PATCH": "patch"}[scope["method"]]

    async def _answer(self, verb: str, path: str, query: dict[str, str], *, body: bytes) -> JSONObject:
        namespace, name = self._target(path)
        if verb == "list":
            return self._list(namespace, query)
        if verb == "create":
            obj = orjson.loads(body)
            name = obj["metadata"]["name"]
            if (namespace, name) in self.objects:
                raise errors.already_exists(RESOURCE, name)
            return await self.put(obj)
        current = self.objects.get((namespace, name))
        if current is None:
            raise errors.not_found(RESOURCE, name)
        if verb == "update":
            obj = orjson.loads(body)
            expected = obj["metadata"].get("resourceVersion")
            if expected and expected != current["metadata"]["resourceVersion"]:
                raise errors.conflict(RESOURCE, name, errors.MODIFIED)
            return await self.put(obj)
        if verb == "delete":
            return await self.remove(name, namespace)
        return current

    @staticmethod
    def _target(path: str) -> Key:
        parts = path.removeprefix("/api/v1/").split("/")
        namespace = parts[1] if parts[0] == "namespaces" else ""
        rest = parts[2:] if namespace else parts
        return namespace, rest[1] if len(rest) > 1 else ""

    def _check_revision(self, query: dict[str, str]) -> int:
        revision = int(query.get("resourceVersion") or 0)
        if revision > self.revision:
            raise errors.resource_version_too_large(revision, self.revision)
        return revision

    def _list(self, namespace: str, query: dict[str, str]) -> JSONObject:
        self._check_revision(query)
        items = [obj for key, obj in sorted(self.objects.items()) if namespace in ("", key[0])]
        start, limit, metadata = 0, int(query.get("limit", 0)), {"resourceVersion": str(self.revision)}
        limit = min(limit, self.page_limit) if self.page_limit else limit
        if token := query.get("continue"):
            start, at = (int(part) for part in token.split("."))
            if at < self.compacted:
                raise errors.expired("The provided continue parameter is too old")
            metadata["resourceVersion"] = str(at)
        if limit and start + limit < len(items):
            metadata["continue"] = f"{start + limit}.{metadata['resourceVersion']}"
            items = items[start : start + limit]
        else:
            items = items[start:]
        if self.bare_items:
            items = [{key: value for key, value in obj.items() if key not in ("kind", "apiVersion")} for obj in items]
        return {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items}

    async def _watch(self, query: dict[str, str], scope: Scope, *, receive: Receive, send: Send) -> None:
        namespace, _ = self._target(scope["path"])
        seen = self._check_revision(query)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        leaver = asyncio.ensure_future(self._until_gone(receive))
        self.watches += 1
        await self._notify()
        try:
            async for line in self._lines(namespace, seen, query, gone=leaver):
                await send({"type": "http.response.body", "body": line, "more_body": True})
        finally:
            self.watches -= 1
            leaver.cancel()
            await self._notify()
        await send({"type": "http.response.body", "body": b""})

    async def _until_gone(self, receive: Receive) -> None:
        message: Message = {"type": ""}
        while message["type"] != "http.disconnect":
            message = await receive()
        await self._notify()

    async def _lines(
        self, namespace: str, seen: int, query: dict[str, str], *, gone: asyncio.Future[None]
    ) -> AsyncIterator[bytes]:
        generation = self._generation
        if query.get("sendInitialEvents") == "true":
            for key, obj in sorted(self.objects.items()):
                if namespace in ("", key[0]):
                    yield self._line("ADDED", obj)
            seen = self.revision
            yield self._line("BOOKMARK", self._initial_end())
        elif not seen:
            seen = self.revision
        if self.short_watches:
            return
        while not gone.done() and generation == self._generation:
            if seen < self.compacted:
                yield self._line("ERROR", errors.expired(f"too old resource version: {seen}").to_status())
                return
            for revision, kind, obj in [entry for entry in self.log if entry[0] > seen]:
                seen = revision
                if kind == "BOOKMARK" or namespace in ("", obj["metadata"]["namespace"]):
                    yield self._line(kind, obj)
            async with self._moved:
                # wait(), not wait_for(): the loop above looks at everything anyway.
                if self.revision == seen and not gone.done() and generation == self._generation:
                    await self._moved.wait()

    def _initial_end(self) -> JSONObject:
        annotations = {"k8s.io/initial-events-end": "true"}
        metadata = {"resourceVersion": str(self.revision), "annotations": annotations}
        return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata}

    @staticmethod
    def _line(kind: str, obj: JSONObject) -> bytes:
        return orjson.dumps({"type": kind, "object": obj}) + b"\n"

    async def until(self, condition: Callable[[], bool]) -> None:
        """Return when it holds; looked at whenever something happens here."""
        async with self._moved:
            await self._moved.wait_for(condition)
