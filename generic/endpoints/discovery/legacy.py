"""The legacy discovery documents: APIVersions, APIGroupList, APIGroup and APIResourceList.

Pure functions from installed resources to documents, called by GenericServer and by the aggregator.
Mirrors `apiserver/pkg/endpoints/discovery`.
"""

import base64
import hashlib
from collections.abc import Iterable, Sequence

from generic.meta.gvk import GroupVersion, version_sort_key
from generic.registry.rest import InstalledResource
from generic.types import JSONObject


def api_resource_list(group_version: GroupVersion, installed: Iterable[InstalledResource]) -> JSONObject:
    """What `/apis/<group>/<version>` answers."""
    resources: list[JSONObject] = []
    for entry in sorted(installed, key=lambda entry: entry.resource.gvr.resource):
        resources += _entries(entry)
    document: JSONObject = {"kind": "APIResourceList"}
    if group_version.group:
        # That of `/api/v1` has had none since Kubernetes 1.0.
        document["apiVersion"] = "v1"
    return {**document, "groupVersion": str(group_version), "resources": resources}


def _entries(entry: InstalledResource) -> list[JSONObject]:
    resource = entry.resource
    listed: JSONObject = {
        "name": resource.gvr.resource,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": entry.verbs(),
    }
    if resource.short_names:
        listed["shortNames"] = list(resource.short_names)
    if resource.categories:
        listed["categories"] = list(resource.categories)
    if "list" in listed["verbs"] and "create" in listed["verbs"]:
        listed["storageVersionHash"] = storage_version_hash(
            resource.storage_version or resource.group_version, resource.kind
        )
    result = [listed]
    for name, subresource in sorted(entry.subresources.items()):
        shown: JSONObject = {
            "name": f"{resource.gvr.resource}/{name}",
            "singularName": "",
            "namespaced": resource.namespaced,
            "kind": subresource.gvk.kind,
            "verbs": entry.verbs(name),
        }
        if subresource.gvk.group_version != resource.group_version:
            shown["group"], shown["version"] = subresource.gvk.group, subresource.gvk.version
        result.append(shown)
    return result


def storage_version_hash(group_version: GroupVersion, kind: str) -> str:
    """Identifies the version objects are stored in: 8 bytes of SHA-256 over group/version/kind, base64."""
    digest = hashlib.sha256(f"{group_version.group}/{group_version.version}/{kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def api_group(group: str, versions: Sequence[str], *, preferred: str = "") -> JSONObject:
    """What `/apis/<group>` answers. `versions` are in the order to list; the first is preferred unless told."""
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    chosen = preferred or versions[0]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": group,
        "versions": listed,
        "preferredVersion": {"groupVersion": f"{group}/{chosen}", "version": chosen},
    }


def api_group_list(groups: Iterable[JSONObject]) -> JSONObject:
    """What `/apis` answers."""
    bare = [{key: value for key, value in group.items() if key not in ("kind", "apiVersion")} for group in groups]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": bare}


def api_versions(server_address: str, versions: Sequence[str] = ("v1",)) -> JSONObject:
    """What `/api` answers."""
    return {
        "kind": "APIVersions",
        "versions": list(versions),
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": server_address}],
    }


def in_version_order(versions: Iterable[str]) -> list[str]:
    """Most preferred first."""
    return sorted(versions, key=version_sort_key)
