"""Health endpoints: `/healthz`, `/livez`, `/readyz`, each a list of named checks.

`?verbose` lists the checks, `?exclude=name` skips one, `/<endpoint>/<name>` asks for one alone. Why a check failed is
logged, and told only where it is asked for alone: that, unlike the list, is not for everybody by the default roles.
Mirrors `apiserver/pkg/server/healthz/healthz.go` and `apiserver/pkg/server/healthz.go`.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from generic.endpoints import responses
from generic.metrics import HealthResults
from generic.mux import PathMux
from generic.storage.interface import Storage
from generic.types import Receive, Scope, Send

STORAGE_SECONDS = 2.0

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A named check; `run` raises if the server is not well."""

    name: str
    run: Callable[[], Awaitable[None]]


async def _ping() -> None:
    """The process answers: that is all."""


PING = HealthCheck("ping", _ping)


class StorageSilent(Exception):
    """The storage does not answer."""


def of_storage(storage: Storage, name: str = "etcd") -> HealthCheck:
    """Fails while the storage does not answer. Named as in Kubernetes, whatever the engine: monitors know the name."""

    async def answers() -> None:
        try:
            async with asyncio.timeout(STORAGE_SECONDS):
                await storage.revision()
        except TimeoutError:
            raise StorageSilent("error getting data from etcd: context deadline exceeded") from None

    return HealthCheck(name, answers)


def merge(*lists: Sequence[HealthCheck]) -> list[HealthCheck]:
    """Checks of several servers, the first of each name, in order."""
    merged: dict[str, HealthCheck] = {}
    for checks in lists:
        for check in checks:
            merged.setdefault(check.name, check)
    return list(merged.values())


def delayed(checks: Sequence[HealthCheck], seconds: float) -> list[HealthCheck]:
    """The same checks, which pass in any case until so many seconds from now."""
    if seconds <= 0:
        return list(checks)
    until = time.monotonic() + seconds

    def after(check: HealthCheck) -> HealthCheck:
        async def run() -> None:
            if time.monotonic() > until:
                await check.run()

        return HealthCheck(check.name, run)

    return [after(check) for check in checks]


def install(
    mux: PathMux, endpoint: str, checks: Sequence[HealthCheck], *, results: HealthResults | None = None
) -> None:
    """Serve `/<endpoint>` and `/<endpoint>/<check>` for a list of checks that is final.

    `results` are told what the checks say when all are asked for.
    """
    mux.handle(f"/{endpoint}", _Endpoint(endpoint, checks, results))
    for check in checks:
        mux.handle(f"/{endpoint}/{check.name}", _Single(check))


class _Endpoint:
    def __init__(self, name: str, checks: Sequence[HealthCheck], results: HealthResults | None) -> None:
        self._name = name
        self._checks = checks
        self._results = results

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        excluded = {name for value in query.get("exclude", []) for name in value.split(",") if name}
        lines, failed = [], []
        for check in self._checks:
            if check.name in excluded:
                excluded.discard(check.name)
                lines.append(f"[+]{check.name} excluded: ok\n")
                continue
            passed = await _failure(check) is None
            if self._results is not None:
                self._results.observe(check.name, self._name, passed=passed)
            if passed:
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
        failure = await _failure(self._check)
        if failure is None:
            await responses.send_bytes(scope, send, b"ok", content_type=b"text/plain; charset=utf-8")
        else:
            await responses.send_text(scope, send, f"internal server error: {failure}\n", status=500)


async def _failure(check: HealthCheck) -> Exception | None:
    try:
        await check.run()
    except Exception as error:
        _LOG.info("health check %s failed: %s", check.name, error)
        return error
    return None
