"""How an object is shown: as itself, as a row of a Table, or as metadata only.

Chosen from the Accept header, used by every verb. Mirrors `apiserver/pkg/endpoints/handlers/response.go`.
An object in its storage version is sent as the bytes it is stored in (DESIGN.md section 3).
"""

from collections.abc import Hashable, Sequence
from typing import Protocol

import orjson

from generic.meta import errors, negotiation
from generic.meta.negotiation import META_TRANSFORMS, Accepted, negotiate
from generic.protobuf import envelope
from generic.registry.resource import Resource
from generic.storage.objects import StoredObject
from generic.types import JSONObject

META_V1 = "meta.k8s.io/v1"
MEDIA_TYPES = (*negotiation.SUPPORTED, envelope.MEDIA_TYPE)
STREAM_TYPES = (f"{negotiation.JSON};stream=watch", f"{envelope.MEDIA_TYPE};stream=watch")
_METADATA_ONLY = frozenset(transform for transform in META_TRANSFORMS if transform[0] != "Table")


class Representation(Protocol):
    """Encodes the objects of one resource in one form. Equal `key`s give equal bytes."""

    @property
    def key(self) -> Hashable: ...

    async def prepare(self, objects: Sequence[StoredObject]) -> None:
        """Do beforehand, for all objects at once, what needs waiting (conversion)."""

    def encode(self, obj: StoredObject) -> bytes:
        """One object, as JSON."""

    def list_head(self, metadata: JSONObject) -> bytes:
        """JSON up to and including the opening bracket of the items."""

    def item(self, obj: StoredObject) -> bytes:
        """One object as an item of a list."""


class AsObject:
    """The object itself, in the version asked for."""

    def __init__(self, resource: Resource) -> None:
        self._resource = resource
        self._version = resource.group_version
        self._prefix = b'{"apiVersion":"%b"' % str(self._version).encode()
        self.key: Hashable = ("object", self._version)

    async def prepare(self, objects: Sequence[StoredObject]) -> None:
        converter = self._resource.converter
        if converter is None:
            return
        foreign = [obj for obj in objects if not obj.raw.startswith(self._prefix) and obj.encoding(self.key) is None]
        if not foreign:
            return
        converted = await converter.convert([obj.decoded() for obj in foreign], self._version)
        for stored, obj in zip(foreign, converted, strict=True):
            stored.remember_encoding(self.key, orjson.dumps(obj))

    def encode(self, obj: StoredObject) -> bytes:
        return obj.encoding(self.key) or obj.raw

    def list_head(self, metadata: JSONObject) -> bytes:
        return _list_head(self._resource.list_kind, str(self._version), metadata)

    item = encode


class AsPartialMetadata:
    """`PartialObjectMetadata`: type and metadata only. `api_version`: of that kind, `meta.k8s.io/v1` or `v1beta1`."""

    def __init__(self, api_version: str = META_V1) -> None:
        self.api_version = api_version
        self.key: Hashable = ("partial", api_version)

    async def prepare(self, objects: Sequence[StoredObject]) -> None:
        """Metadata is the same in every version."""

    def encode(self, obj: StoredObject) -> bytes:
        encoded = obj.encoding(self.key)
        if encoded is None:
            encoded = orjson.dumps(partial_metadata(obj.decoded(), self.api_version))
            obj.remember_encoding(self.key, encoded)
        return encoded

    def list_head(self, metadata: JSONObject) -> bytes:
        return _list_head("PartialObjectMetadataList", self.api_version, metadata)

    item = encode


