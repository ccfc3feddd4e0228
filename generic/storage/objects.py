"""StoredObject: an object as bytes, with the few decoded fields that selectors look at.

Made once per change by the Codec, held by the Cacher, and handed to every reader and watcher as it
is. DESIGN.md section 3: an object is bytes first.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import cast

import orjson

from generic.meta import errors
from generic.storage.interface import KeyValue
from generic.types import JSONObject

EMPTY: Mapping[str, str] = {}


class StoredObject:
    """One object at one revision. Immutable but for the memo of its other encodings.

    `raw` is its JSON in the storage version with `metadata.resourceVersion` in place; `fields` holds
    the values of the resource's selectable fields by their label (`status.phase`). `mended`: it was pruned
    or defaulted on reading, so the stored bytes differ.
    """

    __slots__ = ("_encodings", "fields", "key", "labels", "mended", "name", "namespace", "raw", "revision")

    def __init__(
        self,
        *,
        key: str,
        namespace: str,
        name: str,
        revision: int,
        raw: bytes,
        labels: Mapping[str, str] = EMPTY,
        fields: Mapping[str, str] = EMPTY,
        mended: bool = False,
    ) -> None:
        self.key = key
        self.namespace = namespace
        self.name = name
        self.revision = revision
        self.raw = raw
        self.labels = labels
        self.fields = fields
        self.mended = mended
        self._encodings: dict[Hashable, bytes] | None = None

    def decoded(self) -> JSONObject:
        """A fresh dict of the object, the caller's to change."""
        return cast(JSONObject, orjson.loads(self.raw))

    def encoding(self, representation: Hashable) -> bytes | None:
        """The bytes another reader already made for this representation, if any."""
        return self._encodings.get(representation) if self._encodings is not None else None

    def remember_encoding(self, representation: Hashable, encoded: bytes) -> None:
        """Keep an encoding so that every watcher with the same representation shares one bytes object."""
        if self._encodings is None:
            self._encodings = {}
        self._encodings[representation] = encoded


FieldGetter = Callable[[JSONObject], str]
"""Reads one selectable field of a decoded object; the empty string if it is not set."""

_METADATA = b'"metadata":{'
_TOO_DEEP = "Recursion limit"
"""What orjson says of 255 levels and more."""


class Codec:
    """Between stored bytes and StoredObjects of one resource.

    `on_read` may mend an object read from storage (prune, default); it returns True if it changed it.
    """

    def __init__(
        self,
        *,
        selectable_fields: Mapping[str, FieldGetter] | None = None,
        on_read: Callable[[JSONObject], bool] | None = None,
    ) -> None:
        self._selectable = dict(selectable_fields or {})
        self._on_read = on_read

    def encode(self, obj: JSONObject) -> bytes:
        """The bytes to store: apiVersion, kind and metadata first, no resourceVersion (the engine's revision is it).

        Raises StatusError 400 for what parsed but is no JSON we can write: too deep, or too large a number.
        """
        metadata = {k: v for k, v in obj["metadata"].items() if k not in ("resourceVersion", "selfLink")}
        head = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}
        try:
            return orjson.dumps({**head, **{k: v for k, v in obj.items() if k not in head}})
        except TypeError as error:
            kind, version = obj["kind"], obj["apiVersion"].rpartition("/")[2]
            why = "exceeded max depth" if _TOO_DEEP in str(error) else f"json: {error}"
            raise errors.bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}') from error

    def decode(self, item: KeyValue) -> StoredObject:
        """Raises ValueError if the stored bytes are not an object."""
        obj = orjson.loads(item.value)
        metadata = obj.get("metadata") if isinstance(obj, dict) else None
        if not isinstance(metadata, dict):
            raise ValueError(f"stored value at {item.key} is not a Kubernetes object")
        value, mended = item.value, self._on_read is not None and self._on_read(obj)
        if mended:
            value = self.encode(obj)
            metadata = obj["metadata"]
        return StoredObject(
            key=item.key,
            namespace=metadata.get("namespace", ""),
            name=metadata["name"],
            revision=item.mod_revision,
            raw=_with_revision(value, item.mod_revision),
            labels=metadata.get("labels") or EMPTY,
            fields={label: get(obj) for label, get in self._selectable.items()} if self._selectable else EMPTY,
            mended=mended,
        )


def _with_revision(value: bytes, revision: int) -> bytes:
    """Splice resourceVersion into bytes that `Codec.encode` made, without encoding again; 0: it has none."""
    if not revision:
        return value
    head, found, tail = value.partition(_METADATA)
    # apiVersion and kind come first in what we encode, so the first match is the top-level one;
    # bytes somebody else wrote in another order are encoded again.
    if not found or not head.startswith(b'{"apiVersion":') or head.count(b":") != 2:
        obj = orjson.loads(value)
        obj["metadata"]["resourceVersion"] = str(revision)
        return orjson.dumps(obj)
    comma = b"" if tail.startswith(b"}") else b","
    return b'%b%b"resourceVersion":"%d"%b%b' % (head, found, revision, comma, tail)
