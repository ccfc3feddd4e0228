"""What `init repo`, `create`, `show` and `undo` do. Called by `command`."""

import ast
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from trikube import aa
from trikube.boot import changes, project, rendering
from trikube.boot.changes import Ask, Changes
from trikube.boot.errors import BootError
from trikube.boot.project import Kind, Project

Say = Callable[[str], None]


def init_repository(folder: Path, name: str, domain: str, say: Say) -> None:
    """Make `folder` a repository; it must not exist, or be empty but for git's own. Raises BootError."""
    made = project.new(folder, name, domain)
    files = {**rendering.repository(made), project.FILE: made.to_json()}
    try:
        if folder.exists() and (not folder.is_dir() or any(each.name != ".git" for each in folder.iterdir())):
            raise BootError(f"{folder} is there already and not empty: say another --name or --folder")
        _put_in_place(folder, files)
    except OSError as error:
        raise BootError(f"cannot make {folder}: {error.strerror}") from error
    for each in files:
        say(f"wrote {folder / each}")


def _put_in_place(folder: Path, files: dict[str, str | None]) -> None:
    """All of it, or nothing: made beside the folder, then moved."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        staging.chmod(0o755)
        for name, text in files.items():
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).write_text(text or "")
        if (folder / ".git").exists():
            for each in staging.iterdir():
                os.replace(each, folder / each.name)
        else:
            os.replace(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def create_kind(at: Project, kind: Kind, ask: Ask, say: Say) -> None:
    """Raises BootError."""
    changed = at.with_kind(kind)
    kind = changed.kinds[-1]
    files = rendering.kind_files(changed, kind)
    group_file = next(iter(files))
    if (at.root / group_file).exists():
        del files[group_file]
    _write(changed, f"create {kind.kind} of {kind.group}/{kind.version}", files, ask, say)


def create_subresource(at: Project, kind: Kind, name: str, ask: Ask, say: Say) -> None:
    """Adds a method to the kind's class, wherever that stands by now in its module. Raises BootError."""
    changed = at.with_subresource(kind, name)
    method = project.identifier(name)
    if hasattr(aa.Resource, method):
        method = f"{method}_subresource"
    values = rendering.subresource_values(at, kind, name, method)
    path = rendering.kind_file(at, kind)
    files: dict[str, str | None] = {
        path: _with_subresource(at.root / path, kind.kind, values),
        f"tests/test_{rendering.stem(kind)}_{project.identifier(name)}.py": rendering.render(
            "test_subresource.py", **values
        ),
    }
    _write(changed, f"create subresource {name} of {kind.kind}", files, ask, say, ours=frozenset({path}))


def show(at: Project, say: Say) -> None:
    """What is here."""
    say(f"{at.name}: an aggregated API server for {at.domain}, in {at.root}")
    for kind in at.kinds:
        notes = ["namespaced" if kind.namespaced else "cluster-scoped"]
        notes += [f"short names {', '.join(kind.short_names)}"] if kind.short_names else []
        notes += [f"stored as {kind.hub}"] if kind.hub else []
        notes += [f"subresource {name}" for name in kind.subresources]
        say(f"  {kind.kind} of {at.group_of(kind)}/{kind.version}: {', '.join(notes)}")
        say(f"    {rendering.kind_file(at, kind)}")
    if not at.kinds:
        say("  no kinds yet: trikube boot create group version resource --group ... --version v1alpha1 --kind ...")
    for record in reversed(changes.history(at.root)):
        say(f"  undo takes back: {record['title']}")
        break


def _write(
    changed: Project,
    title: str,
    files: dict[str, str | None],
    ask: Ask,
    say: Say,
    *,
    ours: frozenset[str] = frozenset(),
) -> None:
    listing = rendering.kinds_file(changed)
    files = {**files, listing: rendering.kinds(changed), project.FILE: changed.to_json()}
    # Nobody is asked about what only these commands write.
    Changes(changed.root, title, files, ours=ours | {listing, project.FILE}).write(ask, say)


def _with_subresource(path: Path, kind: str, values: dict[str, str]) -> str:
    try:
        text = path.read_text()
        tree = ast.parse(text)
    except OSError as error:
        raise BootError(f"cannot read {path}: {error.strerror}") from error
    except SyntaxError as error:
        raise BootError(f"{path}:{error.lineno} is not Python: {error.msg}") from error
    classes = {each.name: each for each in tree.body if isinstance(each, ast.ClassDef)}
    found = classes.get(kind)
    if found is None or found.end_lineno is None:
        raise BootError(f"{path} has no class {kind} to add to")
    if values["model"] in classes:
        raise BootError(f"{path} has a class {values['model']} already")
    if any(isinstance(each, ast.FunctionDef) and each.name == values["method"] for each in found.body):
        raise BootError(f"{path}: class {kind} has a method {values['method']} already")
    lines = text.splitlines(keepends=True)
    first = min([found.lineno, *(each.lineno for each in found.decorator_list)]) - 1
    head, body, rest = lines[:first], lines[first : found.end_lineno], lines[found.end_lineno :]
    model = rendering.render("subresource_model.py", **values)
    method = rendering.render("subresource_method.py", **values)
    return "".join([*head, model, *body, method, *rest])
