"""What the commands that create write into a repository."""

import ast
import runpy
from pathlib import Path

import pytest

from trikube.boot import creating, project
from trikube.boot.errors import BootError
from trikube.boot.project import Kind, Project


def never(question: str) -> bool:
    raise AssertionError(question)


def ignore(line: str) -> None:
    pass


def made(folder: Path, *kinds: Kind) -> Project:
    creating.init_repository(folder, "zoo", "demo.io", ignore)
    for kind in kinds:
        creating.create_kind(project.load(folder), kind, never, ignore)
    return project.load(folder)


CAT = Kind("animal", "v1", "Cat", short_names=("ct",))


def test_an_existing_folder_is_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "zoo"
    folder.mkdir()
    (folder / "mine").write_text("m")
    with pytest.raises(BootError, match="is there already and not empty"):
        made(folder)
    assert [path.name for path in folder.iterdir()] == ["mine"]
    assert [path.name for path in tmp_path.iterdir()] == ["zoo"]


@pytest.mark.parametrize("inside", [None, ".git"])
def test_an_empty_folder_or_one_with_git_alone_becomes_the_repository(tmp_path: Path, inside: str | None) -> None:
    folder = tmp_path / "zoo"
    folder.mkdir()
    if inside is not None:
        (folder / inside).mkdir()
    made(folder)
    assert (folder / "zoo" / "__main__.py").is_file()
    assert {path.name for path in tmp_path.iterdir()} == {"zoo"}


def test_everything_that_is_python_is_python(tmp_path: Path) -> None:
    kinds = (CAT, Kind("class", "v1", "Thing", namespaced=False), Kind("animal", "v2", "Cat"))
    at = made(tmp_path / "zoo", *kinds)
    creating.create_subresource(at, at.kinds[0], "import", never, ignore)
    sources = list(at.root.rglob("*.py"))
    assert len(sources) > 10
    for path in sources:
        ast.parse(path.read_text())


def test_a_subresource_joins_a_class_that_has_been_edited(tmp_path: Path) -> None:
    at = made(tmp_path / "zoo", CAT)
    path = at.root / "zoo" / "animal" / "cat_v1.py"
    path.write_text(
        path.read_text()
        + "\n    def lives(self) -> int:  # mine\n        return 9\n\n\ndef helper() -> None:\n    pass\n"
    )
    creating.create_subresource(at, at.kinds[0], "walk-home", never, ignore)
    names = [getattr(each, "name", "") for each in ast.parse(path.read_text()).body]
    assert names[-3:] == ["CatWalkHome", "Cat", "helper"]
    cat = runpy.run_path(str(path))["Cat"]
    assert callable(cat.lives)
    assert callable(cat.walk_home)
    assert project.load(at.root).kinds[0].subresources == ("walk-home",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("class Dog:\n    pass\n", "has no class Cat to add to"),
        ("class (\n", "cat_v1.py:1 is not Python"),
        ("class Cat:\n    def feed(self) -> None: ...\n", "class Cat has a method feed already"),
        ("class CatFeed: ...\nclass Cat: ...\n", "has a class CatFeed already"),
    ],
)
def test_a_class_that_cannot_be_added_to_is_told_and_left(tmp_path: Path, text: str, why: str) -> None:
    at = made(tmp_path / "zoo", CAT)
    path = at.root / "zoo" / "animal" / "cat_v1.py"
    path.write_text(text)
    with pytest.raises(BootError, match=why):
        creating.create_subresource(at, at.kinds[0], "feed", never, ignore)
    assert path.read_text() == text
    assert project.load(at.root) == at


def test_a_subresource_named_like_something_of_a_resource_gets_another_method(tmp_path: Path) -> None:
    at = made(tmp_path / "zoo", CAT)
    creating.create_subresource(at, at.kinds[0], "copy", never, ignore)
    assert "def copy_subresource(" in (at.root / "zoo" / "animal" / "cat_v1.py").read_text()


def test_show_says_what_is_here(tmp_path: Path) -> None:
    at = made(tmp_path / "zoo", CAT, Kind("animal", "v2", "Cat"))
    said: list[str] = []
    creating.show(at, said.append)
    assert "  Cat of animal.demo.io/v1: namespaced, short names ct" in said
    assert "  Cat of animal.demo.io/v2: namespaced, stored as v1" in said
    assert said[-1] == "  undo takes back: create Cat of animal/v2"
