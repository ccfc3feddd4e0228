"""Bodies that are refused unread: too deep, growing by aliases, or of types JSON has not."""

import orjson
import pytest

from generic.endpoints import body_guard
from generic.endpoints.body_guard import MAX_DEPTH
from generic.meta.errors import StatusError

JSON = "application/json"
YAML = "application/yaml"


def refusal(content: bytes, media_type: str) -> str:
    with pytest.raises(StatusError) as refused:
        body_guard.check(content, media_type)
    assert (refused.value.code, refused.value.reason) == (400, "BadRequest")
    return refused.value.message.removeprefix("error decoding the request body: ")


def arrays(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("media_type", [JSON, YAML, "application/merge-patch+json", "application/apply-patch+yaml"])
def test_the_depth_limit_is_exact_in_every_form(media_type: str) -> None:
    body_guard.check(arrays(MAX_DEPTH), media_type)
    assert refusal(arrays(MAX_DEPTH + 1), media_type) == "exceeded max depth"


def test_many_brackets_beside_each_other_are_no_depth() -> None:
    body_guard.check(orjson.dumps([{"a": []}] * 5000), JSON)
    body_guard.check(b"- {a: []}\n" * 500, YAML)


@pytest.mark.parametrize("content", [b"- " * 1_000_000 + b"x", b"{a: " * 500_000, b"? " * 1_000_000])
def test_yaml_that_would_overflow_the_stack_of_its_loader_is_refused(content: bytes) -> None:
    assert refusal(content, YAML) == "exceeded max depth"


def test_what_an_alias_stands_for_counts_as_often_as_it_is_used() -> None:
    text = b"x" * 1_000_000
    body_guard.check(b"a: &a " + text + b"\nb: [*a, *a, *a]", YAML)
    assert refusal(b"a: &a " + text + b"\nb: [*a, *a, *a, *a]", YAML) == "yaml: document contains excessive aliasing"
    lines = [b"a%d: &a%d [%b]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)]
    bomb = b"a0: &a0 [x]\n" + b"".join(lines)
    assert refusal(bomb, YAML) == "yaml: document contains excessive aliasing"


def test_an_anchor_may_be_used_again_but_not_inside_itself() -> None:
    body_guard.check(b"a: &x 1\nb: *x\nc: &x [2]\nd: *x", YAML)
    assert refusal(b"a: &x [1, {b: *x}]", YAML) == "yaml: anchor 'x' value contains itself"


@pytest.mark.parametrize("tag", ["!!set", "!!binary", "!!omap", "!!python/object/apply:os.system", "!own"])
def test_types_that_json_has_not_are_refused_by_name(tag: str) -> None:
    assert refusal(f"a: {tag} {{b, c}}".encode(), YAML) == f"yaml: JSON has no {tag}"


@pytest.mark.parametrize("tag", ["!!str", "!!int", "!!float", "!!bool", "!!null", "!", ""])
def test_types_that_json_has_pass(tag: str) -> None:
    body_guard.check(f"a: {tag} 1".encode(), YAML)


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b'{"a":', JSON), (b"[" * 2000, JSON), (b"a: [1", YAML), (b"\xff\xfe\x00\x00", YAML), (b"", YAML), (b"", JSON)],
)
def test_what_does_not_parse_is_left_to_the_decoder(content: bytes, media_type: str) -> None:
    body_guard.check(content, media_type)


def test_other_media_types_are_not_looked_into() -> None:
    body_guard.check(arrays(10_000), "application/vnd.kubernetes.protobuf")


def test_a_yaml_document_of_more_parts_than_memory_is_for_is_refused() -> None:
    items = b"1," * (body_guard.MAX_NODES - 100)
    body_guard.check(b"[" + items + b"]", YAML)
    assert refusal(b"[" + items + b"1," * 100 + b"]", YAML) == "yaml: document contains too many nodes"
