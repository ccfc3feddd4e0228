"""Lookup: the objects tokens speak of, read from this server's own caches.

Used by `issuer.py` when a token is made and `authenticator.py` whenever one is shown.
"""

from typing import Protocol

from generic.storage.objects import StoredObject
from generic.types import JSONObject


class Reader(Protocol):
    """The part of a Cacher that is needed here."""

    def peek(self, namespace: str, name: str) -> StoredObject | None: ...

    async def get(self, namespace: str, name: str, *, resource_version: str = "") -> StoredObject | None: ...


class Lookup:
    """Reads service accounts, pods, secrets and nodes."""

    def __init__(self, *, accounts: Reader, pods: Reader, secrets: Reader, nodes: Reader) -> None:
        self._readers = {"ServiceAccount": accounts, "Pod": pods, "Secret": secrets, "Node": nodes}

    async def find(self, kind: str, namespace: str, name: str) -> JSONObject | None:
        """What the cache has, or else what storage has: an object made a moment ago is found. Raises StatusError."""
        reader = self._readers[kind]
        found = reader.peek(namespace, name) or await reader.get(namespace, name)
        return found.decoded() if found is not None else None
