"""What admission plugins read of a watch cache of this server, which is never behind what was written through it."""

from collections.abc import Sequence
from typing import Protocol

from generic.storage.objects import StoredObject


class Reader(Protocol):
    """The part of a Cacher that is needed."""

    async def start(self) -> None: ...

    async def get(self, namespace: str, name: str, *, resource_version: str = "") -> StoredObject | None: ...

    def peek(self, namespace: str, name: str) -> StoredObject | None: ...

    def peek_all(self, namespace: str = "") -> Sequence[StoredObject]: ...
