"""RotatingFile: a file that is put aside when it is full; of those put aside only so many stay, for so long.

Written to by `log`. Nobody but its owner can read it: events say who did what. Those put aside have their time in
their name, `audit-2026-01-02T03-04-05.678.log`, in UTC. Mirrors lumberjack, the rotation Kubernetes uses.
"""

import gzip
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

MEGABYTE = 1024 * 1024

_MODE = 0o600
_FOLDER_MODE = 0o700
_TIME = "%Y-%m-%dT%H-%M-%S"
_STEP = timedelta(milliseconds=1)
_PACKED = ".gz"


@dataclass(frozen=True, slots=True)
class Rotation:
    """0 is no limit, for each. `max_size` in bytes, `max_age` in days; `compress` what was put aside."""

    max_size: int = 0
    max_backups: int = 0
    max_age: int = 0
    compress: bool = False


class RotatingFile:
    """One writer; `tidy` may run on another thread, once at a time."""

    def __init__(self, path: Path, rotation: Rotation) -> None:
        """Makes the file if it is not there. Raises OSError."""
        self._path = path
        self._rotation = rotation
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        self._fd, self._size = _open(path, _MODE)
        self._rotated_at = datetime.fromtimestamp(0, UTC)

    def write(self, data: bytes) -> bool:
        """True if the file was put aside before. Raises OSError, ValueError for more than a file may hold."""
        limit = self._rotation.max_size
        rotated = False
        if limit and self._size + len(data) > limit:
            if len(data) > limit:
                raise ValueError(f"write length {len(data)} exceeds maximum file size {limit}")
            self._rotate()
            rotated = True
        self._size += len(data)
        written = os.write(self._fd, data)
        while written < len(data):
            written += os.write(self._fd, data[written:])
        return rotated

    def tidy(self) -> None:
        """Remove what is too old or too much, compress the rest. Raises OSError."""
        kept: set[str] = set()
        oldest = datetime.now(UTC) - timedelta(days=self._rotation.max_age)
        for moment, path in sorted(self._put_aside(), reverse=True):
            name = path.name.removesuffix(_PACKED)
            too_many = bool(self._rotation.max_backups) and len(kept | {name}) > self._rotation.max_backups
            if too_many or (self._rotation.max_age and moment < oldest):
                path.unlink(missing_ok=True)
                continue
            kept.add(name)
            if self._rotation.compress and path.suffix != _PACKED:
                _compress(path)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _rotate(self) -> None:
        mode = os.fstat(self._fd).st_mode & 0o777
        # In the order of their names, however fast they fill.
        moment = max(datetime.now(UTC), self._rotated_at + _STEP)
        while any(aside.exists() for aside in (self._aside(moment), self._aside(moment, _PACKED))):
            moment += _STEP
        self._rotated_at = moment
        # Somebody may have taken it away already.
        with suppress(FileNotFoundError):
            self._path.rename(self._aside(moment))
        fd, size = _open(self._path, mode)
        os.close(self._fd)
        self._fd, self._size = fd, size

    def _aside(self, moment: datetime, end: str = "") -> Path:
        stamp = f"{moment:{_TIME}}.{moment.microsecond // 1000:03d}"
        return self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}{end}")

    def _put_aside(self) -> Iterator[tuple[datetime, Path]]:
        start, end = f"{self._path.stem}-", self._path.suffix
        for path in self._path.parent.iterdir():
            name = path.name.removesuffix(_PACKED)
            if not name.startswith(start) or not name.endswith(end):
                continue
            stamp = name[len(start) : len(name) - len(end)]
            try:
                yield datetime.strptime(f"{stamp}+0000", f"{_TIME}.%f%z"), path
            except ValueError:
                # Somebody else's file.
                continue


def _open(path: Path, mode: int) -> tuple[int, int]:
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, mode)
    return fd, os.fstat(fd).st_size


def _compress(path: Path) -> None:
    packed = path.with_name(f"{path.name}{_PACKED}")
    part = packed.with_name(f"{packed.name}.part")
    try:
        target = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE), "wb")
        with path.open("rb") as source, target, gzip.GzipFile(fileobj=target, mode="wb") as packer:
            shutil.copyfileobj(source, packer)
        part.rename(packed)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    path.unlink()
