"""What is wrong with YAML, in the words of Kubernetes' parser. What it means is in `test_yaml_bodies.py`."""

import pytest

from generic.schema import yaml_loading


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a: 1\nb:\n  - c: 1\n    d: 2\n    c: 3\na: 2\n", ['line 5: key "c"', 'line 6: key "a"']),
        ("a:\n  b: 1\na:\n  b: 2\n", ['line 4: key "a"']),
        ("on: 1\ny: 2\n", ["line 2: key true"]),
        ("1: a\n0x1: b\n1.0: c\n1: d\ntrue: e\n", ["line 2: key 1", "line 4: key 1"]),
        ("x: &a {p: 1}\nc: {p: 3, <<: *a}\n", ['line 1: key "p"']),
        ("a: &x {b: 1}\nc: *x\nd: *x\n", []),
        ("a: [", []),
        ("", []),
    ],
)
def test_keys_that_repeat_are_told_by_line(text: str, lines: list[str]) -> None:
    found = yaml_loading.repeated_keys(text.encode())
    assert found == [f"{line} already set in map" for line in lines]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "yaml: line 1: did not find expected node content"),
        ("a: 'x", "yaml: found unexpected end of stream"),
        ("a:\n  - b\n c: d\n", "yaml: line 2: did not find expected key"),
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("a: 1\n  b: 2", "yaml: line 2: mapping values are not allowed in this context"),
        ("a: |\n x\n  y\n z: 1\n@", "yaml: line 5: found character that cannot start any token"),
        ("\x01: a", "yaml: control characters are not allowed"),
        ("~: a", 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "a"'),
    ],
)
def test_what_is_no_yaml_is_told_as_kubernetes_does(text: str, why: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011, the whole text is compared
        yaml_loading.load(text.encode())
    assert str(refused.value) == why
