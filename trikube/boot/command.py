"""The command line of `trikube boot`. Called by `trikube/cli.py`.

Whatever cannot be done is said in one line, exit code 1.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from generic import flags
from trikube.boot import changes, creating, deploying, local, project
from trikube.boot.deploying import ETCD_IMAGE, Deployment
from trikube.boot.errors import BootError
from trikube.boot.project import Kind

_KIND_WORDS = (["group", "version", "resource"], ["resource"])


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    given = _parser().parse_args(arguments)
    try:
        _run(given)
    except BootError as error:
        print(f"trikube boot: {error}", file=sys.stderr)  # noqa: T201, a program for people
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _run(given: argparse.Namespace) -> None:
    if given.command == "init":
        name = given.name or given.domain.split(".")[0]
        creating.init_repository(given.folder or Path(name), name, given.domain, _say)
        return
    at = project.load(Path.cwd())
    ask = _agree if given.yes else _ask
    match given.command, getattr(given, "what", ""):
        case "create", ["subresource"]:
            if not given.subresource:
                raise BootError("create subresource needs --subresource NAME")
            kind = at.find(given.kind, group=given.group, version=given.version)
            creating.create_subresource(at, kind, given.subresource, ask, _say)
        case "create", what if what in _KIND_WORDS:
            creating.create_kind(at, _kind(given), ask, _say)
        case "create", what:
            raise BootError(f"create {' '.join(what)}: it is `group version resource` or `subresource`")
        case "build", "config":
            deploying.build_config(at, _deployment(given, at.name), ask, _say)
        case "build", _:
            deploying.build_image(at, given.image, ask, _say, build=given.build)
        case "run", "local":
            local.run(at, _say)
        case "run", _:
            deployment = _deployment(given, at.name)
            deploying.run_in_cluster(at, deployment, ask, _say, timeout=given.timeout)
        case "undo", _:
            changes.undo(at.root, ask, _say)
        case _:
            creating.show(at, _say)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trikube boot", description="Scaffold, run and deploy an aggregated API server."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("-y", "--yes", action="store_true", help="overwrite without asking")

    init = commands.add_parser("init", parents=[common], help="init repo: make a repository")
    init.add_argument("what", choices=["repo"])
    init.add_argument("--domain", required=True, help="what API groups end in: demo.io")
    init.add_argument(
        "--name", default="", help="of the server, its package and folder; default: the domain's first label"
    )
    init.add_argument("--folder", type=Path, metavar="DIR", help="where; default: a new folder of that name")

    create = commands.add_parser(
        "create", parents=[common], help="create group version resource, create subresource: add to the API"
    )
    create.add_argument("what", nargs="+", metavar="group version resource | subresource")
    create.add_argument("--group", default="", help="without the domain: animal")
    create.add_argument("--version", default="", help="v1alpha1, v1beta1, v1 ...")
    create.add_argument("--kind", required=True, help="Cat")
    flags.add_boolean(create, "--non-namespaced", default=False)
    create.add_argument("--short-name", action="append", default=[], metavar="NAME", help="may be given again")
    create.add_argument("--subresource", default="", metavar="NAME", help="of the new subresource: feed")

    build = commands.add_parser("build", parents=[common], help="build config, build image: manifests, a Dockerfile")
    build.add_argument("what", choices=["config", "image"])
    _add_deployment(build)
    build.add_argument("--build", action="store_true", help="image: build it too, with docker, podman or buildah")

    run = commands.add_parser("run", parents=[common], help="run local, run in-cluster: serve it")
    run.add_argument("what", choices=["local", "in-cluster"])
    _add_deployment(run)
    run.add_argument("--timeout", type=int, default=120, metavar="SECONDS", help="in-cluster: until it is available")

    commands.add_parser("show", parents=[common], help="what the repository has")
    commands.add_parser("undo", parents=[common], help="take the last create or build back")
    return parser


def _add_deployment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="", help="of Deployment, Service and account; default: the repository's")
    parser.add_argument("--namespace", default="", help="default: that name")
    parser.add_argument("--image", default="", help="of the server")
    parser.add_argument(
        "--etcd", nargs="?", const=ETCD_IMAGE, default="", metavar="IMAGE", help="an etcd of its own, instead of sqlite"
    )
    parser.add_argument("--rotate", action="store_true", help="a new serving certificate")


def _kind(given: argparse.Namespace) -> Kind:
    for flag in ("group", "version"):
        if not getattr(given, flag):
            raise BootError(f"create group version resource needs --{flag}")
    return Kind(
        given.group, given.version, given.kind, namespaced=not given.non_namespaced, short_names=tuple(given.short_name)
    )


def _deployment(given: argparse.Namespace, name: str) -> Deployment:
    service = given.name or name
    return Deployment(
        service=service,
        namespace=given.namespace or service,
        image=given.image,
        etcd=given.etcd,
        rotate=given.rotate,
    )


def _agree(question: str) -> bool:
    return True


def _ask(question: str) -> bool:
    """Of the person at the terminal; without one the answer is no."""
    if not sys.stdin.isatty():
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201, a program for people
