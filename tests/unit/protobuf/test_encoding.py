"""Objects written in protobuf: what is written is read back, and laid out as Go lays it out."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extensions.definitions.resource import RESOURCE as DEFINITION
from generic.meta.gvk import GroupVersionKind
from generic.protobuf import envelope, messages, objects, special, wire
from generic.protobuf.definitions import Definitions, Field
from generic.protobuf.encoding import Encoder
from generic.protobuf.objects import SHARED, ObjectCodec
from generic.types import JSONObject
from kubeapi.protobuf import BUILTIN

CODECS: list[ObjectCodec] = [BUILTIN, *([DEFINITION.protobuf] if DEFINITION.protobuf is not None else [])]
TYPES = [(codec.definitions, name) for codec in CODECS for name in codec.definitions.types()]
CONFIG_MAP = GroupVersionKind("", "v1", "ConfigMap")
_LEAVES: dict[str, list[Any]] = {
    "string": ["a", "ä\n", "x" * 200],
    "bool": [True],
    "int32": [1, -7, 2**31 - 1],
    "int64": [300, -(2**63)],
    "float64": [0.5, -1e300, 3],
    "[]byte": ["AP8="],
    special.QUANTITY: ["1500m", "3", "64Mi"],
    special.TIME: ["2026-01-02T03:04:05Z", "1969-12-31T23:59:59Z"],
    special.MICRO_TIME: ["2026-01-02T03:04:05.000006Z", "1960-01-01T00:00:00.999999Z"],
    special.INT_OR_STRING: [0, 80, "http", ""],
    special.FIELDS_V1: [{}, {"f:metadata": {}}],
    special.RAW_EXTENSION: [{"any": [1, "x"]}, {}],
    special.JSON: [["x", None], False, 0, "", {}],
    special.SCHEMA_OR_ARRAY: [{"type": "string"}, [{"type": "string"}]],
    special.SCHEMA_OR_BOOL: [True, False, {}, {"type": "string"}],
    special.SCHEMA_OR_STRINGS: [{"type": "string"}, ["a"]],
}


def _value(definitions: Definitions, name: str, draw: random.Random, depth: int = 0) -> Any:
    """A value of the type, less and less of it the deeper it stands."""
    if name in _LEAVES:
        return draw.choice(_LEAVES[name])
    made: JSONObject = {}
    for field in definitions.fields(name):
        if not field.itself and draw.random() < depth * 0.3:
            continue
        inner = _shaped(definitions, field, draw, depth + 1)
        if field.itself:
            return inner
        made.update(inner if not field.name else {field.name: inner})
    return made


def _shaped(definitions: Definitions, field: Field, draw: random.Random, depth: int) -> Any:
    if field.shape == "list":
        return [_value(definitions, field.element, draw, depth) for _ in range(draw.randint(1, 2))]
    if field.shape == "map":
        return {key: _value(definitions, field.element, draw, depth) for key in draw.sample(["", "b", "a/c"], 2)}
    return _value(definitions, field.element, draw, depth)


def _has(read: Any, written: Any) -> bool:
    """Whether everything that was written has been read; Go may print zeros beside it."""
    if isinstance(written, dict) and isinstance(read, dict):
        return all((not inner and key not in read) or _has(read.get(key), inner) for key, inner in written.items())
    if isinstance(written, list) and isinstance(read, list):
        return len(read) == len(written) and all(map(_has, read, written))
    return bool(read == written)


@given(st.sampled_from(TYPES), st.randoms(use_true_random=False))
def test_what_is_written_is_read_back(of: tuple[Definitions, str], draw: random.Random) -> None:
    definitions, name = of
    value = _value(definitions, name, draw)
    encoder = Encoder(definitions)
    data = encoder.encode(name, value)
    read = messages.decode(definitions, name, data)
    assert _has(read, value)
    assert encoder.encode(name, read) == data


def test_it_is_laid_out_as_go_does() -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "n"}, "data": {"b": "2", "a": "1"}}
    body = BUILTIN.encode(obj)
    # The first bytes of every such answer of a kube-apiserver.
    assert body.startswith(b"k8s\x00\n\x0f\n\x02v1\x12\tConfigMap\x12")
    assert body.endswith(b"\x1a\x00\x22\x00")
    message = wire.scan(envelope.unwrap(body).content)
    assert message == [(1, message[0][1]), (2, b"\n\x01a\x12\x011"), (2, b"\n\x01b\x12\x012")]
    # What is no pointer is there even if it is empty: texts, the generation, the time.
    assert [number for number, _ in wire.scan(bytes(message[0][1]))] == [1, 2, 3, 4, 5, 6, 7, 8]  # type: ignore[arg-type]


def test_items_of_a_list_need_not_say_their_kind() -> None:
    item = {"metadata": {"name": "n"}, "data": {"a": "1"}}
    typed = {"apiVersion": "v1", "kind": "ConfigMap", **item}
    head = {"apiVersion": "v1", "kind": "ConfigMapList", "metadata": {"resourceVersion": "5"}}
    lists = [BUILTIN.encode({**head, "items": [one]}) for one in (item, typed)]
    assert lists[0] == lists[1]
    unwrapped = envelope.unwrap(lists[0])
    (metadata, first) = (value for _, value in wire.scan(unwrapped.content))
    assert (unwrapped.kind, metadata) == ("ConfigMapList", b"\n\x00\x12\x015\x1a\x00")
    assert isinstance(first, bytes)
    assert BUILTIN.decode(CONFIG_MAP, first) == typed


def test_the_older_list_of_metadata_numbers_its_fields_the_other_way_round() -> None:
    def numbers(version: str) -> list[int]:
        api_version = f"meta.k8s.io/{version}"
        item = {"apiVersion": api_version, "kind": "PartialObjectMetadata", "metadata": {"name": "n"}}
        made = SHARED.encode({"apiVersion": api_version, "kind": "PartialObjectMetadataList", "items": [item, item]})
        return [number for number, _ in wire.scan(envelope.unwrap(made).content)]

    assert (numbers("v1"), numbers("v1beta1")) == ([1, 2, 2], [1, 1, 2])


def test_an_event_is_a_frame_with_its_length_ahead() -> None:
    assert objects.watch_frame("ADDED", b"body") == b"\x00\x00\x00\x0f\n\x05ADDED\x12\x06\n\x04body"


@pytest.mark.parametrize(
    "obj",
    [
        {"apiVersion": "example.com/v1", "kind": "Widget"},
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": 1}},
        {"apiVersion": "v1", "kind": "ConfigMap", "data": "x"},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": "yesterday"}},
    ],
)
def test_what_is_not_of_its_kind_is_refused(obj: JSONObject) -> None:
    with pytest.raises(ValueError, match=r"^(no |parsing time)"):
        BUILTIN.encode(obj)
