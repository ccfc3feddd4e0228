"""`/healthz`, `/livez`, `/readyz`: what they say and what they withhold. BEHAVIOURS A, "Health"."""

import pytest

from generic import health
from generic.health import HealthCheck
from generic.hooks import HookFailed, PostStartHook, run_all, run_pre_shutdown
from generic.mux import PathMux
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
    assert (failed.status, failed.body) == (500, b"internal server error: reason withheld\n")


async def test_a_hook_keeps_the_server_unready_until_it_has_finished() -> None:
    hook = PostStartHook("start-things", _fine)
    before = await ask("/readyz/poststarthook/start-things", hook.check())
    await run_all({hook.name: hook})
    after = await ask("/readyz/poststarthook/start-things", hook.check())
    assert (before.status, after.status) == (500, 200)


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
