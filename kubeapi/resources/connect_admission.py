"""What comes before a connection: the options it is asked for with, admission of them, leave to create.

Put around the storages of `connect_storage.py` by `subresources.py`. Mirrors ConnectResource in
`apiserver/pkg/endpoints/handlers/rest.go`, and of `pkg/registry/core/pod/rest` what asks for `create` as well.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from generic.admission.interface import AdmissionChain, Attributes
from generic.meta import errors
from generic.meta.go_text import quote
from generic.meta.gvk import GroupVersionKind
from generic.registry.rest import Connecter
from generic.registry.store import Store
from generic.request.context import RequestContext
from generic.request.info import RequestInfo
from generic.types import JSONObject, Receive, Scope, Send

_LAST_PORT = 65535
_MOST_DIGITS = 20

Read = Callable[[list[str]], Any]


class AdmittedConnection:
    """A Connecter behind admission. `kind` is that of its options; `upgrades` to a protocol that can change things."""

    def __init__(
        self,
        connection: Connecter,
        parents: Store,
        *,
        kind: GroupVersionKind,
        admission: AdmissionChain,
        upgrades: bool,
    ) -> None:
        self._connection = connection
        self._resource = parents.resource.gvr
        self._kind = kind
        self._admission = admission
        self._upgrades = upgrades

    @property
    def connect_methods(self) -> frozenset[str]:
        return self._connection.connect_methods

    async def connect(
        self, request: RequestContext, namespace: str, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Raises StatusError: what admission, the authorizer or the connection itself says."""
        attributes = Attributes(
            operation="CONNECT",
            request=request,
            resource=self._resource,
            kind=self._kind,
            namespace=namespace,
            name=name,
            subresource=request.info.subresource,
            object=_options(self._kind, request.info, scope),
        )
        await self._admission.admit(attributes)
        await self._admission.validate(attributes)
        if self._upgrades and request.authorize_create is not None:
            await request.authorize_create()
        await self._connection.connect(request, namespace, name, scope, receive, send)


def _options(kind: GroupVersionKind, info: RequestInfo, scope: Scope) -> JSONObject:
    """The query as the options object that admission looks at. Raises 400."""
    given = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    if "dryRun" in given:
        raise errors.bad_request("dryRun is not supported")
    obj: JSONObject = {"kind": kind.kind, "apiVersion": kind.api_version}
    fields = _FIELDS.get(kind.kind)
    if fields is None:
        path = "/" + "/".join(info.parts[3:]) if info.parts[3:] else ""
        if info.path.endswith("/") and not path.endswith("/"):
            path += "/"
        return {**obj, "path": path} if path else obj
    for key, read in fields.items():
        value = read(given[key]) if key in given else None
        # Of these only the command is written when it is empty.
        if value or key == "command":
            obj[key] = value
    return obj


def _first(values: list[str]) -> str:
    return values[0]


def _boolean(values: list[str]) -> bool:
    return values[0] != "0" and values[0].lower() != "false"


def _all(values: list[str]) -> list[str]:
    return values


def _ports(values: list[str]) -> list[int]:
    """One parameter may name several ports."""
    return [_port(text) for value in values for text in value.split(",")]


def _port(text: str) -> int:
    why = "invalid syntax"
    if text.isascii() and text.isdigit():
        if len(text) <= _MOST_DIGITS and int(text) <= _LAST_PORT:
            return int(text)
        why = "value out of range"
    raise errors.bad_request(f"cannot convert to []int32: strconv.ParseUint: parsing {quote(text)}: {why}")


_STREAMS: Mapping[str, Read] = {
    "stdin": _boolean,
    "stdout": _boolean,
    "stderr": _boolean,
    "tty": _boolean,
    "container": _first,
}
_FIELDS: Mapping[str, Mapping[str, Read]] = {
    "PodAttachOptions": _STREAMS,
    "PodExecOptions": {**_STREAMS, "command": _all},
    "PodPortForwardOptions": {"ports": _ports},
}
"""Of the kinds of options; those of proxies have nothing but the path."""
