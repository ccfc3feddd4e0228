"""The calls a garbage collector makes: objects of any kind, of which it reads and writes metadata alone.

Called by `collecting.py`. Mirrors `pkg/controller/garbagecollector/{operations,patch}.go`, with merge patches
throughout: they do what is wanted for built-in kinds too.
"""

from collections.abc import Callable
from typing import Any

from generic.client.rest import METADATA, Client, Propagation, path_of
from generic.meta import errors
from generic.types import JSONObject
from kubeapi.controllers.garbagecollector.discovery import Kind
from kubeapi.controllers.garbagecollector.graph import Identity

_NO_ROUTE = "the server could not find the requested resource"


class Objects:
    """Every call raises StatusError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get(self, kind: Kind, namespace: str, name: str) -> JSONObject | None:
        """The object, or at least its metadata; None if the server of its kind says that there is none.

        A server that does not know the kind (any more) raises: it cannot tell.
        """
        try:
            path = path_of(kind.gvr, namespace, name=name)
        except ValueError as error:
            raise errors.bad_request(str(error)) from None
        try:
            return (await self._client.request("GET", path, headers={"accept": METADATA})).json()
        except errors.StatusError as error:
            if not _says_it_is_not_there(error, name):
                raise
        return None

    async def delete(self, identity: Identity, *, resource_version: str, propagation: Propagation) -> bool:
        """Delete that very object in that very state. False if it was gone already."""
        try:
            await self._client.delete(
                identity.kind.gvr,
                identity.name,
                identity.namespace,
                uid=identity.uid,
                resource_version=resource_version,
                propagation=propagation,
            )
        except errors.StatusError as error:
            if not _says_it_is_not_there(error, identity.name):
                raise
            return False
        return True

    async def change(
        self, identity: Identity, latest: JSONObject, key: str, change: Callable[[list[Any]], list[Any]]
    ) -> JSONObject | None:
        """Change a list in the metadata of `latest`. The object afterwards; None if it is gone.

        If somebody else changed the object meanwhile the conflict is raised: who looks again sees what it is now.
        """
        metadata = latest["metadata"]
        before = list(metadata.get(key) or ())
        after = change(before)
        if after == before:
            return latest
        wanted = {"uid": identity.uid, "resourceVersion": metadata["resourceVersion"], key: after or None}
        try:
            return await self._client.patch(
                identity.kind.gvr, identity.name, {"metadata": wanted}, namespace=identity.namespace
            )
        except errors.StatusError as error:
            if not _says_it_is_not_there(error, identity.name):
                raise
        return None


def _says_it_is_not_there(error: errors.StatusError, name: str) -> bool:
    details = error.details or {}
    return error.reason == "NotFound" and details.get("name") == name and not error.message.startswith(_NO_ROUTE)
