"""The envelope of a body: four magic bytes, then a message with type and content of an object.

Called by `generic/endpoints`. Mirrors `apimachinery/pkg/runtime/serializer/protobuf` and runtime.Unknown.
"""

from dataclasses import dataclass

from generic.protobuf import wire

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
MAGIC = b"k8s\x00"

_TYPE_META, _RAW, _CONTENT_ENCODING = 1, 2, 3
_API_VERSION, _KIND = 1, 2
_NO_CONTENT_ENCODING, _NO_CONTENT_TYPE = wire.bytes_field(_CONTENT_ENCODING, b""), wire.bytes_field(4, b"")


@dataclass(frozen=True, slots=True)
class Envelope:
    """`api_version` and `kind` are empty if the client did not say."""

    api_version: str
    kind: str
    content: bytes
    """The object itself, as a message of its type."""


def wrap(api_version: str, kind: str, content: bytes) -> bytes:
    """The body that holds an object. Kubernetes' writes the two fields it leaves empty as well."""
    type_meta = wire.bytes_field(_API_VERSION, api_version.encode()) + wire.bytes_field(_KIND, kind.encode())
    return b"".join((
        MAGIC,
        wire.bytes_field(_TYPE_META, type_meta),
        wire.bytes_field(_RAW, content),
        _NO_CONTENT_ENCODING,
        _NO_CONTENT_TYPE,
    ))


def unwrap(body: bytes) -> Envelope:
    """What is in a body. Raises ValueError with one line."""
    if not body:
        raise ValueError("empty data")
    if not body.startswith(MAGIC):
        expected = " ".join(str(byte) for byte in MAGIC)
        raise ValueError(f"provided data does not appear to be a protobuf message, expected prefix [{expected}]")
    if len(body) == len(MAGIC):
        raise ValueError("empty body")
    unknown = _parts(body[len(MAGIC) :])
    if unknown.get(_CONTENT_ENCODING):
        raise ValueError(f"content encoding {unknown[_CONTENT_ENCODING].decode(errors='replace')!r} is not supported")
    type_meta = _parts(unknown.get(_TYPE_META, b""))
    try:
        api_version, kind = type_meta.get(_API_VERSION, b"").decode(), type_meta.get(_KIND, b"").decode()
    except UnicodeDecodeError:
        raise ValueError("proto: TypeMeta contains invalid UTF-8") from None
    return Envelope(api_version, kind, unknown.get(_RAW, b""))


def _parts(message: bytes) -> dict[int, bytes]:
    """The fields of a message that has only such as have a length; of two with one number the last counts."""
    found: dict[int, bytes] = {}
    for number, value in wire.scan(message):
        if not isinstance(value, bytes):
            raise ValueError(f"proto: wrong wireType = 0 for field {number}")
        found[number] = value
    return found
