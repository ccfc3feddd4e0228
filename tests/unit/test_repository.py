"""The rules of the house that no linter knows: file length, packages, the lock, what no file may name."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("generic", "kubeapi", "extensions", "aggregator", "trikube")
MAX_LINES = 400

# Written so that this file does not match itself.
REGISTRY_HOST = re.compile(r"(?:pypi|pythonhosted|npmjs|yarnpkg|rubygems|crates|anaconda)\.(?:org|com|io)\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:work|root|Users|home)/\w")


def walk(folder: Path) -> Iterator[Path]:
    """Every file a clone holds: not git's own, not what builds, tools and running servers leave behind."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            hidden = path.name.startswith(".") and path.name != ".ci"
            if not hidden and path.name not in ("__pycache__", "build", "dist") and path.suffix != ".egg-info":
                yield from walk(path)
        elif path.name != ".git":
            yield path


FILES = list(walk(ROOT))
MODULES = [path for path in FILES if path.suffix == ".py"]
SHIPPED = [path for path in MODULES if path.relative_to(ROOT).parts[0] in PACKAGES]


def names(paths: list[Path]) -> list[str]:
    """Paths as they are said in a failure."""
    return [str(path.relative_to(ROOT)) for path in paths]


def pyproject() -> dict[str, Any]:
    """The decoded pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_walk_finds_the_sources() -> None:
    assert Path(__file__).resolve() in MODULES
    assert {path.relative_to(ROOT).parts[0] for path in SHIPPED} == set(PACKAGES)


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    assert [
        f"{path.relative_to(ROOT)}: {count}"
        for path in MODULES
        if (count := path.read_bytes().count(b"\n")) > MAX_LINES
    ] == []


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in SHIPPED}
    assert names([folder for folder in sorted(folders) if not (folder / "__init__.py").is_file()]) == []


def test_no_folder_shadows_what_pdb_imports() -> None:
    assert names([path for path in FILES if {"cmd", "code"} & set(path.relative_to(ROOT).parts[:-1])]) == []


def test_no_module_hides_an_import_from_the_running_program() -> None:
    hidden = "TYPE_" + "CHECKING"
    assert names([path for path in SHIPPED if hidden in path.read_text()]) == []


@pytest.mark.parametrize("forbidden", [REGISTRY_HOST, MACHINE_PATH], ids=["registry host", "machine path"])
def test_no_file_names_a(forbidden: re.Pattern[str]) -> None:
    found = []
    for path in FILES:
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
            if forbidden.search(line) or str(ROOT) in line:
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}")
    assert found == []


def test_the_patterns_know_what_they_look_for() -> None:
    assert REGISTRY_HOST.search("https://pypi" + ".org/simple")
    assert MACHINE_PATH.search("see " + "/ho" + "me/someone/notes")
    assert not MACHINE_PATH.search("docs/work/list, $PREFIX/root/x, https://host.example/home/x")


def locked(name: str) -> dict[str, str]:
    """Package name to version of a lock file; every requirement in it has at least one hash.

    Raises: AssertionError for a line that is neither a pinned requirement nor a hash.
    """
    versions: dict[str, str] = {}
    hashes: dict[str, int] = {}
    current = ""
    for line in (ROOT / name).read_text().splitlines():
        if match := re.fullmatch(r"([a-z0-9-]+)==([\w.]+)(?: ; .+)? \\", line):
            current = match[1]
            versions[current], hashes[current] = match[2], 0
        else:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line), f"{name}: {line!r}"
            hashes[current] += 1
    assert [package for package, count in hashes.items() if count == 0] == []
    return versions


def test_every_declared_dependency_is_locked() -> None:
    project = pyproject()
    declared = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["dev"],
        *project["dependency-groups"]["bootstrap"],
        *project["build-system"]["requires"],
    ]
    versions = locked("constraints.txt")
    stale = [
        requirement
        for requirement in map(Requirement, declared)
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"))
    ]
    assert stale == [], "run `make lock`"


def test_the_bootstrap_installs_what_the_lock_says() -> None:
    versions = locked("constraints.txt")
    bootstrap = locked("constraints-bootstrap.txt")
    assert bootstrap
    assert bootstrap.items() <= versions.items()


def test_every_package_is_installed_by_the_build() -> None:
    patterns = pyproject()["tool"]["setuptools"]["packages"]["find"]["include"]
    assert sorted(patterns) == sorted(f"{package}*" for package in PACKAGES)
