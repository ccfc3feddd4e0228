"""`/healthz`, `/livez`, `/readyz`: what they say and what they withhold. BEHAVIOURS A, "Health"."""

import asyncio
from typing import Any

import pytest

from generic import health
from generic.delegation import EmptyDelegate
from generic.endpoints.discovery.aggregated import DiscoveryManager
from generic.health import HealthCheck
from generic.hooks import HookFailed, PostStartHook, run_all, run_pre_shutdown
from generic.mux import PathMux
from generic.server import GenericServer
from tests.support.asgi import Response, call

pytestmark = pytest.mark.anyio


async def _fine() -> None: ...


async def _broken() -> None:
    raise RuntimeError("the secret reason")


async def ask(path: str, *checks: HealthCheck) -> Response:
    mux = PathMux()
    health.install(mux, "readyz", [health.PING, *checks])
    handler = mux.find(path.partition("?")[0])
    assert handler is not None
    return await call(handler, path)


async def test_all_is_well() -> None:
    response = await ask("/readyz")
    assert (response.status, response.body) == (200, b"ok")


async def test_verbose_lists_the_checks() -> None:
    response = await ask("/readyz?verbose", HealthCheck("store", _fine))
    assert response.body == b"[+]ping ok\n[+]store ok\nreadyz check passed\n"


async def test_a_failure_is_500_and_its_reason_stays_here() -> None:
    response = await ask("/readyz", HealthCheck("store", _broken))
    assert response.status == 500
    assert response.body == b"[+]ping ok\n[-]store failed: reason withheld\nreadyz check failed\n"


async def test_an_excluded_check_is_skipped_and_an_unknown_one_told() -> None:
    response = await ask("/readyz?verbose&exclude=store&exclude=nothing", HealthCheck("store", _broken))
    assert response.status == 200
    assert b"[+]store excluded: ok\n" in response.body
    assert b'warn: some health checks cannot be excluded: no matches for "nothing"\n' in response.body


async def test_each_check_has_a_path_of_its_own() -> None:
    assert (await ask("/readyz/ping", HealthCheck("store", _broken))).status == 200
    failed = await ask("/readyz/store", HealthCheck("store", _broken))
    assert (failed.status, failed.body) == (500, b"internal server error: the secret reason\n")


async def test_a_hook_keeps_the_server_unready_until_it_has_finished() -> None:
    hook = PostStartHook("start-things", _fine)
    before = await ask("/readyz/poststarthook/start-things", hook.check())
    await run_all({hook.name: hook})
    after = await ask("/readyz/poststarthook/start-things", hook.check())
    assert (before.status, after.status) == (500, 200)


async def test_what_still_starts_is_no_failure_until_its_grace_period_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("generic.health.time.monotonic", lambda: now)
    (graceful,) = health.delayed([HealthCheck("poststarthook/slow", _broken)], 5.0)
    assert (await ask("/readyz/poststarthook/slow", graceful)).status == 200
    now = 105.1
    assert (await ask("/readyz/poststarthook/slow", graceful)).status == 500
    (at_once,) = health.delayed([HealthCheck("poststarthook/slow", _broken)], 0.0)
    assert (await ask("/readyz/poststarthook/slow", at_once)).status == 500


async def test_a_storage_that_fails_or_is_silent_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    class Store:
        failure: Exception | None = None
        silent = False

        async def revision(self) -> int:
            if self.silent:
                await asyncio.Event().wait()
            if self.failure is not None:
                raise self.failure
            return 1

    monkeypatch.setattr(health, "STORAGE_SECONDS", 0.01)
    store: Any = Store()
    check = health.of_storage(store)
    assert (await ask("/readyz/etcd", check)).status == 200
    store.failure = RuntimeError("disk on fire")
    assert (await ask("/readyz/etcd", check)).body == b"internal server error: disk on fire\n"
    store.silent = True
    told = b"internal server error: error getting data from etcd: context deadline exceeded\n"
    assert (await ask("/readyz/etcd", check)).body == told


async def test_a_boot_check_is_in_all_three_and_only_livez_waits_with_it() -> None:
    server = GenericServer("test", EmptyDelegate(), discovery=DiscoveryManager())
    server.add_boot_check(HealthCheck("completion", _broken))
    await server.prepare_to_run()
    server.install_shared_paths(livez_grace_period=3600)
    statuses = {}
    for endpoint in ("healthz", "livez", "readyz"):
        handler = server.mux.find(f"/{endpoint}")
        assert handler is not None
        statuses[endpoint] = (await call(handler, f"/{endpoint}")).status
    assert statuses == {"healthz": 500, "livez": 200, "readyz": 500}


async def test_a_hook_that_fails_is_named() -> None:
    with pytest.raises(HookFailed, match='PostStartHook "broken" failed: the secret reason'):
        await run_all({"fine": PostStartHook("fine", _fine), "broken": PostStartHook("broken", _broken)})


async def test_every_pre_shutdown_hook_runs_whatever_the_others_do() -> None:
    ran: list[str] = []

    async def last() -> None:
        ran.append("last")

    (failure,) = await run_pre_shutdown({"broken": _broken, "last": last})
    assert ran == ["last"]
    assert str(failure) == "the secret reason"
