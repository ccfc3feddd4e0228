"""A log file that is put aside when it is full."""

import gzip
import os
from pathlib import Path

import pytest

from generic.audit.rotating_file import RotatingFile, Rotation


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def aside(folder: Path) -> list[Path]:
    return [folder / name for name in names(folder) if name != "audit.log"]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "logs" / "audit.log", Rotation(max_size=4))
    file.write(b"abcd")
    file.write(b"efgh")
    file.close()
    assert {os.stat(path).st_mode & 0o777 for path in (tmp_path / "logs").iterdir()} == {0o600}
    assert os.stat(tmp_path / "logs").st_mode & 0o777 == 0o700


def test_a_full_file_is_put_aside_with_its_time(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "audit.log", Rotation(max_size=10))
    assert not file.write(b"12345\n")
    assert file.write(b"67890\n")
    file.close()
    assert (tmp_path / "audit.log").read_bytes() == b"67890\n"
    (old,) = aside(tmp_path)
    assert old.match("audit-20??-??-??T??-??-??.???.log")
    assert old.read_bytes() == b"12345\n"


def test_a_server_that_starts_again_goes_on_where_it_was(tmp_path: Path) -> None:
    for text in (b"1234\n", b"5678\n", b"9\n"):
        file = RotatingFile(tmp_path / "audit.log", Rotation(max_size=10))
        file.write(text)
        file.close()
    assert (tmp_path / "audit.log").read_bytes() == b"9\n"
    assert [path.read_bytes() for path in aside(tmp_path)] == [b"1234\n5678\n"]


def test_without_a_size_it_grows(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "audit.log", Rotation())
    for _ in range(100):
        file.write(b"x" * 1000)
    file.close()
    assert names(tmp_path) == ["audit.log"]


def test_more_than_a_file_may_hold_is_refused(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "audit.log", Rotation(max_size=4))
    with pytest.raises(ValueError, match="write length 5 exceeds maximum file size 4"):
        file.write(b"12345")
    file.close()


def test_only_so_many_files_are_kept_the_newest_of_them(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "audit.log", Rotation(max_size=1, max_backups=2))
    for text in (b"1", b"2", b"3", b"4", b"5"):
        file.write(text)
    file.tidy()
    file.close()
    assert [path.read_bytes() for path in aside(tmp_path)] == [b"3", b"4"]


def test_files_that_are_too_old_are_removed_and_others_left_alone(tmp_path: Path) -> None:
    for name in ("audit-2020-01-02T03-04-05.678.log", "audit-notes.log", "other-2020-01-02T03-04-05.678.log"):
        (tmp_path / name).write_text("x")
    file = RotatingFile(tmp_path / "audit.log", Rotation(max_age=30))
    file.tidy()
    file.close()
    assert names(tmp_path) == ["audit-notes.log", "audit.log", "other-2020-01-02T03-04-05.678.log"]


def test_files_put_aside_are_compressed_and_count_as_one(tmp_path: Path) -> None:
    file = RotatingFile(tmp_path / "audit.log", Rotation(max_size=1, max_backups=2, compress=True))
    for text in (b"1", b"2", b"3"):
        file.write(text)
        file.tidy()
    file.write(b"4")
    file.tidy()
    file.close()
    assert all(path.suffix == ".gz" for path in aside(tmp_path))
    assert [gzip.decompress(path.read_bytes()) for path in aside(tmp_path)] == [b"2", b"3"]
    assert {os.stat(path).st_mode & 0o777 for path in aside(tmp_path)} == {0o600}
