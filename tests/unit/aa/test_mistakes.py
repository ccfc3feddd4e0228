"""What an author got wrong is one line on standard error and exit code 1, whether a builder or a process meets it."""

import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from trikube import aa


class Spec(aa.Model):
    """Spec is nothing."""


class Toy(aa.Resource, group="toys.demo.io", version="v1"):
    """Toy is a toy."""

    spec: Spec = Spec()


async def nothing(*_: object) -> Any:
    """For hooks."""


def server() -> aa.APIServer:
    return aa.APIServer("toys").with_resource(Toy).with_local_debug_extension()


@pytest.mark.parametrize(
    ("mistake", "why"),
    [
        (lambda: server().with_resource(Toy), "Toy is served already"),
        (
            lambda: server().with_resource(cast(Any, Spec)),
            "Spec cannot be served: it is no aa.Resource with a group and a version",
        ),
        (
            lambda: aa.APIServer().with_resource(Toy, storage=3),
            "Toy: storage int has none of the methods of REST storage",
        ),
        (lambda: server().with_handler("x", nothing), "path 'x' must begin with a slash"),
        (
            lambda: server().with_handler("/x", nothing).with_handler("/x", nothing),
            "there is a handler of /x already",
        ),
        (
            lambda: server().with_health_check("x", nothing).with_health_check("x", nothing),
            "there is a health check x already",
        ),
        (
            lambda: server().with_post_start_hook("x", nothing).with_post_start_hook("x", nothing),
            "there is a post-start hook x already",
        ),
        (
            lambda: server().with_pre_shutdown_hook("x", nothing).with_pre_shutdown_hook("x", nothing),
            "there is a pre-shutdown hook x already",
        ),
    ],
)
def test_a_builder_refuses_at_once(mistake: Callable[[], object], why: str) -> None:
    with pytest.raises(aa.DefinitionError) as raised:
        mistake()
    assert str(raised.value) == why


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (
            lambda made: made.with_flags(lambda parser: parser.add_argument("--secure-port")),
            "with_flags: argument --secure-port: conflicting option string: --secure-port",
        ),
        (
            lambda made: made.with_options(lambda options: cast(Any, None)),
            "<lambda> returned None, not the aa.Options to use",
        ),
        (lambda made: made.with_admission(lambda setup: object()), "object is no admission plugin: it has no handles"),
        (lambda made: made.with_admission(lambda setup: cast(Any, {})["x"]), f"KeyError: 'x' ({__file__}:"),
        (
            lambda made: made.with_admission(lambda setup: setup.informer(Toy.definition.gvr)),
            "an informer of toys needs a main server: there is none in debug mode",
        ),
    ],
)
def test_what_only_starting_can_show_is_one_line(
    spoil: Callable[[aa.APIServer], object], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = server()
    spoil(made)
    with pytest.raises(SystemExit) as raised:
        made.execute(["--standalone-debug-mode", "--secure-port", "0", "--data-dir", str(tmp_path)])
    said = capsys.readouterr()
    assert (raised.value.code, said.out) == (1, "")
    assert said.err.startswith("toys: error: ")
    assert (why in said.err, said.err.count("\n")) == (True, 1), said.err


def test_who_cannot_reach_the_main_server_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        server().execute(["--kubeconfig", str(tmp_path / "missing"), "--data-dir", str(tmp_path / "data")])
    assert capsys.readouterr().err == f"toys: error: cannot read {tmp_path / 'missing'}: No such file or directory\n"
    assert list(tmp_path.iterdir()) == []


def run(folder: Path, code: str) -> tuple[str, subprocess.CompletedProcess[str]]:
    program = folder / "zoo.py"
    program.write_text(f"from trikube import aa\n\n\n{code}")
    return str(program), subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)


def test_a_class_that_cannot_be_is_one_line_with_its_place(tmp_path: Path) -> None:
    program, done = run(
        tmp_path, 'class Cat(aa.Resource, group="demo.io", version="v1"):\n    pair: tuple[int, str] = (1, "")\n'
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{program}:4: error: Cat cannot be a schema: pair is a tuple; a list has items of one type\n"
    )


def test_a_type_that_pydantic_does_not_take_is_one_too(tmp_path: Path) -> None:
    program, done = run(tmp_path, "class Thing: ...\n\n\nclass CatSpec(aa.Model):\n    thing: Thing\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{program}:7: error: Unable to generate pydantic-core schema for <class '__main__.Thing'>.\n"
    )


@pytest.mark.parametrize(
    ("keywords", "members", "why"),
    [
        ({"colums": ()}, {}, "Cat: colums= is none of the keywords of a resource"),
        ({"short_names": "ct"}, {}, "Cat: short_names= takes several, such as ('ct',)"),
        ({"subresources": "status"}, {}, "Cat: subresources= takes several, such as ('status',)"),
        (
            {"columns": ("Breed", ".spec.breed")},
            {},
            "Cat: columns= takes several (name, JSONPath) or (name, JSONPath, type), not 'Breed'",
        ),
        ({}, {"kind": str}, "Cat: a member cannot be called kind, every object has that"),
        ({}, {"api_version": str}, "Cat: a member cannot be called apiVersion, every object has that"),
        ({}, {"metadata": dict[str, str]}, "Cat: metadata is every object's, not a member of its own"),
    ],
)
def test_a_class_says_what_it_may_not(keywords: dict[str, Any], members: dict[str, Any], why: str) -> None:
    def body(namespace: dict[str, Any]) -> None:
        namespace |= {"__module__": __name__, "__annotations__": members}

    with pytest.raises(aa.DefinitionError) as raised:
        types.new_class("Cat", (aa.Resource,), {"group": "demo.io", "version": "v1", **keywords}, body)
    assert str(raised.value) == why
