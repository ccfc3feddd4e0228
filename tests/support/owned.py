"""Objects that own each other, and the wish to see them gone, for tests of the garbage collector."""

import asyncio

from generic.types import JSONObject
from tests.support.plane import Running

DEFAULT = "/api/v1/namespaces/default"


def owner_reference(owner: JSONObject, *, blocks: bool = False) -> JSONObject:
    """What a dependent says of `owner`."""
    said = {"apiVersion": owner["apiVersion"], "kind": owner["kind"]}
    said |= {key: owner["metadata"][key] for key in ("name", "uid")}
    return {**said, "blockOwnerDeletion": True} if blocks else said


def owned(obj: JSONObject, *owners: JSONObject, blocks: bool = False) -> JSONObject:
    """The object with these owners."""
    refs = [owner_reference(owner, blocks=blocks) for owner in owners]
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": refs}}


def config_map(name: str, *finalizers: str) -> JSONObject:
    metadata: JSONObject = {"name": name}
    if finalizers:
        metadata["finalizers"] = list(finalizers)
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


class Objects:
    """ConfigMaps and the like of one control plane, by path."""

    def __init__(self, plane: Running) -> None:
        self.plane = plane

    async def make(self, obj: JSONObject, collection: str = f"{DEFAULT}/configmaps") -> JSONObject:
        return await self.plane.create(collection, obj)

    async def get(self, name: str, collection: str = f"{DEFAULT}/configmaps") -> JSONObject | None:
        """None if there is none of that name."""
        response = await self.plane.http.get(f"{collection}/{name}")
        assert response.status_code in (200, 404), response.text
        found: JSONObject = response.json()
        return found if response.status_code == 200 else None

    async def delete(self, name: str, policy: str = "", collection: str = f"{DEFAULT}/configmaps") -> JSONObject:
        query = {"propagationPolicy": policy} if policy else {}
        response = await self.plane.http.delete(f"{collection}/{name}", params=query)
        assert response.status_code == 200, response.text
        answer: JSONObject = response.json()
        return answer

    async def patch(self, name: str, patch: JSONObject, collection: str = f"{DEFAULT}/configmaps") -> JSONObject:
        headers = {"content-type": "application/merge-patch+json"}
        response = await self.plane.http.patch(f"{collection}/{name}", json=patch, headers=headers)
        assert response.status_code == 200, response.text
        answer: JSONObject = response.json()
        return answer

    async def gone(self, name: str, collection: str = f"{DEFAULT}/configmaps") -> None:
        """Wait until there is none of that name."""
        async with asyncio.timeout(15):
            while await self.get(name, collection) is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def collected_by_now(self) -> None:
        """Return when the collector has dealt with all that happened before: a fresh orphan of its own is gone.

        For what must stay: it looks at things in the order they happen.
        """
        nobody = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nobody", "uid": "no-such-uid"}}
        for turn in range(2):
            await self.make(owned(config_map(f"canary-{turn}"), nobody))
            await self.gone(f"canary-{turn}")
