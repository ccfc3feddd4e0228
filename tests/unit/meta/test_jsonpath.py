"""Kubernetes' JSONPath dialect: what each form selects, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.meta.jsonpath import JSONPath, compile_path

POD: dict[str, Any] = {
    "metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "shop", "tier": None}},
    "spec": {
        "replicas": 3,
        "containers": [
            {"name": "a", "image": "x:1", "ports": [{"port": 80}, {"port": 443}]},
            {"name": "b", "image": "y:2", "ports": []},
            {"name": "c", "image": "z:3"},
        ],
    },
    "status": {
        "conditions": [
            {"type": "Ready", "status": "True", "age": 5},
            {"type": "Sound", "status": "False", "age": 7, "note": "(it's)"},
        ]
    },
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".metadata.name", ["web"]),
        ("$.metadata.name", ["web"]),
        ("@.metadata['name']", ["web"]),
        (".spec.replicas", [3]),
        (".spec.missing.deeper", []),
        (".metadata.labels.tier", [None]),
        (".metadata.labels.tier.deeper", []),
        (r".metadata.labels.app\.kubernetes\.io/name", ["shop"]),
        (r".metadata.labels['app\.kubernetes\.io/name']", ["shop"]),
        (".spec.containers[0].name", ["a"]),
        (".spec.containers[-1].name", ["c"]),
        (".spec.containers[*].name", ["a", "b", "c"]),
        (".spec.containers[1:].name", ["b", "c"]),
        (".spec.containers[0:2].name", ["a", "b"]),
        (".spec.containers[::2].name", ["a", "c"]),
        (".spec.containers[0:-1].name", ["a", "b"]),
        (".spec.containers[0,2].name", ["a", "c"]),
        (".spec.containers[0]['name','image']", ["a", "x:1"]),
        (".spec.containers[*].ports[*].port", [80, 443]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        (".status.conditions[?(@.type=='Ready')].status", ["True"]),
        ('.status.conditions[?(@.type == "Ready")].status', ["True"]),
        ('.status.conditions[?(@.type!="Ready")].status', ["False"]),
        (".status.conditions[?(@.age>5)].type", ["Sound"]),
        (".status.conditions[?(@.age<=5)].type", ["Ready"]),
        (".status.conditions[?(@.note)].type", ["Sound"]),
        ('.status.conditions[?(@.note=="(it\'s)")].type', ["Sound"]),
        ('.status.conditions[?(@.note=="x")].type', []),
        ("..port", [80, 443]),
        (".metadata.labels.*", ["shop", None]),
    ],
)
def test_path_selects(path: str, expected: list[Any]) -> None:
    assert compile_path(path).find(POD) == expected


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".a[0", "unterminated array"),
        (".a[x]", "invalid array index x"),
        ('.a["x"]', 'invalid array index "x"'),
        (".a[?(@.b==1]", "unterminated filter"),
        (".a[?(@.b==1)", "unclosed array expect ]"),
        (".a[?(@.b=~1)]", "unrecognized character in action: U+007E '~'"),
        ("....", "invalid multiple recursive descent"),
        (".a=b", None),
        ("#", "unrecognized character in action"),
        ('"open', "unterminated quoted string"),
    ],
)
def test_malformed_paths_are_refused(path: str, why: str | None) -> None:
    if why is None:
        assert JSONPath(path).find({"a=b": 1}) == [1]
        return
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 the message is compared below
        JSONPath(path)
    assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (".spec.containers[3]", "array index out of bounds: index 3, length 3"),
        (".spec.containers[0:4]", "array index out of bounds: index 3, length 3"),
        (".spec.containers[2:1]", "starting index 2 is greater than ending index 1"),
        ("metadata.name", "unrecognized identifier metadata"),
        (".spec.containers[?(@.name=<1)]", "unrecognized filter operator =<"),
        (".metadata[0]", r"map\[string\]interface {} is not array or slice"),
        (".spec.replicas[?(@.a==1)]", "int64 is not array or slice and cannot be filtered"),
        (".status.conditions[?(@.age==true)]", "incompatible types for comparison"),
    ],
)
def test_a_path_that_does_not_fit_the_object_is_an_error(path: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        compile_path(path).find(POD)


@given(st.lists(st.text(alphabet="ab.$@[]{} ,\\'/é", min_size=1), min_size=1))
def test_escaped_keys_are_found_whatever_is_in_them(keys: list[str]) -> None:
    obj: Any = "found"
    for key in reversed(keys):
        obj = {key.replace("\\", ""): obj}
    path = "".join("." + "".join(f"\\{char}" for char in key.replace("\\", "")) for key in keys)
    names = [key.replace("\\", "") for key in keys]
    if all(names) and "*" not in names:
        assert JSONPath(path).find(obj) == ["found"]


@given(st.text(alphabet=".a[]*?(@=='\"):0-,\\ "))
def test_any_text_compiles_or_is_refused(text: str) -> None:
    try:
        path = JSONPath(text)
    except ValueError:
        return
    try:
        assert isinstance(path.find({"a": [{"a": "x"}]}), list)
    except ValueError:
        return
