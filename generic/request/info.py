"""RequestInfo: what a request asks for, read off its method and path alone.

Made once by the handler chain, read by everything behind it. Mirrors
`apiserver/pkg/endpoints/request/requestinfo.go`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from generic.meta.gvk import GroupResource, GroupVersion

_VERB_OF_METHOD = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_SPECIAL_VERBS = {"proxy", "watch"}
_NAMESPACE_SUBRESOURCES = {"status", "finalize"}
_LONG_RUNNING_VERBS = {"watch", "proxy"}
_LONG_RUNNING_SUBRESOURCES = {"attach", "exec", "proxy", "log", "portforward"}


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """The attributes of a request. For a non-resource request only `path` and `verb` are set."""

    path: str
    verb: str
    is_resource_request: bool = False
    api_prefix: str = ""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    parts: tuple[str, ...] = ()
    label_selector: str = ""
    field_selector: str = ""

    @property
    def group_version(self) -> GroupVersion:
        return GroupVersion(self.group, self.version)

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.group, self.resource)

    @property
    def is_long_running(self) -> bool:
        """Watches and streams: exempt from the request deadline and from max-in-flight."""
        return self.verb in _LONG_RUNNING_VERBS or self.subresource in _LONG_RUNNING_SUBRESOURCES


def resolve(method: str, path: str, query: str) -> RequestInfo:
    """Work out the RequestInfo of a request. `query` is the raw query string.

    A name given only as `fieldSelector=metadata.name=x` counts as the name, so that authorization
    by resourceNames covers informers on one object.
    """
    info = _resolve_path(method, path)
    if not info.is_resource_request or not query or info.verb not in {"list", "deletecollection", "watch"}:
        return info
    return _with_query(info, dict(parse_qsl(query, keep_blank_values=True)))


@lru_cache(maxsize=8192)
def _resolve_path(method: str, path: str) -> RequestInfo:
    non_resource = RequestInfo(path, method.lower())
    parts = [part for part in path.strip("/").split("/") if part]
    if len(parts) < 3 or parts[0] not in {"api", "apis"}:
        return non_resource
    prefix = parts.pop(0)
    group = ""
    if prefix == "apis":
        if len(parts) < 3:
            return non_resource
        group = parts.pop(0)
    version = parts.pop(0)
    verb = _VERB_OF_METHOD.get(method, "")
    if parts[0] in _SPECIAL_VERBS:
        if len(parts) < 2:
            return non_resource
        verb = parts.pop(0)

    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    resource = parts[0]
    name = parts[1] if len(parts) > 1 else ""
    subresource = parts[2] if len(parts) > 2 else ""
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    return RequestInfo(
        path=path,
        verb=verb,
        is_resource_request=True,
        api_prefix=prefix,
        group=group,
        version=version,
        namespace=namespace,
        resource=resource,
        subresource=subresource,
        name=name,
        parts=tuple(parts),
    )


def _with_query(info: RequestInfo, query: Mapping[str, str]) -> RequestInfo:
    verb = info.verb
    if verb == "list" and query.get("watch", "").lower() in {"1", "t", "true"}:
        verb = "watch"
    field_selector = query.get("fieldSelector", "")
    name = info.name
    if not name and field_selector:
        for requirement in field_selector.split(","):
            key, equals, value = requirement.partition("=")
            if key == "metadata.name" and equals:
                name = value.removeprefix("=")
    return RequestInfo(
        path=info.path,
        verb=verb,
        is_resource_request=True,
        api_prefix=info.api_prefix,
        group=info.group,
        version=info.version,
        namespace=info.namespace,
        resource=info.resource,
        subresource=info.subresource,
        name=name,
        parts=info.parts,
        label_selector=query.get("labelSelector", ""),
        field_selector=field_selector,
    )
