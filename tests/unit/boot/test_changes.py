"""Files are written all or none, over nobody's work unasked, and taken back."""

from pathlib import Path

import pytest

from trikube.boot import changes
from trikube.boot.changes import Changes
from trikube.boot.errors import BootError


def no(question: str) -> bool:
    return False


def yes(question: str) -> bool:
    return True


def never(question: str) -> bool:
    raise AssertionError(question)


def write(root: Path, title: str, files: dict[str, str | None], ask: changes.Ask = never) -> list[str]:
    said: list[str] = []
    Changes(root, title, files).write(ask, said.append)
    return said


def content(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and ".trikube" not in path.parts
    }


def test_it_says_what_it_wrote_and_nothing_of_what_is_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("s")
    (tmp_path / "old").write_text("o")
    said = write(tmp_path, "t", {"a/b": "1", "same": "s", "old": "n"}, yes)
    assert said == ["wrote a/b", "changed old"]
    assert content(tmp_path) == {"a/b": "1", "same": "s", "old": "n"}
    assert write(tmp_path, "t", {"same": "s"}) == ["t: nothing to write, all of it is there already"]


def test_a_file_of_somebody_else_stays_and_then_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("o")
    with pytest.raises(BootError, match=r"old is there already and stays: nothing was written"):
        write(tmp_path, "t", {"a": "1", "old": "n"}, no)
    assert content(tmp_path) == {"old": "o"}


def test_a_place_that_is_a_folder_is_told_before_anything_is_written(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(BootError, match=r"cannot read .*b: "):
        write(tmp_path, "t", {"a": "1", "b": "2"})
    assert content(tmp_path) == {}


def test_a_failure_while_staging_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("f")
    # `file` is no folder, so nothing can be put below it.
    with pytest.raises(BootError):
        write(tmp_path, "t", {"a": "1", "file/c": "2"})
    assert content(tmp_path) == {"file": "f"}
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_private_files_are_for_their_owner(tmp_path: Path) -> None:
    Changes(tmp_path, "t", {"key": "k", "crt": "c"}, frozenset({"key"})).write(never, lambda line: None)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("key", "crt")] == [0o600, 0o644]


def test_undo_takes_back_one_command_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("0")
    write(tmp_path, "first", {"a/b/c": "1", "kept": "1"}, yes)
    write(tmp_path, "second", {"a/d": "2", "kept": "2"}, yes)
    said: list[str] = []
    changes.undo(tmp_path, never, said.append)
    assert content(tmp_path) == {"a/b/c": "1", "kept": "1"}
    assert said == ["removed a/d", "changed kept"]
    changes.undo(tmp_path, never, said.append)
    assert content(tmp_path) == {"kept": "0"}
    assert not (tmp_path / "a").exists()
    with pytest.raises(BootError, match="nothing to undo"):
        changes.undo(tmp_path, never, said.append)


def test_undo_asks_before_it_loses_what_was_changed_since(tmp_path: Path) -> None:
    write(tmp_path, "first", {"a": "1"})
    (tmp_path / "a").write_text("mine")
    with pytest.raises(BootError, match="a has changed since 'first': nothing was undone"):
        changes.undo(tmp_path, no, print)
    assert content(tmp_path) == {"a": "mine"}
    changes.undo(tmp_path, yes, lambda line: None)
    assert content(tmp_path) == {}


def test_a_command_run_again_is_undone_as_one_and_no_key_is_kept(tmp_path: Path) -> None:
    def build(texts: dict[str, str | None]) -> None:
        Changes(tmp_path, "build", texts, frozenset({"key"}), ours=frozenset(texts), again=True).write(never, print)

    build({"key": "first key", "crt": "1"})
    build({"key": "second key", "crt": "2"})
    assert 'key"' in (tmp_path / changes.UNDO).read_text()
    assert "first key" not in (tmp_path / changes.UNDO).read_text()
    changes.undo(tmp_path, never, print)
    assert content(tmp_path) == {}


def test_a_private_file_of_somebody_else_stays_when_its_change_is_undone(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("theirs")
    Changes(tmp_path, "build", {"key": "ours", "crt": "1"}, frozenset({"key"})).write(yes, print)
    changes.undo(tmp_path, never, print)
    assert content(tmp_path) == {"key": "ours"}
    assert "theirs" not in (tmp_path / changes.UNDO).read_text()
