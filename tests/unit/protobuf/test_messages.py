"""From wire bytes to what Go prints as JSON, on a type made up for it; the bytes are written by hand."""

import struct
from pathlib import Path
from typing import Any

import orjson
import pytest

from generic.protobuf import messages, special, wire
from generic.protobuf.definitions import Definitions

FIELDS = {
    "1": "text string",
    "2": "count,omitempty int32",
    "3": "maybe,omitempty *int64",
    "4": "data,omitempty []byte",
    "5": "inner T.Inner",
    "6": "items []T.Inner",
    "7": "numbers,omitempty []int32",
    "8": "labels,omitempty map[string]string",
    "9": "blobs,omitempty map[string][]byte",
    "10": " T.Inner",
    "11": "extra,omitempty map[string]T.Extra",
    "12": "flag,omitempty *bool",
    "13": f"amount,omitempty *{special.QUANTITY}",
    "14": f"at,omitempty {special.TIME}",
    "15": f"exactly,omitempty *{special.MICRO_TIME}",
    "16": f"port,omitempty *{special.INT_OR_STRING}",
    "17": f"anything,omitempty *{special.RAW_EXTENSION}",
    "18": "again,omitempty *T",
    "19": "ratio,omitempty *float64",
    "20": f"schemas,omitempty *{special.SCHEMA_OR_ARRAY}",
    "21": f"more,omitempty *{special.SCHEMA_OR_BOOL}",
    "22": f"needs,omitempty *{special.SCHEMA_OR_STRINGS}",
}
ZERO: dict[str, Any] = {"text": "", "inner": {}, "items": None}


@pytest.fixture
def definitions(tmp_path: Path) -> Definitions:
    types = {
        "T": FIELDS,
        "T.Inner": {"1": "name,omitempty string", "2": "on,omitempty bool"},
        "T.Extra": {"1": ",itself []string"},
        special.SCHEMA: {"1": "id,omitempty string"},
    }
    table = {"kubernetes": "1.0", "kinds": {}, "types": types}
    path = tmp_path / "fields.json"
    path.write_bytes(orjson.dumps(table))
    return Definitions([path])


def part(number: int, content: bytes) -> bytes:
    """A field that has a length."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", {}),
        (part(1, b"a") + b"\x10\x00" + b"\x18\x00", {"text": "a", "maybe": 0}),
        (b"\x10" + b"\xff" * 9 + b"\x01", {"count": -1}),
        (b"\x10\xff\xff\xff\xff\x0f", {"count": -1}),
        (b"\x18" + b"\x80" * 9 + b"\x01", {"maybe": -(2**63)}),
        (part(4, b"\x00\xff"), {"data": "AP8="}),
        (part(5, part(1, b"n") + b"\x10\x01"), {"inner": {"name": "n", "on": True}}),
        (part(6, b"") + part(6, part(1, b"n")), {"items": [{}, {"name": "n"}]}),
        (b"\x38\x01\x38\x02" + part(7, b"\x03\x04"), {"numbers": [1, 2, 3, 4]}),
        (part(8, part(1, b"k") + part(2, b"v")) + part(8, part(1, b"e")), {"labels": {"k": "v", "e": ""}}),
        (part(9, part(1, b"k") + part(2, b"v")) + part(9, part(1, b"e")), {"blobs": {"k": "dg==", "e": ""}}),
        (part(10, part(1, b"n")), {"name": "n"}),
        (part(11, part(1, b"k") + part(2, part(1, b"a") + part(1, b"b"))), {"extra": {"k": ["a", "b"]}}),
        (b"\x60\x00", {"flag": False}),
        (part(13, part(1, b"1500m")), {"amount": "1500m"}),
        (part(13, part(1, b"0.5Gi")), {"amount": "512Mi"}),
        (part(13, b""), {"amount": "0"}),
        (part(14, b"\x08\xbc\x91\xbd\xa5\x06\x10\x00"), {"at": "2023-07-13T00:43:40Z"}),
        (part(14, b"\x08\x00\x10\x00"), {"at": "1970-01-01T00:00:00Z"}),
        (part(14, b""), {}),
        (part(15, b"\x08\x01\x10\xff\xc0\xc4\x07"), {"exactly": "1970-01-01T00:00:01.015802Z"}),
        (part(16, b"\x08\x00\x10\x50" + part(3, b"")), {"port": 80}),
        (part(16, b"\x08\x01\x10\x00" + part(3, b"http")), {"port": "http"}),
        (part(17, part(1, b'{"a":[1]}')), {"anything": {"a": [1]}}),
        (b"\x99\x01" + struct.pack("<d", 0.5), {"ratio": 0.5}),
        (part(20, part(1, part(1, b"a"))), {"schemas": {"id": "a"}}),
        (part(20, part(2, b"") + part(2, part(1, b"a"))), {"schemas": [{}, {"id": "a"}]}),
        (part(21, b"\x08\x01"), {"more": True}),
        (part(21, b"\x08\x00"), {"more": False}),
        (part(21, b"\x08\x01" + part(2, part(1, b"a"))), {"more": {"id": "a"}}),
        (part(22, part(2, b"x") + part(2, b"y")), {"needs": ["x", "y"]}),
        # A message in two parts is one message, of a scalar the last counts.
        (part(5, part(1, b"n")) + part(5, b"\x10\x01") + part(1, b"a") + part(1, b"b"), {
            "text": "b",
            "inner": {"name": "n", "on": True},
        }),
        # A field that newer versions no longer know, and that says nothing.
        (part(120, b"") + b"\xf8\x07\x00", {}),
    ],
)  # fmt: skip
def test_it_prints_what_go_prints(definitions: Definitions, data: bytes, shown: dict[str, Any]) -> None:
    assert messages.decode(definitions, "T", data) == {**ZERO, **shown}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (part(120, b"x"), "unknown field number 120 in T"),
        (part(5, b"\x48\x01"), "unknown field number 9 in Inner"),
        (part(8, part(1, b"k") + b"\x18\x01"), "unknown field number 3 in an entry of labels"),
        (b"\x08\x01", "wrong wireType = 0 for field text"),
        (part(2, b"1"), "wrong wireType = 2 for field count"),
        (b"\x28\x01", "wrong wireType = 0 for field inner"),
        (part(1, b"\xff"), "field text contains invalid UTF-8"),
        (part(5, b"\x0a\x7f"), "unexpected EOF"),
        (part(13, part(1, b"lots")), "quantities must match"),
        (part(14, b"\x08" + b"\xff" * 8 + b"\x7f"), "year outside of range"),
        (b"\x99\x01" + struct.pack("<d", float("nan")), "unsupported value: nan"),
        (part(16, b"\x08\x02"), "impossible IntOrString.Type"),
        (part(17, part(1, b"{")), "unexpected end of data"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(definitions: Definitions, data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said) as refused:
        messages.decode(definitions, "T", data)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "data", [b"\x10\x00" * 101, part(6, b"") * 51, part(7, b"\x01" * 101)], ids=["fields", "empty messages", "packed"]
)
def test_a_small_body_cannot_grow_without_bound(
    definitions: Definitions, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MAX_FIELDS", 100)
    with pytest.raises(ValueError, match="more than 100 fields"):
        messages.decode(definitions, "T", data)


def test_depth_has_a_limit(definitions: Definitions) -> None:
    data = b""
    for _ in range(messages.MAX_DEPTH - 1):
        data = part(18, data)
    assert messages.decode(definitions, "T", data)["again"]
    with pytest.raises(ValueError, match="exceeded max depth"):
        messages.decode(definitions, "T", part(18, data))
