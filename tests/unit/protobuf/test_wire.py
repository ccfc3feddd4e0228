"""The wire format: what is read, and what is refused instead of guessed."""

import struct

import pytest

from generic.protobuf import wire


def test_fields_come_in_order_with_their_numbers() -> None:
    assert wire.scan(b"\x08\x96\x01\x12\x02hi\x08\x00") == [(1, 150), (2, b"hi"), (1, 0)]


def test_a_negative_number_is_ten_bytes_long() -> None:
    assert wire.scan(b"\x08" + b"\xff" * 9 + b"\x01") == [(1, 2**64 - 1)]


def test_a_double_has_eight_bytes() -> None:
    assert wire.scan(b"\x09" + struct.pack("<d", -1.5)) == [(1, -1.5)]


def test_numbers_may_be_packed() -> None:
    assert wire.packed(b"\x01\x96\x01\x00") == [1, 150, 0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x08", "unexpected EOF"),
        (b"\x08\x80", "unexpected EOF"),
        (b"\x12\x05hi", "unexpected EOF"),
        (b"\x12\xff\xff\xff\xff\x0fhi", "unexpected EOF"),
        (b"\x08" + b"\x80" * 10 + b"\x01", "integer overflow"),
        (b"\x00\x01", "illegal tag 0"),
        (b"\x80\x80\x80\x80\x80\x01\x01", "illegal tag"),
        (b"\x09\x00\x00", "unexpected EOF"),
        (b"\x0b\x0c", "illegal wireType 3"),
        (b"\x0d\x00\x00\x00\x00", "illegal wireType 5"),
    ],
)
def test_what_is_no_message_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        wire.scan(data)
