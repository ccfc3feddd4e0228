"""The envelope around an object."""

import pytest

from generic.protobuf import envelope
from generic.protobuf.envelope import Envelope
from tests.support.protobuf import wrapped


def test_type_and_content_are_taken_out() -> None:
    body = b"k8s\x00" + b"\x0a\x0a\x0a\x02v1\x12\x04Node" + b"\x12\x03abc" + b"\x1a\x00\x22\x00"
    assert envelope.unwrap(body) == Envelope("v1", "Node", b"abc")


def test_a_client_need_not_say_the_type() -> None:
    assert envelope.unwrap(b"k8s\x00\x12\x03abc") == Envelope("", "", b"abc")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty data"),
        (b"k8s\x00", "empty body"),
        (b'{"kind":"Node"}', r"does not appear to be a protobuf message, expected prefix \[107 56 115 0\]"),
        (b"k8s\x00\x12\x05abc", "unexpected EOF"),
        (b"k8s\x00\x10\x05", "wrong wireType = 0 for field 2"),
        (b"k8s\x00\x0a\x03\x0a\x01\xff", "invalid UTF-8"),
        (wrapped("v1", "Node", b"abc", contentEncoding="gzip"), "content encoding 'gzip' is not supported"),
    ],
)
def test_what_is_no_envelope_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        envelope.unwrap(body)
