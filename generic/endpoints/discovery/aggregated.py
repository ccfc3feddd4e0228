"""Aggregated discovery (`apidiscovery.k8s.io/v2`): every group, version and resource in one document.

One `DiscoveryManager` is shared by the whole chain: each server adds its own group-versions, the
aggregator adds those of remote servers. The document is kept as bytes with its ETag and made anew
only when something changed. Mirrors `apiserver/pkg/endpoints/discovery/aggregated` and KEP-3352.
"""

import enum
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

import orjson

from generic.meta.gvk import GroupVersion, version_sort_key
from generic.registry.rest import InstalledResource
from generic.types import JSONObject

GROUP = "apidiscovery.k8s.io"
CONTENT_TYPE = f"application/json;g={GROUP};v=v2;as=APIGroupDiscoveryList"


class Source(enum.IntEnum):
    """Who told of a group-version; where several did, the lowest wins."""

    AGGREGATOR = 0
    BUILTIN = 1
    CRD = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """One group-version as one source tells it. Priorities: higher first."""

    group_version: GroupVersion
    resources: tuple[JSONObject, ...]
    source: Source
    group_priority: int = 0
    version_priority: int = 0
    fresh: bool = True


class DiscoveryManager:
    """The group-versions of the whole chain, and the documents made of them."""

    def __init__(self) -> None:
        self._entries: dict[tuple[GroupVersion, Source], Entry] = {}
        self._priorities: dict[GroupVersion, tuple[int, int]] = {}
        self._documents: dict[bool, tuple[bytes, str]] = {}
        self.renderings = 0
        """How often a document has been made anew."""

    def put(self, entry: Entry) -> None:
        """Add a group-version, or replace what this source told of it."""
        if entry.group_version in self._priorities:
            entry = self._ordered(entry)
        key = (entry.group_version, entry.source)
        if self._entries.get(key) != entry:
            self._entries[key] = entry
            self._documents.clear()

    def remove(self, group_version: GroupVersion, source: Source) -> None:
        if self._entries.pop((group_version, source), None) is not None:
            self._documents.clear()

    def set_priorities(self, group_version: GroupVersion, *, group_priority: int, version_priority: int) -> None:
        """Order a group-version as its APIService says, whatever its source and whenever it comes."""
        self._priorities[group_version] = group_priority, version_priority
        for (of, _), entry in list(self._entries.items()):
            if of == group_version:
                self.put(entry)

    def _ordered(self, entry: Entry) -> Entry:
        group_priority, version_priority = self._priorities[entry.group_version]
        return replace(entry, group_priority=group_priority, version_priority=version_priority)

    def document(self, *, core: bool) -> tuple[bytes, str]:
        """JSON and ETag of the document at `/api` (`core`) or `/apis`."""
        if core not in self._documents:
            self.renderings += 1
            body = orjson.dumps(self._render(core=core))
            # Kubernetes quotes the upper-case hexadecimal SHA-512 of the document.
            self._documents[core] = body, f'"{hashlib.sha512(body).hexdigest().upper()}"'
        return self._documents[core]

    def _render(self, *, core: bool) -> JSONObject:
        chosen: dict[GroupVersion, Entry] = {}
        for (group_version, _), entry in sorted(self._entries.items(), key=lambda item: item[0][1]):
            if (group_version.group == "") == core:
                chosen.setdefault(group_version, entry)
        groups: dict[str, list[Entry]] = {}
        for entry in chosen.values():
            groups.setdefault(entry.group_version.group, []).append(entry)
        ordered = sorted(groups.items(), key=lambda item: (-max(e.group_priority for e in item[1]), item[0]))
        items = [_group(group, entries) for group, entries in ordered]
        return {"kind": "APIGroupDiscoveryList", "apiVersion": f"{GROUP}/v2", "metadata": {}, "items": items}


def _group(group: str, entries: list[Entry]) -> JSONObject:
    entries.sort(key=lambda e: (-e.version_priority, version_sort_key(e.group_version.version)))
    versions = [
        {
            "version": entry.group_version.version,
            **({"resources": list(entry.resources)} if entry.resources else {}),
            "freshness": "Current" if entry.fresh else "Stale",
        }
        for entry in entries
    ]
    metadata = {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None}
    return {"metadata": metadata, "versions": versions}


def describe(installed: Iterable[InstalledResource]) -> tuple[JSONObject, ...]:
    """The APIResourceDiscovery of installed resources."""
    return tuple(_describe(entry) for entry in sorted(installed, key=lambda entry: entry.resource.gvr.resource))


def _describe(entry: InstalledResource) -> JSONObject:
    resource = entry.resource
    scope = "Namespaced" if resource.namespaced else "Cluster"
    shown: JSONObject = {
        "resource": resource.gvr.resource,
        "responseKind": resource.gvk._asdict(),
        "scope": scope,
        "singularResource": resource.singular,
        "verbs": entry.verbs(),
    }
    if resource.short_names:
        shown["shortNames"] = list(resource.short_names)
    if resource.categories:
        shown["categories"] = list(resource.categories)
    if entry.subresources:
        shown["subresources"] = [
            {"subresource": name, "responseKind": sub.gvk._asdict(), "verbs": entry.verbs(name)}
            for name, sub in sorted(entry.subresources.items())
        ]
    return shown
