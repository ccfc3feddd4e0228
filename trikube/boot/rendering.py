"""Texts of the scaffolded files, out of `templates`. Called by `creating` and `deploying`."""

import re
import string
from importlib import resources

from trikube.boot.project import Kind, Project, identifier


def render(template: str, **values: object) -> str:
    """A template filled in; each `$name` in it has a value."""
    text = resources.files("trikube.boot").joinpath("templates", f"{template}.tmpl").read_text()
    return string.Template(text).substitute({name: str(value) for name, value in values.items()})


def repository(project: Project) -> dict[str, str | None]:
    """Every file of a repository without kinds."""
    values = {"name": project.name, "package": project.package, "domain": project.domain}
    plain = {
        "README.md": "README.md",
        "pyproject.toml": "pyproject.toml",
        ".gitignore": "gitignore",
        "tests/conftest.py": "conftest.py",
        f"{project.package}/__init__.py": "package_init.py",
        f"{project.package}/__main__.py": "main.py",
    }
    made: dict[str, str | None] = {path: render(template, **values) for path, template in plain.items()}
    return {**made, kinds_file(project): kinds(project)}


def kinds_file(project: Project) -> str:
    return f"{project.package}/kinds.py"


def kinds(project: Project) -> str:
    """The list of kinds; those that others convert to come first."""
    listed = sorted(project.kinds, key=lambda kind: bool(kind.hub))
    modules = {kind: f"{project.package}.{kind.package}.{kind.module}" for kind in listed}
    imports = "".join(f"\nimport {name}" for name in sorted(modules.values(), key=_natural))
    names = "".join(f"\n    {modules[kind]}.{kind.kind}," for kind in listed)
    return render("kinds.py", imports=f"{imports}\n" if imports else "", kinds=f"{names}\n" if names else "")


def kind_file(project: Project, kind: Kind) -> str:
    return f"{project.package}/{kind.package}/{kind.module}.py"


def kind_files(project: Project, kind: Kind) -> dict[str, str | None]:
    """What one more kind adds: its module, a sample, a test."""
    values = {
        "package": project.package,
        "group": project.group_of(kind),
        "group_package": kind.package,
        "version": kind.version,
        "kind": kind.kind,
        "module": kind.module,
        "hub_module": f"{kind.singular}_{kind.hub}",
        "stem": stem(kind),
        "plural": kind.plural,
        "namespaced": kind.namespaced,
        "namespace": "\n  namespace: default" if kind.namespaced else "",
        "short_names": ", ".join(f'"{name}"' for name in kind.short_names),
    }
    return {
        f"{project.package}/{kind.package}/__init__.py": render("group_init.py", **values),
        kind_file(project, kind): render("spoke.py" if kind.hub else "kind.py", **values),
        f"samples/{stem(kind)}.yaml": render("sample.yaml", **values),
        f"tests/test_{stem(kind)}.py": render("test_kind.py", **values),
    }


def subresource_values(project: Project, kind: Kind, subresource: str, method: str) -> dict[str, str]:
    """What the three templates of a subresource are filled in with."""
    return {
        "group": project.group_of(kind),
        "version": kind.version,
        "kind": kind.kind,
        "plural": kind.plural,
        "stem": stem(kind),
        "place": "namespaces/default/" if kind.namespaced else "",
        "subresource": subresource,
        "method": method,
        "model": model_of(kind, subresource),
    }


def model_of(kind: Kind, subresource: str) -> str:
    """The class a subresource speaks: CatFeed."""
    return kind.kind + "".join(part.capitalize() for part in subresource.split("-"))


def stem(kind: Kind) -> str:
    """What its sample and test are called."""
    return f"{identifier(kind.group)}_{kind.module}"


def _natural(name: str) -> list[tuple[int, str]]:
    """As ruff sorts: v2 before v10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
