"""Client: Kubernetes calls by resource, in process or over TLS.

Used by every controller, by informers, and by what asks another server (delegated authentication).
How a call gets there is `sending`'s concern, how a watch is read `watching`'s. Mirrors `client-go/rest` and
`client-go/dynamic`.
"""

from collections.abc import Mapping
from typing import Literal, Self, cast
from urllib.parse import quote

from generic.client import tls
from generic.client.kubeconfig import ClientConfig
from generic.client.loopback import LoopbackTransport
from generic.client.sending import JSON, Body, Query, Reply, Sender
from generic.client.watching import Watch
from generic.meta import names
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
"""What to accept when the metadata is enough: of one object or a watch, and of a list."""

Propagation = Literal["", "Orphan", "Background", "Foreground"]

_NAME_SAFE = "!$&'()*+,;=:@~"


class Client:
    """Every call raises StatusError when the server refuses, and its subclass TransportError when it is not reached.

    Objects are decoded JSON, the caller's own. Calls may run concurrently; `aclose` once, at the end.
    """

    def __init__(self, sender: Sender) -> None:
        """Rather use `loopback` or `connect`."""
        self._sender = sender

    @classmethod
    def loopback(cls, transport: LoopbackTransport) -> Self:
        """A client of this very process, as system:apiserver."""
        return cls(Sender(transport, transport))

    @classmethod
    def connect(cls, config: ClientConfig, *, http2: bool = True) -> Self:
        """A client of the server a kubeconfig names; nothing is sent yet. Raises KubeconfigError."""
        return cls(
            Sender(
                tls.calls(config, http2=http2),
                tls.streams(config),
                server=config.server,
                credentials=tls.credentials(config),
                server_name=config.tls_server_name,
            )
        )

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """The same client with more headers on each call: `user-agent` names the field manager, `impersonate-user`.

        It shares this one's connections: close only this one.
        """
        return type(self)(self._sender.with_headers(headers))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._sender.aclose()

    # Reading.

    async def get(
        self, gvr: GroupVersionResource, name: str, namespace: str = "", *, subresource: str = ""
    ) -> JSONObject:
        return (await self.request("GET", path_of(gvr, namespace, name=name, subresource=subresource))).json()

    async def list(
        self,
        gvr: GroupVersionResource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 0,
        continue_token: str = "",
        resource_version: str = "",
        resource_version_match: str = "",
        metadata_only: bool = False,
    ) -> JSONObject:
        """The list object, one page of it if limited. Its items say their kind, even where the server left it out.

        `metadata_only`: of each no more than that, if the server can.
        """
        query = _selecting(label_selector, field_selector)
        _put(query, "limit", str(limit) if limit else "")
        _put(query, "continue", continue_token)
        _put(query, "resourceVersion", resource_version)
        _put(query, "resourceVersionMatch", resource_version_match)
        headers = {"accept": METADATA_LIST} if metadata_only else None
        found = (await self.request("GET", path_of(gvr, namespace), query=query, headers=headers)).json()
        _complete_items(found)
        return found

    def watch(
        self,
        gvr: GroupVersionResource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        timeout_seconds: int = 0,
        bookmarks: bool = True,
        send_initial_events: bool = False,
        metadata_only: bool = False,
    ) -> Watch:
        """Events from `resource_version` on; see Watch for how to read and close it. No request is made yet.

        `send_initial_events`: first everything there is, then a BOOKMARK that says so.
        """
        query = {"watch": "true", **_selecting(label_selector, field_selector)}
        _put(query, "resourceVersion", resource_version)
        _put(query, "timeoutSeconds", str(timeout_seconds) if timeout_seconds else "")
        _put(query, "allowWatchBookmarks", "true" if bookmarks else "")
        if send_initial_events:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        path = path_of(gvr, namespace)
        headers = {"accept": METADATA} if metadata_only else None
        return Watch(lambda: self._sender.send("GET", path, query=query, headers=headers, stream=True), path)

    # Writing.

    async def create(
        self,
        gvr: GroupVersionResource,
        obj: JSONObject,
        namespace: str = "",
        *,
        name: str | None = None,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> JSONObject:
        """Create the object, in the namespace it names unless told; `name` and `subresource` for e.g. a binding."""
        path = path_of(gvr, namespace or _namespace(obj), name=name, subresource=subresource)
        return (await self.request("POST", path, query=_writing(field_manager, dry_run=dry_run), body=obj)).json()

    async def update(
        self,
        gvr: GroupVersionResource,
        obj: JSONObject,
        namespace: str = "",
        *,
        subresource: str = "",
        field_manager: str = "",
        dry_run: bool = False,
    ) -> JSONObject:
        """Replace the object of that name; a conflict is 409 if the object says its resourceVersion."""
        path = path_of(gvr, namespace or _namespace(obj), name=obj["metadata"]["name"], subresource=subresource)
        return (await self.request("PUT", path, query=_writing(field_manager, dry_run=dry_run), body=obj)).json()

    async def update_status(
        self, gvr: GroupVersionResource, obj: JSONObject, namespace: str = "", *, field_manager: str = ""
    ) -> JSONObject:
        return await self.update(gvr, obj, namespace, subresource="status", field_manager=field_manager)

    async def patch(
        self,
        gvr: GroupVersionResource,
        name: str,
        patch: Body,
        *,
        content_type: str = MERGE_PATCH,
        namespace: str = "",
        subresource: str = "",
        field_manager: str = "",
        force: bool = False,
        dry_run: bool = False,
    ) -> JSONObject:
        """One of the four patches; APPLY_PATCH needs a field manager, `force` takes fields over from others."""
        query = _writing(field_manager, dry_run=dry_run)
        _put(query, "force", "true" if force else "")
        path = path_of(gvr, namespace, name=name, subresource=subresource)
        return (await self.request("PATCH", path, query=query, body=patch, content_type=content_type)).json()

    async def delete(
        self,
        gvr: GroupVersionResource,
        name: str,
        namespace: str = "",
        *,
        uid: str = "",
        resource_version: str = "",
        propagation: Propagation = "",
        grace_period_seconds: int | None = None,
    ) -> JSONObject:
        """The object as it was, or a Success Status. With `uid` or `resource_version`, 409 unless it is that one."""
        options = _delete_options(propagation, grace_period_seconds)
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        if any(preconditions.values()):
            options["preconditions"] = {key: value for key, value in preconditions.items() if value}
        return (await self.request("DELETE", path_of(gvr, namespace, name=name), body=options)).json()

    async def delete_collection(
        self,
        gvr: GroupVersionResource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        propagation: Propagation = "",
        grace_period_seconds: int | None = None,
    ) -> JSONObject:
        """Delete everything selected."""
        query = _selecting(label_selector, field_selector)
        options = _delete_options(propagation, grace_period_seconds)
        return (await self.request("DELETE", path_of(gvr, namespace), query=query, body=options)).json()

    # Anything else.

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body = None,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> Reply:
        """Any call. With `check` off, a refusal is an answer like any other and is not tried again."""
        response = await self._sender.send(
            method, path, query=query, body=body, content_type=content_type, headers=headers, check=check
        )
        return Reply(response.status_code, cast(Mapping[str, str], response.headers), response.content)


def path_of(gvr: GroupVersionResource, namespace: str = "", *, name: str | None = None, subresource: str = "") -> str:
    """The URL path of a resource, or with a name of an object or a subresource of it.

    Raises ValueError for a name that is none: an empty one would turn a deletion into that of everything.
    """
    path = gvr.group_version.path
    if namespace:
        path = f"{path}/namespaces/{_segment(namespace)}"
    path = f"{path}/{gvr.resource}"
    if name is not None:
        path = f"{path}/{_segment(name)}"
    return f"{path}/{subresource}" if subresource else path


def _segment(name: str) -> str:
    problems = names.path_segment_name(name) if name else ["must not be empty"]
    if problems:
        raise ValueError(f"not a name for a path: {name!r}: {problems[0]}")
    return quote(name, safe=_NAME_SAFE)


def _namespace(obj: JSONObject) -> str:
    return cast(str, obj.get("metadata", {}).get("namespace") or "")


def _put(query: dict[str, str], name: str, value: str) -> None:
    if value:
        query[name] = value


def _selecting(label_selector: str, field_selector: str) -> dict[str, str]:
    query: dict[str, str] = {}
    _put(query, "labelSelector", label_selector)
    _put(query, "fieldSelector", field_selector)
    return query


def _writing(field_manager: str, *, dry_run: bool) -> dict[str, str]:
    query: dict[str, str] = {}
    _put(query, "fieldManager", field_manager)
    _put(query, "dryRun", "All" if dry_run else "")
    return query


def _delete_options(propagation: Propagation, grace_period_seconds: int | None) -> JSONObject:
    options: JSONObject = {"kind": "DeleteOptions", "apiVersion": "v1"}
    if propagation:
        options["propagationPolicy"] = propagation
    if grace_period_seconds is not None:
        options["gracePeriodSeconds"] = grace_period_seconds
    return options


def _complete_items(found: JSONObject) -> None:
    """Items of built-in lists carry neither kind nor apiVersion on a Kubernetes server; the list says both."""
    items = found.get("items") or []
    found["items"] = items
    kind = str(found.get("kind", "")).removesuffix("List")
    if kind and items and "kind" not in items[0]:
        api_version = found.get("apiVersion", "")
        found["items"] = [{"apiVersion": api_version, "kind": kind, **item} for item in items]
