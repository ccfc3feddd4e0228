"""What of a manifest is applied, in which order, and how a bad one is refused."""

from pathlib import Path

import pytest

from trikube.testing import applying
from trikube.testing.errors import ControlPlaneError

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "cats.demo.io"},
}
CAT = {"apiVersion": "demo.io/v1", "kind": "Cat", "metadata": {"name": "tom"}}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "zoo"}}


def kinds(source: applying.Source) -> list[str]:
    return [obj["kind"] for obj in applying.load(source)]


def test_what_others_stand_on_comes_first_and_the_rest_keeps_its_order() -> None:
    other = {**CAT, "kind": "Zebra"}
    assert kinds([other, CAT, CRD, NAMESPACE]) == ["Namespace", "CustomResourceDefinition", "Zebra", "Cat"]


def test_a_single_object_and_a_list_object_are_sources() -> None:
    assert kinds(CAT) == ["Cat"]
    assert kinds({"apiVersion": "v1", "kind": "List", "items": [CAT, NAMESPACE]}) == ["Namespace", "Cat"]


def test_a_folder_is_read_by_name_with_what_is_below_it(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.yaml").write_text("apiVersion: v1\nkind: B\nmetadata: {name: b}\n---\n# nothing\n---\n")
    (tmp_path / "a.json").write_text('{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}}')
    (tmp_path / "sub" / "c.yml").write_text("apiVersion: v1\nkind: C\nmetadata: {name: c}\n")
    (tmp_path / "notes.txt").write_text("not a manifest")
    assert kinds(tmp_path) == ["A", "B", "C"]


def test_a_file_that_is_not_there_or_not_yaml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ControlPlaneError, match=r"cannot read .*none.yaml: No such file or directory"):
        applying.load(tmp_path / "none.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: [")
    with pytest.raises(ControlPlaneError, match=r"bad.yaml is not YAML: .+") as raised:
        applying.load(str(bad))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("document", ["just words", "- a\n- b", "kind: Cat\nmetadata: tom", "kind: List\nitems: no"])
def test_what_is_no_object_is_refused(tmp_path: Path, document: str) -> None:
    (tmp_path / "odd.yaml").write_text(document)
    with pytest.raises(ControlPlaneError, match="not an object"):
        applying.load(tmp_path)
