"""What the file engine keeps in its folder: a JSON file for each key, and a journal that remembers the revisions.

Called by `files.py`, on a worker thread. The files are the truth about what is there now: one that was edited, added
or removed while nobody served the folder counts as a change made at the next start. The journal is the truth about
revisions, history and times to live.
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import orjson

from generic.storage.interface import StorageError

JOURNAL = ".journal"
_LOCK = ".lock"
_SUFFIX = ".json"
_UNFINISHED = ".new-"
_EMPTY = "%"
"""Stands for a segment with nothing in it; no quoted text is this."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of one key; `value` None: a deletion. `expires` is in seconds since the epoch, 0 for never."""

    key: str
    value: bytes | None
    create_revision: int
    mod_revision: int
    expires: float = 0.0


class Folder:
    """Opened by one engine at a time. Methods raise OSError; `open` and `translated` make StorageErrors of them."""

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._durable = durable
        self._lock = -1
        self._journal = -1

    def open(self) -> tuple[int, int, list[Entry]]:
        """Lock the folder and read the journal: what it was compacted to, the newest revision, and the entries."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise StorageError(f"{self.path} is in use by another process", retriable=False) from None
        compacted, revision, entries, length = self._read()
        self._journal = os.open(self.path / JOURNAL, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # A line that a crash left unfinished was never acknowledged.
        os.ftruncate(self._journal, length)
        os.lseek(self._journal, 0, os.SEEK_END)
        return compacted, revision, entries

    def close(self) -> None:
        for descriptor in (self._journal, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._journal = self._lock = -1

    # Files.

    def found(self) -> Iterator[tuple[str, bytes]]:
        """Every key there is a file for, with what is in it."""
        for root, folders, names in os.walk(self.path):
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            for name in sorted(names):
                file = Path(root) / name
                if name.startswith(_UNFINISHED):
                    file.unlink()
                elif name.endswith(_SUFFIX) and not name.startswith("."):
                    yield self._key(file), file.read_bytes()

    def write(self, entries: Sequence[Entry]) -> None:
        """Make files and journal say so, and return when that is durable. Files first: see `files.py`."""
        touched: set[Path] = set()
        for entry in entries:
            file = self.file(entry.key)
            if entry.value is None:
                file.unlink(missing_ok=True)
            else:
                file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _replace(file, shown(entry.value), durable=self._durable)
            touched.add(file.parent)
        if self._durable:
            for folder in touched:
                _sync_folder(folder)
        self.append(entries)

    def append(self, entries: Iterable[Entry]) -> None:
        """Remember changes that the files show already."""
        before = os.lseek(self._journal, 0, os.SEEK_END)
        rest = memoryview(b"".join(_line(entry) for entry in entries))
        try:
            while rest:
                rest = rest[os.write(self._journal, rest) :]
            if self._durable:
                os.fsync(self._journal)
        except OSError:
            # Half a line would spoil the next one.
            os.ftruncate(self._journal, before)
            raise

    def rewrite(self, compacted: int, revision: int, entries: Iterable[Entry]) -> None:
        """Replace the journal by a shorter one."""
        head = orjson.dumps({"compacted": compacted, "revision": revision}) + b"\n"
        _replace(self.path / JOURNAL, head + b"".join(_line(entry) for entry in entries), durable=self._durable)
        if self._durable:
            _sync_folder(self.path)
        os.close(self._journal)
        self._journal = os.open(self.path / JOURNAL, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)

    def file(self, key: str) -> Path:
        """Where a key's file is: `/registry/demo.io/cats/tom` in `registry/demo.io/cats/tom.json`."""
        *folders, name = (_quoted(part) for part in key.removeprefix("/").split("/"))
        if not key.startswith("/"):
            folders.insert(0, f"{_EMPTY}{_EMPTY}")
        return self.path.joinpath(*folders, f"{name}{_SUFFIX}")

    def _key(self, file: Path) -> str:
        parts = list(file.relative_to(self.path).with_suffix("").parts)
        rooted = parts[0] != f"{_EMPTY}{_EMPTY}"
        plain = ["" if part == _EMPTY else unquote(part) for part in (parts if rooted else parts[1:])]
        return ("/" if rooted else "") + "/".join(plain)

    def _read(self) -> tuple[int, int, list[Entry], int]:
        path = self.path / JOURNAL
        data = path.read_bytes() if path.is_file() else b""
        whole = data[: data.rfind(b"\n") + 1]
        compacted = revision = 0
        entries: list[Entry] = []
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                read: dict[str, Any] = orjson.loads(line)
                if "compacted" in read:
                    compacted, revision = read["compacted"], read["revision"]
                    continue
                entries.append(_entry(read))
            except (ValueError, KeyError, TypeError) as error:
                raise StorageError(f"{path} is damaged in line {number}", retriable=False) from error
            revision = max(revision, entries[-1].mod_revision)
        return compacted, revision, entries, len(whole)


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """OSErrors as StorageErrors."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{error.filename or path}: {error.strerror}", retriable=False) from error


def shown(value: bytes) -> bytes:
    """A value as its file has it: JSON objects indented, so that people can read, edit and compare them."""
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
    if not isinstance(found, dict):
        return value
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def same(value: bytes, content: bytes) -> bool:
    """Whether a file says what a value says, however it is written."""
    if content == value or content == shown(value):
        return True
    try:
        return bool(orjson.loads(content) == orjson.loads(value))
    except orjson.JSONDecodeError:
        return False


def check(file: Path, key: str, content: bytes) -> None:
    """What somebody wrote by hand must at least be an object of that name. Raises StorageError."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise StorageError(f"{file} is not JSON: {error}", retriable=False) from error
    metadata = found.get("metadata") if isinstance(found, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    wanted = key.rpartition("/")[2]
    if name != wanted:
        raise StorageError(f"{file} is not an object whose metadata.name is {wanted}", retriable=False)


def _line(entry: Entry) -> bytes:
    line: dict[str, Any] = {"key": entry.key, "created": entry.create_revision, "changed": entry.mod_revision}
    if entry.value is not None:
        try:
            line["value"] = entry.value.decode()
        except UnicodeDecodeError:
            line["bytes"] = entry.value.hex()
    if entry.expires:
        line["expires"] = entry.expires
    return orjson.dumps(line) + b"\n"


def _entry(line: dict[str, Any]) -> Entry:
    value = line["value"].encode() if "value" in line else None
    if "bytes" in line:
        value = bytes.fromhex(line["bytes"])
    return Entry(line["key"], value, line["created"], line["changed"], line.get("expires", 0.0))


def _quoted(segment: str) -> str:
    """As a file or folder may be called; a folder never ends like a file."""
    if not segment:
        return _EMPTY
    made = quote(segment, safe=" :@+,=!~()")
    if made.startswith("."):
        made = f"%2E{made[1:]}"
    return f"{made[: -len(_SUFFIX)]}%2Ejson" if made.endswith(_SUFFIX) else made


def _replace(path: Path, data: bytes, *, durable: bool) -> None:
    """Readers see the old content or the new one; if `durable`, also after a crash."""
    # mkstemp's files are 0600 from the start.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):  # some file systems cannot, and then need not
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
