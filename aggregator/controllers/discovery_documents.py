"""What a remote server's discovery documents say of one group-version, as APIResourceDiscovery objects.

Pure functions, called by `discovery.py` with bodies from servers we do not trust. Nothing is copied that is not known
and of the right type: one bad entry would make the whole document unreadable for clients. Mirrors
ConvertGroupVersionIntoToDiscovery of `apiserver/pkg/endpoints/installer.go`.
"""

from typing import Any

import orjson

from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

Resources = tuple[JSONObject, ...]


def listed(body: bytes) -> list[GroupVersion]:
    """The group-versions of an APIGroupDiscoveryList. Raises ValueError."""
    return [
        GroupVersion(_name(_object(group.get("metadata")), "name"), _name(version, "version"))
        for group in _objects(_object(orjson.loads(body)), "items")
        for version in _objects(group, "versions")
    ]


def aggregated(body: bytes, group_version: GroupVersion) -> Resources:
    """From an APIGroupDiscoveryList. Raises ValueError, also if the group-version is not in it."""
    for group in _objects(_object(orjson.loads(body)), "items"):
        if _object(group.get("metadata")).get("name") != group_version.group:
            continue
        for version in _objects(group, "versions"):
            if version.get("version") == group_version.version:
                return tuple(_copied(one, group_version) for one in _objects(version, "resources"))
    raise ValueError(f"the server does not list {group_version}")


def _copied(one: JSONObject, group_version: GroupVersion) -> JSONObject:
    made: JSONObject = {
        "resource": _name(one, "resource"),
        "responseKind": _kind(one.get("responseKind") or {}, group_version),
        "scope": "Namespaced" if one.get("scope") == "Namespaced" else "Cluster",
        "singularResource": _text(one, "singularResource"),
        "verbs": _texts(one, "verbs"),
        **_optional(one),
    }
    subresources = [
        {
            "subresource": _name(sub, "subresource"),
            "responseKind": _kind(sub.get("responseKind") or {}, group_version),
            "verbs": _texts(sub, "verbs"),
        }
        for sub in _objects(one, "subresources")
    ]
    return {**made, "subresources": subresources} if subresources else made


def legacy(body: bytes, group_version: GroupVersion) -> Resources:
    """From an APIResourceList. Raises ValueError."""
    made: dict[str, JSONObject] = {}
    for one in _objects(_object(orjson.loads(body)), "resources"):
        parent, slash, name = _name(one, "name").partition("/")
        scope = "Namespaced" if one.get("namespaced") is True else "Cluster"
        kind, verbs = _kind(one, group_version), _texts(one, "verbs")
        # A subresource may come before its parent, or without one.
        held = made.setdefault(parent, {"resource": parent, "scope": scope, "singularResource": "", "verbs": []})
        if slash:
            held.setdefault("subresources", []).append({"subresource": name, "responseKind": kind, "verbs": verbs})
        else:
            own = {"responseKind": kind, "scope": scope, "singularResource": _text(one, "singularName")}
            held.update(own, verbs=verbs, **_optional(one))
    return tuple(made.values())


def _optional(one: JSONObject) -> JSONObject:
    return {key: _texts(one, key) for key in ("shortNames", "categories") if one.get(key)}


def _kind(one: JSONObject, group_version: GroupVersion) -> JSONObject:
    _object(one)
    return {
        "group": _text(one, "group") or group_version.group,
        "version": _text(one, "version") or group_version.version,
        "kind": _text(one, "kind"),
    }


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


def _object(value: Any) -> JSONObject:
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    return value


def _objects(found: JSONObject, key: str) -> list[JSONObject]:
    value = found.get(key) or []
    if not isinstance(value, list):
        raise ValueError(f"{key} is not a list")
    return [_object(one) for one in value]
