"""Health endpoints: `/healthz`, `/livez`, `/readyz`, each a list of named checks.

`?verbose` lists the checks, `?exclude=name` skips one, `/<endpoint>/<name>` asks for one alone; why a
check failed is logged, never told. Mirrors `apiserver/pkg/server/healthz/healthz.go`.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from generic.endpoints import responses
from generic.mux import PathMux
from generic.types import Receive, Scope, Send

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A named check; `run` raises if the server is not well."""

    name: str
    run: Callable[[], Awaitable[None]]


async def _ping() -> None:
    """The process answers: that is all."""


PING = HealthCheck("ping", _ping)


def merge(*lists: Sequence[HealthCheck]) -> list[HealthCheck]:
    """Checks of several servers, the first of each name, in order."""
    merged: dict[str, HealthCheck] = {}
    for checks in lists:
        for check in checks:
            merged.setdefault(check.name, check)
    return list(merged.values())


def install(mux: PathMux, endpoint: str, checks: Sequence[HealthCheck]) -> None:
    """Serve `/<endpoint>` and `/<endpoint>/<check>` for a list of checks that is final."""
    mux.handle(f"/{endpoint}", _Endpoint(endpoint, checks))
    for check in checks:
        mux.handle(f"/{endpoint}/{check.name}", _Single(check))


class _Endpoint:
    def __init__(self, name: str, checks: Sequence[HealthCheck]) -> None:
        self._name = name
        self._checks = checks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        excluded = {name for value in query.get("exclude", []) for name in value.split(",") if name}
        lines, failed = [], []
        for check in self._checks:
            if check.name in excluded:
                excluded.discard(check.name)
                lines.append(f"[+]{check.name} excluded: ok\n")
            elif await _passes(check):
                lines.append(f"[+]{check.name} ok\n")
            else:
                failed.append(check.name)
                lines.append(f"[-]{check.name} failed: reason withheld\n")
        if excluded:
            unknown = ", ".join(f'"{name}"' for name in sorted(excluded))
            lines.append(f"warn: some health checks cannot be excluded: no matches for {unknown}\n")
        listing = "".join(lines)
        if failed:
            await responses.send_text(scope, send, f"{listing}{self._name} check failed\n", status=500)
        elif "verbose" in query:
            await responses.send_text(scope, send, f"{listing}{self._name} check passed\n")
        else:
            await responses.send_text(scope, send, "ok")


class _Single:
    def __init__(self, check: HealthCheck) -> None:
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await _passes(self._check):
            await responses.send_text(scope, send, "ok")
        else:
            await responses.send_text(scope, send, "internal server error: reason withheld\n", status=500)


async def _passes(check: HealthCheck) -> bool:
    try:
        await check.run()
    except Exception as error:
        _LOG.info("health check %s failed: %s", check.name, error)
        return False
    return True
