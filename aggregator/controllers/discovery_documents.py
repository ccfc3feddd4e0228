"""What a remote server's discovery documents say of one group-version, as APIResourceDiscovery objects.

Pure functions, called by `discovery.py` and `upstream.py` with documents from servers we do not trust. Nothing is
copied that is not known and of the right type: one bad entry would make the whole document unreadable for clients.
Mirrors ConvertGroupVersionIntoToDiscovery of `apiserver/pkg/endpoints/installer.go`.
"""

from generic.meta import untrusted
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

Resources = tuple[JSONObject, ...]

_PARENT = {"responseKind": {"group": "", "version": "", "kind": ""}, "singularResource": "", "verbs": []}
"""Of a subresource, when nothing is said of it."""


def listed(document: JSONObject) -> dict[GroupVersion, bool]:
    """The group-versions of an APIGroupDiscoveryList, and whether each is fresh. Raises ValueError."""
    return {
        GroupVersion(_name(untrusted.json_object(group.get("metadata")), "name"), _name(version, "version")): (
            version.get("freshness") != "Stale"
        )
        for group in _objects(document, "items")
        for version in _objects(group, "versions")
    }


def aggregated(document: JSONObject, group_version: GroupVersion) -> Resources:
    """From an APIGroupDiscoveryList; empty if the group-version is not in it. Raises ValueError."""
    for group in _objects(document, "items"):
        if untrusted.json_object(group.get("metadata")).get("name") != group_version.group:
            continue
        for version in _objects(group, "versions"):
            if version.get("version") == group_version.version:
                return tuple(_copied(one) for one in _objects(version, "resources"))
    return ()


def _copied(one: JSONObject) -> JSONObject:
    made: JSONObject = {
        "resource": _name(one, "resource"),
        "responseKind": _kind(one.get("responseKind") or {}),
        "scope": "Namespaced" if one.get("scope") == "Namespaced" else "Cluster",
        "singularResource": _text(one, "singularResource"),
        "verbs": _texts(one, "verbs"),
        **_optional(one),
    }
    subresources = [
        {
            "subresource": _name(sub, "subresource"),
            "responseKind": _kind(sub.get("responseKind") or {}),
            "verbs": _texts(sub, "verbs"),
        }
        for sub in _objects(one, "subresources")
    ]
    return {**made, "subresources": subresources} if subresources else made


def legacy(document: JSONObject) -> Resources:
    """From an APIResourceList. Raises ValueError."""
    made: dict[str, JSONObject] = {}
    for one in _objects(document, "resources"):
        parent, slash, name = _name(one, "name").partition("/")
        scope = "Namespaced" if one.get("namespaced") is True else "Cluster"
        kind, verbs = _kind(one), _texts(one, "verbs")
        # A subresource may come before its parent, or without one.
        held = made.setdefault(parent, {**_PARENT, "resource": parent, "scope": scope})
        if slash:
            held.setdefault("subresources", []).append({"subresource": name, "responseKind": kind, "verbs": verbs})
        else:
            own = {"responseKind": kind, "scope": scope, "singularResource": _text(one, "singularName")}
            held.update(own, verbs=verbs, **_optional(one))
    return tuple(made.values())


def _optional(one: JSONObject) -> JSONObject:
    return {key: _texts(one, key) for key in ("shortNames", "categories") if one.get(key)}


def _kind(one: JSONObject) -> JSONObject:
    """Never left out: old clients cannot do without. Empty members stand for the group-version itself."""
    untrusted.json_object(one)
    return {key: _text(one, key) for key in ("group", "version", "kind")}


def _text(found: JSONObject, key: str) -> str:
    value = found.get(key) or ""
    if not isinstance(value, str):
        raise ValueError(f"{key} is not a string")
    return value


def _name(found: JSONObject, key: str) -> str:
    value = _text(found, key)
    if not value:
        raise ValueError(f"{key} is missing")
    return value


def _texts(found: JSONObject, key: str) -> list[str]:
    value = found.get(key) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{key} is not a list of strings")
    return value


def _objects(found: JSONObject, key: str) -> list[JSONObject]:
    value = found.get(key) or []
    if not isinstance(value, list):
        raise ValueError(f"{key} is not a list")
    return [untrusted.json_object(one) for one in value]