class AsTable:
    """`Table`: the columns of the resource. Cells such as ages are of this moment, so rows are not kept."""

    def __init__(
        self, resource: Resource, include_object: str, *, api_version: str = META_V1, headers: bool = True
    ) -> None:
        self._resource = resource
        self._object = AsObject(resource)
        self._include = include_object
        self._api_version = api_version
        self._headers = headers
        self.key: Hashable = ("table", resource.group_version, include_object, api_version, headers)

    def without_headers(self) -> "AsTable":
        """The same without column definitions: of the events of a watch, only the first has them."""
        return AsTable(self._resource, self._include, api_version=self._api_version, headers=False)

    async def prepare(self, objects: Sequence[StoredObject]) -> None:
        await self._object.prepare(objects)

    def encode(self, obj: StoredObject) -> bytes:
        metadata = {"resourceVersion": str(obj.revision)}
        return self.list_head(metadata) + self.item(obj) + b"]}"

    def list_head(self, metadata: JSONObject) -> bytes:
        definitions = [
            {
                "name": column.name,
                "type": column.type,
                "format": column.format,
                "description": column.description,
                "priority": column.priority,
            }
            for column in self._resource.columns
            if self._headers
        ]
        head = {
            "kind": "Table",
            "apiVersion": self._api_version,
            "metadata": metadata,
            "columnDefinitions": definitions or None,
        }
        return orjson.dumps(head)[:-1] + b',"rows":['

    def bookmark(self, metadata: JSONObject) -> bytes:
        """The row of an object that has only `metadata`; with annotations it is shown whatever is to be included."""
        obj = {"kind": self._resource.kind, "apiVersion": str(self._resource.group_version), "metadata": metadata}
        includes = "Metadata" if self._include == "None" and "annotations" in metadata else self._include
        head = self.list_head({"resourceVersion": metadata["resourceVersion"]})
        return head + self._row(orjson.dumps(obj), includes) + b"]}"

    def item(self, obj: StoredObject) -> bytes:
        return self._row(self._object.encode(obj), self._include)

    def _row(self, encoded: bytes, includes: str) -> bytes:
        decoded: JSONObject = orjson.loads(encoded)
        cells = orjson.dumps([column.getter(decoded) for column in self._resource.columns])
        if includes == "None":
            shown = b"null"
        elif includes == "Object":
            shown = encoded
        else:
            shown = orjson.dumps(partial_metadata(decoded, self._api_version))
        return b'{"cells":%b,"object":%b}' % (cells, shown)


def choose(resource: Resource, accept: str, include_object: str, *, is_list: bool) -> tuple[Representation, Accepted]:
    """The representation a client accepts. Raises 406, or 400 on a bad includeObject."""
    accepted = accept_or_refuse(resource, accept, include_object, is_list=is_list)
    if not accepted.as_kind:
        return AsObject(resource), accepted
    if accepted.as_kind == "Table":
        return AsTable(resource, include_object or "Metadata", api_version=accepted.api_version), accepted
    return AsPartialMetadata(accepted.api_version), accepted


def accept_or_refuse(resource: Resource, accept: str, include_object: str, *, is_list: bool) -> Accepted:
    """What a client accepts, asked before anything is done whose outcome it could not be told. Raises as `choose`."""
    transforms = META_TRANSFORMS if resource.columns else _METADATA_ONLY
    accepted = negotiate(accept, transforms) or _in_protobuf(resource, accept)
    if accepted is None:
        raise _refusal(resource, accept, is_list=is_list)
    if accepted.as_kind == "Table":
        if include_object not in ("", "None", "Metadata", "Object"):
            raise errors.bad_request(f'unrecognized includeObject value: "{include_object}"')
    elif accepted.as_kind and (accepted.as_kind == "PartialObjectMetadataList") != is_list:
        raise errors.not_acceptable(MEDIA_TYPES)
    return accepted


def _refusal(resource: Resource, accept: str, *, is_list: bool) -> errors.StatusError:
    if resource.lenient_types or any(negotiation.names(accept, one) for one in MEDIA_TYPES):
        return errors.not_acceptable(MEDIA_TYPES)
    # Of a built-in kind's paths the router knows the types as well, and refuses before its handler could.
    types = (*MEDIA_TYPES, *STREAM_TYPES) if is_list else MEDIA_TYPES
    return errors.route_not_acceptable(types)


def _in_protobuf(resource: Resource, accept: str) -> Accepted | None:
    """Protobuf for whom nothing else will do: the bytes we hold are JSON. Of any kind's metadata, not of Tables."""
    accepted = negotiate(accept, _METADATA_ONLY, supported=(envelope.MEDIA_TYPE,))
    return None if accepted is None or (resource.protobuf is None and not accepted.as_kind) else accepted


def partial_metadata(obj: JSONObject, api_version: str = META_V1) -> JSONObject:
    """A PartialObjectMetadata of a decoded object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": obj["metadata"]}


def _list_head(kind: str, api_version: str, metadata: JSONObject) -> bytes:
    head = {"kind": kind, "apiVersion": api_version, "metadata": metadata}
    return orjson.dumps(head)[:-1] + b',"items":['
