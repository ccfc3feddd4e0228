"""Changes: files a command is about to write, written all or none, and how the last command is undone.

Made by `creating` and `deploying`. Everything is staged in a folder beside its place and then moved, so that an
error, a full disk or a missing permission leaves the repository as it was.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trikube.boot.errors import BootError

UNDO = Path(".trikube") / "undo.json"
"""What `undo` needs, newest last. Not for git: it belongs to this working copy."""

Ask = Callable[[str], bool]
"""Whether the person agrees to what it asks."""

_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Changes:
    """`files` maps paths below the root to their new text, None meaning that the file goes."""

    root: Path
    title: str
    files: Mapping[str, str | None]
    private: frozenset[str] = frozenset()
    """Those only their owner may read."""
    ours: frozenset[str] = frozenset()
    """Those that are ours to change: nobody is asked."""
    again: bool = False
    """Undone with the run before it, if that was the same command."""

    def write(self, ask: Ask, say: Callable[[str], None], *, undoable: bool = True) -> None:
        """Ask before anything is overwritten, write, say what was written. Raises BootError; then nothing is."""
        before = {name: _read(self.root / name) for name in self.files}
        changed = {name: text for name, text in self.files.items() if before[name] != text}
        for name in changed:
            if (
                before[name] is not None
                and name not in self.ours
                and not ask(f"{name} is there already: overwrite it?")
            ):
                raise BootError(f"{name} is there already and stays: nothing was written (--yes overwrites)")
        if undoable and changed:
            changed[str(UNDO)] = json.dumps(self._remembered(before, changed)[-_DEEPEST:])
        if not changed:
            say(f"{self.title}: nothing to write, all of it is there already")
            return
        self._move(changed)
        for name, text in changed.items():
            if name != str(UNDO):
                what = "removed" if text is None else "wrote" if before[name] is None else "changed"
                say(f"{what} {name}")

    def _remembered(self, before: Mapping[str, str | None], changed: Mapping[str, str | None]) -> list[dict[str, Any]]:
        """The history with this command in it. One run again at once is one with its last run."""
        records = history(self.root)
        last = records.pop() if self.again and records and records[-1]["title"] == self.title else {"files": {}}
        known: dict[str, dict[str, str | None]] = last["files"]
        made = dict(known)
        for name, text in changed.items():
            if name in known:
                made[name] = _record(known[name]["before"], text)
            elif name not in self.private or before[name] is None:
                made[name] = _record(before[name], text)
            # What only the owner may read is not kept a second time: where it was before us, it stays as it is.
        return [*records, {"title": self.title, "files": made}]

    def _move(self, files: Mapping[str, str | None]) -> None:
        """Stage all, then move one by one: what can fail has failed before the first is moved."""
        try:
            staging = Path(tempfile.mkdtemp(dir=self.root, prefix=".boot-"))
        except OSError as error:
            raise BootError(f"cannot write in {self.root}: {error.strerror}") from error
        try:
            for number, (name, text) in enumerate(files.items()):
                if text is not None:
                    staged = staging / str(number)
                    staged.write_text(text)
                    staged.chmod(0o600 if name in self.private else 0o644)
                    (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            for number, (name, text) in enumerate(files.items()):
                if text is None:
                    _remove(self.root, name)
                else:
                    os.replace(staging / str(number), self.root / name)
        except OSError as error:
            raise BootError(f"cannot write {error.filename}: {error.strerror}") from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def history(root: Path) -> list[dict[str, Any]]:
    """What can be undone, newest last."""
    text = _read(root / UNDO)
    try:
        found = json.loads(text) if text is not None else []
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def undo(root: Path, ask: Ask, say: Callable[[str], None]) -> None:
    """Take the last command back. Raises BootError; then nothing has changed."""
    records = history(root)
    if not records:
        raise BootError("there is nothing to undo here")
    last = records[-1]
    for name, record in last["files"].items():
        if _digest(_read(root / name)) != record["after"] and not ask(f"{name} has changed since: lose that?"):
            raise BootError(f"{name} has changed since {last['title']!r}: nothing was undone (--yes undoes it)")
    files: dict[str, str | None] = {name: record["before"] for name, record in last["files"].items()}
    files[str(UNDO)] = json.dumps(records[:-1])
    everything = Changes(root, f"undo {last['title']}", files, ours=frozenset(files))
    everything.write(ask, lambda line: None if str(UNDO) in line else say(line), undoable=False)


def _record(before: str | None, after: str | None) -> dict[str, str | None]:
    return {"before": before, "after": _digest(after)}


def _digest(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> str | None:
    try:
        return path.read_text()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BootError(f"cannot read {path}: {error}") from error


def _remove(root: Path, name: str) -> None:
    """The file, and the folders that are empty without it."""
    path = root / name
    path.unlink(missing_ok=True)
    for folder in path.parents:
        if folder == root:
            return
        # A cache of Python's is no content.
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        if any(folder.iterdir()):
            return
        folder.rmdir()
