"""RequestInfo: what a request asks for, read off its method and path alone.

Made once by the handler chain, read by everything behind it. Mirrors
`apiserver/pkg/endpoints/request/requestinfo.go`.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import parse_qsl

from generic.meta.gvk import GroupResource, GroupVersion
from generic.meta.selectors import FieldSelector

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
_VERBS_WITH_SELECTORS = {"list", "deletecollection", "watch"}
_SAYS_NO = {"false", "0"}
_LONGEST_REMEMBERED = 512
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
    streams: bool = False
    """A server says so of its own: the subresource takes its connections over."""

    @property
    def group_version(self) -> GroupVersion:
        return GroupVersion(self.group, self.version)

    @property
    def group_resource(self) -> GroupResource:
        return GroupResource(self.group, self.resource)

    @property
    def is_long_running(self) -> bool:
        """Watches and streams: exempt from the request deadline and from max-in-flight."""
        return self.streams or self.verb in _LONG_RUNNING_VERBS or self.subresource in _LONG_RUNNING_SUBRESOURCES


def resolve(method: str, path: str, query: str) -> RequestInfo:
    """Work out the RequestInfo of a request. `query` is the raw query string. Never fails.

    A name given only as `fieldSelector=metadata.name=x` counts as the name of a list or watch, so that
    authorization by resourceNames covers informers on one object.
    """
    # What is remembered must not grow with what strangers send: no real path is this long.
    info = _resolve_path(method, path) if len(path) <= _LONGEST_REMEMBERED else _work_out(method, path)
    if not query or not info.is_resource_request or info.verb not in _VERBS_WITH_SELECTORS:
        return info
    return _with_query(info, query)


@lru_cache(maxsize=8192)
def _resolve_path(method: str, path: str) -> RequestInfo:
    return _work_out(method, path)


def _work_out(method: str, path: str) -> RequestInfo:
    non_resource = RequestInfo(path, method.lower())
    # Empty parts stay: `/api/v1//pods` names no resource, it is not another spelling of `/api/v1/pods`.
    parts = path.strip("/").split("/")
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
    subresource = parts[2] if len(parts) > 2 and verb != "proxy" else ""
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


def _with_query(info: RequestInfo, query: str) -> RequestInfo:
    given: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        given.setdefault(key, value)
    verb, name = info.verb, info.name
    field_selector = given.get("fieldSelector", "")
    if verb == "list":
        # As Kubernetes reads a boolean parameter: present means true, unless it says no.
        if given.get("watch", "false").lower() not in _SAYS_NO:
            verb = "watch"
        name = _only_name(field_selector)
    return replace(
        info,
        verb=verb,
        name=name,
        label_selector=given.get("labelSelector", ""),
        field_selector=field_selector,
    )


def _only_name(field_selector: str) -> str:
    """The one object name the selector allows; empty if there are several, or if it cannot be parsed."""
    if "metadata.name" not in field_selector:
        return ""
    try:
        name = FieldSelector.parse(field_selector).exact("metadata.name") or ""
    except ValueError:
        return ""
    return "" if name in (".", "..") or "/" in name or "%" in name else name
