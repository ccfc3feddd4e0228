"""`trikube boot run local`: the repository's server beside a control plane, registered, restarted when a file changes.

Called by `command`. Everything it keeps is in `.trikube/local`, so the objects are still there at the next run.
"""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from trikube.boot import project as projects
from trikube.boot.errors import BootError
from trikube.boot.project import Project
from trikube.testing.errors import ControlPlaneError
from trikube.testing.plane import ControlPlane
from trikube.testing.servers import AggregatedServer

FOLDER = Path(".trikube") / "local"

_POLL = 0.3
_PLACE = re.compile(r'^ +File "([^"]+)", line (\d+)', re.MULTILINE)


class _Stopped(Exception):
    """SIGTERM."""


def run(project: Project, say: Callable[[str], None]) -> None:
    """Until SIGINT or SIGTERM. Raises BootError if it does not start."""
    if not project.kinds:
        raise BootError("there is no kind to serve yet: trikube boot create group version resource ...")
    folder = project.root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BootError(f"cannot make {folder}: {error.strerror}") from error
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        with ControlPlane(folder) as plane:
            server = plane.run_aa(project.package, project.groups(), folder=project.root, service=project.name)
            say(f"{project.name} serves {', '.join(project.groups())} through the aggregator at {plane.url}")
            say(f"logs: {FOLDER / 'trikube.log'}, {FOLDER / f'default-{project.name}.log'}")
            say(f"use it with: export KUBECONFIG={plane.kubeconfig}")
            _reload(plane, project, server, say)
    except ControlPlaneError as error:
        raise BootError(_one_line(str(error))) from error
    except (KeyboardInterrupt, _Stopped):
        say("stopped")
    finally:
        signal.signal(signal.SIGTERM, before)


def _reload(plane: ControlPlane, project: Project, server: AggregatedServer, say: Callable[[str], None]) -> None:
    """Forever. A server that does not start with the new code is told, and tried again with the next change."""
    seen, down = _saved(project), False
    while True:
        time.sleep(_POLL)
        now = _saved(project)
        if now == seen:
            if not down and server.process.ended():
                say(f"{project.name} has ended: {_one_line(server.process.said())}")
                down = True
            continue
        names = sorted(str(path.relative_to(project.root)) for path in now.keys() ^ seen.keys() | _newer(now, seen))
        seen = now
        try:
            server.restart()
            say(f"restarted after a change of {', '.join(names)}")
            project = _register(plane, project, server, say)
            down = False
        except (ControlPlaneError, BootError) as error:
            say(_one_line(str(error)))
            down = True


def _register(plane: ControlPlane, before: Project, server: AggregatedServer, say: Callable[[str], None]) -> Project:
    """The project as it is now, known to the aggregator. Raises BootError or ControlPlaneError."""
    project = projects.load(before.root)
    known = before.groups()
    for name in sorted(_api_services(before) - _api_services(project)):
        plane.kubectl("delete", "apiservice", name, "--ignore-not-found")
    for group, versions in project.groups().items():
        if known.get(group) != versions:
            plane.register_aa(group, versions, port=server.port, ca=server.ca, service=project.name)
            say(f"{project.name} serves {group} in {', '.join(versions)}")
    return project


def _api_services(project: Project) -> set[str]:
    return {f"{version}.{group}" for group, versions in project.groups().items() for version in versions}


def _saved(project: Project) -> dict[Path, int]:
    found = {}
    for path in (project.root / projects.FILE, *(project.root / project.package).rglob("*.py")):
        try:
            found[path] = path.stat().st_mtime_ns
        except FileNotFoundError:  # an editor that replaces files has just done so
            continue
    return found


def _newer(now: dict[Path, int], seen: dict[Path, int]) -> set[Path]:
    return {path for path in now.keys() & seen.keys() if now[path] != seen[path]}


def _one_line(text: str) -> str:
    """The name of the thing, and the last line of what it said: the exception, of a traceback, with its place."""
    head, _, rest = text.partition(": ")
    lines = [line for line in rest.splitlines() if line.strip()]
    if not lines:
        return head.strip()
    places = _PLACE.findall(rest)
    said = f"{lines[-1].strip()} ({':'.join(places[-1])})" if places else lines[-1].strip()
    return f"{head}: {said}" if "\n" not in head else said


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped
