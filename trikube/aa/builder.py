"""APIServer: the builder with which an AA author says what a server is made of, and runs it.

Mirrors `apiserver-runtime/pkg/builder/builder.go`; the names of its methods are those of Go in Python's spelling.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

from generic.hooks import PreShutdownHook
from generic.meta import names
from generic.paths import Endpoint
from generic.registry import rest
from generic.registry.strategy import Strategy
from generic.server import GenericServer
from trikube.aa import options as option
from trikube.aa import process, registration, run
from trikube.aa.definition import DefinitionError
from trikube.aa.options import FlagsFunction, Options, OptionsFunction
from trikube.aa.plan import AdmissionFactory, Plan, PostStart, Served
from trikube.aa.resource import Resource, check_schema
from trikube.aa.run import Listening
from trikube.aa.storages import NotStored, StorageChoice


class APIServer:
    """`aa.APIServer("cats").with_resource(Cat).execute()`. Every `with_` method returns the builder."""

    def __init__(self, name: str = "aa") -> None:
        """`name`: of the program in its messages, of its data directory and its Service. Raises DefinitionError."""
        problems = names.dns1035_label(name)
        if problems:
            raise DefinitionError(f"server name {name!r} is not valid: {problems[0]}")
        self._plan = Plan(name)

    # What is served.

    def with_resource(self, cls: type[Resource], *, strategy: Strategy | None = None, storage: Any = None) -> Self:
        """Serve a kind. Versions of one kind are added one by one, the hub among them.

        `strategy`: in place of the class's hooks. `storage`: `aa.sqlite`, `aa.etcd`, `aa.files` of its own,
        `aa.NOT_STORED`, or any object with capabilities of `generic.registry.rest`. Raises DefinitionError.
        """
        if not isinstance(cls, type) or not issubclass(cls, Resource) or "definition" not in vars(cls):
            name = getattr(cls, "__name__", repr(cls))
            raise DefinitionError(f"{name} cannot be served: it is no aa.Resource with a group and a version")
        if any(served.cls is cls for served in self._plan.resources):
            raise DefinitionError(f"{cls.__name__} is served already")
        if not (storage is None or isinstance(storage, StorageChoice | NotStored) or rest.verbs_of(storage)):
            given = type(storage).__name__
            raise DefinitionError(f"{cls.__name__}: storage {given} has none of the methods of REST storage")
        check_schema(cls)
        self._plan.resources.append(Served(cls, strategy, storage))
        return self

    def with_handler(self, path: str, answer: Endpoint) -> Self:
        """Serve a path (everything below it, if it ends in a slash): Starlette's Request in, its Response out."""
        if not path.startswith("/"):
            raise DefinitionError(f"path {path!r} must begin with a slash")
        _refuse_second(path, [taken for taken, _ in self._plan.handlers], "handler of")
        self._plan.handlers.append((path, answer))
        return self

    def with_admission(self, make: AdmissionFactory) -> Self:
        """Have writes pass a plugin. `make` gets a Setup, whose informers follow the main server."""
        self._plan.admission.append(make)
        return self

    def without_authorization(self) -> Self:
        """Everybody may do everything: for a server that only a trusted network reaches."""
        self._plan.authorization = False
        return self

    # How it runs.

    def with_local_debug_extension(self) -> Self:
        """Add the flag `--standalone-debug-mode`: no main server, loopback only, an administrator's kubeconfig."""
        self._plan.local_debug = True
        return self

    def with_flags(self, function: FlagsFunction) -> Self:
        """Add flags to the parser; what they say is in `Options.extra`."""
        self._plan.flags.append(function)
        return self

    def with_options(self, function: OptionsFunction) -> Self:
        """Change the options after the flags are parsed, before they are checked."""
        self._plan.options.append(function)
        return self

    def with_server(self, function: Callable[[GenericServer], object]) -> Self:
        """Have the finished GenericServer at hand before it runs, for whatever has no method here."""
        self._plan.servers.append(function)
        return self

    def with_health_check(self, name: str, check: Callable[[], Awaitable[None]]) -> Self:
        """Part of `/healthz`, `/livez` and `/readyz`: well unless it raises."""
        _refuse_second(name, [taken for taken, _ in self._plan.health], "health check")
        self._plan.health.append((name, check))
        return self

    def with_post_start_hook(self, name: str, hook: PostStart) -> Self:
        """Run once it listens; it is not ready before this returns, and ends if this raises."""
        _refuse_second(name, [taken for taken, _ in self._plan.post_start], "post-start hook")
        self._plan.post_start.append((name, hook))
        return self

    def with_pre_shutdown_hook(self, name: str, hook: PreShutdownHook) -> Self:
        """Run before it stops."""
        _refuse_second(name, [taken for taken, _ in self._plan.pre_shutdown], "pre-shutdown hook")
        self._plan.pre_shutdown.append((name, hook))
        return self

    # Running.

    def parser(self) -> argparse.ArgumentParser:
        """The command line. Raises DefinitionError on flags that are there already."""
        groups = sorted({served.cls.definition.gvk.group for served in self._plan.resources})
        about = f"An aggregated API server for {', '.join(groups) or 'nothing yet'}."
        made = option.parser(self._plan.name, about, standalone=self._plan.local_debug)
        for function in self._plan.flags:
            try:
                function(made)
            except argparse.ArgumentError as error:
                raise DefinitionError(f"with_flags: {error}") from None
        return made

    def parse(self, arguments: Sequence[str]) -> Options:
        """Raises OptionsError; argparse itself ends the process on a flag that does not exist."""
        return option.options_of(self.parser().parse_args(arguments))

    async def run(
        self, stop: asyncio.Event, options: Options, *, on_listening: Callable[[Listening], None] | None = None
    ) -> None:
        """Serve until `stop` is set. See `trikube.aa.run.serve` for what it raises."""
        completed = option.complete(options, self._plan.options)
        await run.serve(self._plan, completed, stop, on_listening=on_listening)

    def execute(self, arguments: Sequence[str] | None = None) -> None:
        """Be the program: parse the command line, serve until SIGTERM or SIGINT. Exits with 1 if it cannot run.

        `registration ...` instead prints what makes an aggregator find it.
        """
        given = sys.argv[1:] if arguments is None else list(arguments)
        served = sorted({each.cls.definition.group_version for each in self._plan.resources})

        async def serve(stop: asyncio.Event, on_listening: Callable[[Listening], None]) -> None:
            await self.run(stop, self.parse(given), on_listening=on_listening)

        if given[:1] == ["registration"]:
            code = registration.main(self._plan.name, served, given[1:])
        else:
            code = process.main(self._plan.name, ", ".join(map(str, served)), serve)
        if code:
            sys.exit(code)


def _refuse_second(name: str, taken: Sequence[str], what: str) -> None:
    if name in taken:
        raise DefinitionError(f"there is a {what} {name} already")
