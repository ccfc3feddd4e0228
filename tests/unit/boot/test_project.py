"""Names: which can be, and what follows from them."""

from pathlib import Path

import pytest

from trikube.boot import project
from trikube.boot.errors import BootError
from trikube.boot.project import Kind, Project

CAT = Kind("animal", "v1alpha1", "Cat")


def zoo(*kinds: Kind) -> Project:
    made = project.new(Path("zoo"), "zoo", "demo.io")
    for kind in kinds:
        made = made.with_kind(kind)
    return made


@pytest.mark.parametrize(
    ("name", "domain", "why"),
    [
        ("zoo", "demo", "--domain 'demo' must have a dot"),
        ("zoo", "Demo.io", "--domain 'Demo.io' is not valid: a lowercase RFC 1123 subdomain"),
        ("Zoo", "demo.io", "--name 'Zoo' is not valid: "),
        ("json", "demo.io", "--name 'json' cannot be"),
        ("tests", "demo.io", "--name 'tests' cannot be"),
        ("class", "demo.io", "--name 'class' cannot be"),
    ],
)
def test_a_repository_with_a_wrong_name_is_refused_in_one_line(name: str, domain: str, why: str) -> None:
    with pytest.raises(BootError) as raised:
        project.new(Path("x"), name, domain)
    assert str(raised.value).startswith(why)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Kind("an.imal", "v1", "Cat"), "--group 'an.imal' is not valid"),
        (Kind("animal", "1", "Cat"), "Cat: version '1' must be like"),
        (Kind("animal", "v1", "cat"), "kind 'cat' must be letters and digits"),
        (Kind("animal", "v1", "Cat", short_names=("C",)), "Cat: short name 'C' is not valid"),
        (Kind("animal", "v1", "Resource"), "kind 'Resource' would hide"),
        (Kind("animal", "v1", "None"), "kind 'None' would hide"),
        (CAT, "kind Cat of animal.demo.io/v1alpha1 is there already"),
        (Kind("animal", "v1", "Cat", namespaced=False), "kind Cat is there already with another --non-namespaced"),
        (Kind("animal", "v1", "CAT"), "kind CAT would share its plural cats with kind Cat"),
    ],
)
def test_a_kind_that_cannot_be_is_refused_in_one_line(kind: Kind, why: str) -> None:
    with pytest.raises(BootError) as raised:
        zoo(CAT).with_kind(kind)
    assert str(raised.value).startswith(why)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["a_b", "Feed", "status", "scale", "feed"])
def test_a_subresource_that_cannot_be_is_refused(name: str) -> None:
    made = zoo(CAT).with_subresource(CAT, "feed")
    with pytest.raises(BootError, match=f"subresource '{name}'"):
        made.with_subresource(made.kinds[0], name)


def test_the_first_version_of_a_kind_is_the_hub_of_all_others() -> None:
    made = zoo(CAT, Kind("animal", "v1beta1", "Cat"), Kind("animal", "v1", "Cat"), Kind("sky", "v1", "Cat"))
    assert [kind.hub for kind in made.kinds] == ["", "v1alpha1", "v1alpha1", ""]


def test_versions_are_listed_newest_and_most_stable_first() -> None:
    kinds = [Kind("animal", version, "Cat") for version in ("v1beta1", "v1", "v1alpha1", "v2", "v10alpha2", "v1beta10")]
    assert zoo(*kinds).groups() == {"animal.demo.io": ["v2", "v1", "v1beta10", "v1beta1", "v10alpha2", "v1alpha1"]}


def test_a_kind_is_found_by_as_much_as_tells_it_from_others() -> None:
    made = zoo(CAT, Kind("animal", "v1", "Cat"))
    assert made.find("Cat", version="v1").version == "v1"
    with pytest.raises(BootError, match="several of kind Cat"):
        made.find("Cat")
    with pytest.raises(BootError, match="there is no kind Dog here: Cat of"):
        made.find("Dog")


def test_what_is_written_is_read_again_from_any_folder_below(tmp_path: Path) -> None:
    made = Project(tmp_path, "zoo", "demo.io", (Kind("animal", "v1", "Cat", False, ("ct",), ("feed",)),))
    (tmp_path / project.FILE).write_text(made.to_json())
    (tmp_path / "zoo").mkdir()
    assert project.load(tmp_path / "zoo") == made


def test_a_folder_without_and_a_file_that_is_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(BootError, match="is in no repository of trikube boot"):
        project.load(tmp_path)
    (tmp_path / project.FILE).write_text('{"name": "zoo"}')
    with pytest.raises(BootError, match=r"boot.json is not what trikube boot wrote: KeyError"):
        project.load(tmp_path)
