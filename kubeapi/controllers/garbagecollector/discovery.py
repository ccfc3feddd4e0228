"""What the garbage collector has to follow, and which resource is meant by an owner reference's kind.

Asked by `following.py` every few seconds; an answer that has not changed costs two calls answered 304. Mirrors
GetDeletableResources of `pkg/controller/garbagecollector/garbagecollector.go` and the part of client-go's RESTMapper
it uses.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from generic.client.rest import Client
from generic.meta.gvk import GroupResource, GroupVersion, GroupVersionKind, GroupVersionResource
from generic.types import JSONObject

IGNORED = frozenset({GroupResource("", "events"), GroupResource("events.k8s.io", "events")})
"""They come in masses, own nothing and go by themselves."""

_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_FOLLOWED_VERBS = {"delete", "list", "watch"}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind and the resource that serves it."""

    gvr: GroupVersionResource
    gvk: GroupVersionKind
    namespaced: bool


@dataclass(frozen=True, slots=True)
class Discovered:
    """What discovery told. A group in `failed` may have more than that."""

    deletable: Mapping[GroupResource, Kind] = field(default_factory=dict)
    """In the preferred version of its group."""
    kinds: Mapping[GroupVersionKind, Kind] = field(default_factory=dict)
    failed: frozenset[str] = frozenset()


class Discovery:
    """Aggregated discovery, read again only when it has changed."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._documents: dict[str, tuple[str, JSONObject]] = {}

    async def changed(self) -> Discovered | None:
        """What there is now; None if that is what was told last. Raises StatusError."""
        fresh = [await self._fetch(path) for path in ("/api", "/apis")]
        if not any(fresh):
            return None
        return read([document for _, document in self._documents.values()])

    async def _fetch(self, path: str) -> bool:
        """Whether there is a new document."""
        headers = {"accept": _AGGREGATED}
        if path in self._documents:
            headers["if-none-match"] = self._documents[path][0]
        reply = await self._client.request("GET", path, headers=headers)
        if reply.status == 304:
            return False
        self._documents[path] = reply.headers.get("etag", ""), reply.json()
        return True


def read(documents: list[JSONObject]) -> Discovered:
    """The documents, from the most preferred group and version to the least."""
    deletable: dict[GroupResource, Kind] = {}
    kinds: dict[GroupVersionKind, Kind] = {}
    failed: set[str] = set()
    for document in documents:
        for group in document.get("items") or ():
            name = (group.get("metadata") or {}).get("name") or ""
            for version in group.get("versions") or ():
                if version.get("freshness") == "Stale":
                    failed.add(name)
                    continue
                for kind, verbs in _kinds(GroupVersion(name, version["version"]), version):
                    kinds.setdefault(kind.gvk, kind)
                    resource = kind.gvr.group_resource
                    if verbs >= _FOLLOWED_VERBS and resource not in IGNORED:
                        deletable.setdefault(resource, kind)
    return Discovered(deletable, kinds, frozenset(failed))


def _kinds(group_version: GroupVersion, version: JSONObject) -> Iterator[tuple[Kind, set[str]]]:
    for resource in version.get("resources") or ():
        told = resource.get("responseKind") or {}
        if told.get("kind"):
            gvr = group_version.with_resource(resource["resource"])
            namespaced = resource.get("scope") == "Namespaced"
            kind = Kind(gvr, group_version.with_kind(told["kind"]), namespaced)
            yield kind, set(resource.get("verbs") or ())
