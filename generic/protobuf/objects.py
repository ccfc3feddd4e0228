"""ObjectCodec: reads and writes objects of the kinds some tables know. Held by Resources, used by `generic/endpoints`.

Made once for all built-in kinds (`kubeapi/protobuf`) and once for what all API groups share (`SHARED`).
"""

from collections.abc import Sequence
from pathlib import Path

from generic.meta.gvk import GroupVersion, GroupVersionKind
from generic.protobuf import envelope, messages, wire
from generic.protobuf.definitions import Definitions
from generic.protobuf.encoding import Encoder
from generic.types import JSONObject

META = Path(__file__).with_name("meta.json")
"""The types all API groups share: metadata, selectors, DeleteOptions, Status, discovery."""

DELETE_OPTIONS = GroupVersionKind("meta.k8s.io", "v1", "DeleteOptions")

_LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"
_METADATA, _ITEMS = 1, 2
"""The fields of every list."""


class ObjectCodec:
    """The kinds of these tables, each a file in the format of `definitions.py`. Loads nothing before it is used."""

    def __init__(self, *tables: Path) -> None:
        self.definitions = Definitions(tables)
        self._encoder = Encoder(self.definitions)

    def decode(self, gvk: GroupVersionKind, content: bytes) -> JSONObject:
        """The object an Envelope holds, apiVersion and kind filled in. Raises ValueError with one line."""
        name = self._type_of(gvk)
        return {"apiVersion": gvk.api_version, "kind": gvk.kind, **messages.decode(self.definitions, name, content)}

    def knows(self, obj: JSONObject) -> bool:
        """Whether an object is of one of the kinds."""
        try:
            self._type_of(_gvk(obj))
        except (KeyError, ValueError):
            return False
        return True

    def encode(self, obj: JSONObject) -> bytes:
        """The body of an answer: a list if the object has items. Raises ValueError with one line."""
        api_version, kind = obj.get("apiVersion", ""), obj["kind"]
        if "items" in obj and kind.endswith("List"):
            metadata = self._encoder.encode(_LIST_META, obj.get("metadata"))
            item_kind = kind.removesuffix("List")
            content = _list(api_version, metadata, [self._message(one, api_version, item_kind) for one in obj["items"]])
        else:
            content = self._message(obj, api_version, kind)
        return envelope.wrap(api_version, kind, content)

    def _message(self, obj: JSONObject, api_version: str, kind: str) -> bytes:
        """Without the envelope; `api_version` and `kind`: what it is if it does not say."""
        said = {"apiVersion": obj.get("apiVersion") or api_version, "kind": obj.get("kind") or kind}
        return self._encoder.encode(self._type_of(_gvk(said)), obj)

    def _type_of(self, gvk: GroupVersionKind) -> str:
        try:
            return self.definitions.type_of(gvk)
        except KeyError:
            raise ValueError(f'no kind "{gvk.kind}" of {gvk.api_version} is known in protobuf') from None


SHARED = ObjectCodec(META)
"""Of the types all API groups share."""


def watch_frame(event_type: str, obj: bytes) -> bytes:
    """A WatchEvent as it stands in a stream; `obj` is a body. Mirrors `util/framer` and `meta/v1.WatchEvent`."""
    event = wire.bytes_field(1, event_type.encode()) + wire.bytes_field(2, wire.bytes_field(1, obj))
    return len(event).to_bytes(4, "big") + event


def _gvk(obj: JSONObject) -> GroupVersionKind:
    # APIVersions alone has no version.
    return GroupVersion.parse(obj.get("apiVersion") or "v1").with_kind(obj["kind"])


def _list(api_version: str, metadata: bytes, items: Sequence[bytes]) -> bytes:
    if api_version == "meta.k8s.io/v1beta1":
        # Alone of all lists this older one of PartialObjectMetadata numbers the two the other way round.
        return b"".join([*[wire.bytes_field(1, item) for item in items], wire.bytes_field(2, metadata)])
    return b"".join([wire.bytes_field(_METADATA, metadata), *[wire.bytes_field(_ITEMS, item) for item in items]])
