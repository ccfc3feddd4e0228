"""What REST storage can do, one capability each: endpoints serve the verbs the storage has.

Implemented by `Store` (all of them), by subresources (some), and by anything an author of an
aggregated server brings. Mirrors the interfaces of `apiserver/pkg/registry/rest/rest.go`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple, Protocol, runtime_checkable

from generic.meta.gvk import GroupVersionKind
from generic.registry.options import DeleteOptions, GetOptions, ListOptions, WriteOptions
from generic.registry.resource import Resource
from generic.request.context import RequestContext
from generic.schema.object_schema import ObjectSchema
from generic.storage.cacher import ListResult
from generic.storage.objects import StoredObject
from generic.storage.watch_stream import WatchStream
from generic.types import JSONObject, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Transform:
    """From the stored object (None: there is none) to the wanted one, decoded, defaulted and checked.

    May run several times, each time on a newer object; raises StatusError. `creates_missing`: apply,
    which creates what is not there whatever the strategy says of PUT. `configuration`: of a server-side apply. The
    Store merges it into what is stored before it calls `apply`; storage that puts a Transform of its own around this
    one hands on what the configuration says of the object underneath. `pins_uid`: a uid that the object has is that of
    the object meant, as with PUT; a patch would change it.
    """

    apply: Callable[[JSONObject | None], Awaitable[JSONObject]]
    creates_missing: bool = False
    configuration: JSONObject | None = None
    pins_uid: bool = True


class Written(NamedTuple):
    """What a write left behind, and whether it made the object."""

    object: StoredObject
    created: bool


class Deleted(NamedTuple):
    """`immediate`: the object is gone; otherwise it waits for finalizers or grace."""

    object: StoredObject
    immediate: bool


@runtime_checkable
class Getter(Protocol):
    async def get(self, request: RequestContext, namespace: str, name: str, options: GetOptions) -> StoredObject: ...


@runtime_checkable
class Lister(Protocol):
    async def list(self, request: RequestContext, namespace: str, options: ListOptions) -> ListResult: ...


@runtime_checkable
class Watcher(Protocol):
    async def watch(self, request: RequestContext, namespace: str, options: ListOptions) -> WatchStream: ...


@runtime_checkable
class Creater(Protocol):
    async def create(
        self, request: RequestContext, namespace: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject: ...


@runtime_checkable
class NamedCreater(Protocol):
    """POST to a subresource of a named object (`pods/binding`, `serviceaccounts/token`)."""

    async def create_named(
        self, request: RequestContext, namespace: str, name: str, obj: JSONObject, options: WriteOptions
    ) -> StoredObject: ...


@runtime_checkable
class Updater(Protocol):
    async def update(
        self, request: RequestContext, namespace: str, name: str, transform: Transform, options: WriteOptions
    ) -> Written: ...


@runtime_checkable
class Deleter(Protocol):
    async def delete(self, request: RequestContext, namespace: str, name: str, options: DeleteOptions) -> Deleted: ...


@runtime_checkable
class CollectionDeleter(Protocol):
    async def delete_collection(
        self, request: RequestContext, namespace: str, options: DeleteOptions, selection: ListOptions
    ) -> ListResult: ...


@runtime_checkable
class Connecter(Protocol):
    """Takes the connection over: logs, exec, proxy."""

    async def connect(
        self, request: RequestContext, namespace: str, name: str, scope: Scope, receive: Receive, send: Send
    ) -> None: ...

    @property
    def connect_methods(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Subresource:
    """A named part of a resource, with storage of its own. `gvk` is the kind it speaks, not always its parent's."""

    storage: Any
    gvk: GroupVersionKind
    schema: ObjectSchema | None = None


@dataclass(frozen=True, slots=True)
class InstalledResource:
    """A Resource with its storage: the unit a GenericServer installs, serves and lists in discovery."""

    resource: Resource
    storage: Any
    subresources: Mapping[str, Subresource] = field(default_factory=dict)

    def verbs(self, subresource: str = "") -> list[str]:
        """The verbs discovery lists, in alphabetical order."""
        return verbs_of(self.subresources[subresource].storage if subresource else self.storage)


def connects(storage: Any) -> bool:
    """Whether it is a Connecter. Asked for each request."""
    kind: Any = type(storage)
    return _may_connect(kind) and isinstance(storage, Connecter)


def offers(storage: object, capability: Any) -> bool:
    """Whether it is one of the protocols above, but for Connecter. Asked for each request: isinstance takes 4 us."""
    kind: Any = type(storage)
    return _offers(kind, capability)


def verbs_of(storage: Any) -> list[str]:
    """Verbs by capability, as `apiserver/pkg/endpoints/installer.go` derives them."""
    kind: Any = type(storage)
    verbs = _verbs_of_type(kind)
    if connects(storage):
        by_method = {"GET": "get", "POST": "create", "PUT": "update", "DELETE": "delete", "PATCH": "patch"}
        verbs = verbs.union(by_method[method] for method in storage.connect_methods if method in by_method)
    return sorted(verbs)


_CAPABILITIES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (Creater, ("create",)),
    (NamedCreater, ("create",)),
    (Deleter, ("delete",)),
    (CollectionDeleter, ("deletecollection",)),
    (Getter, ("get",)),
    (Lister, ("list",)),
    (Updater, ("patch", "update")),
    (Watcher, ("watch",)),
)


@cache
def _offers(storage: type, capability: type) -> bool:
    return issubclass(storage, capability)


@cache
def _verbs_of_type(storage: type) -> frozenset[str]:
    """Asked for every resource whenever discovery changes; looking at a protocol's methods takes its time."""
    return frozenset(verb for capability, names in _CAPABILITIES if issubclass(storage, capability) for verb in names)


@cache
def _may_connect(storage: type) -> bool:
    # A protocol with an attribute cannot be asked of a class, and is slow to ask of every object.
    return hasattr(storage, "connect")
