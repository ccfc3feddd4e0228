"""The flags of `trikube up`, and what becomes of them."""

import argparse

import pytest

from trikube import options
from trikube.errors import OptionsError
from trikube.options import ControlPlaneOptions


def parse(*flags: str) -> ControlPlaneOptions:
    parser = argparse.ArgumentParser()
    options.add_flags(parser)
    return options.from_arguments(parser.parse_args(flags))


@pytest.mark.parametrize(("given", "version"), [("1.34", "1.34"), ("kube=1.34", "1.34"), ("", "")])
def test_the_emulated_version_may_name_its_component(given: str, version: str) -> None:
    assert parse("--emulated-version", given).emulated_version == version


def test_the_emulated_version_of_another_component_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--emulated-version", "other=1.34")
    assert "component not registered: other" in capsys.readouterr().err


def test_the_grace_period_of_livez_is_a_duration_that_is_not_negative() -> None:
    assert parse("--livez-grace-period", "1m").livez_grace_period == 60
    with pytest.raises(OptionsError, match=r"^--livez-grace-period can not be a negative value$"):
        parse("--livez-grace-period=-1s")


@pytest.mark.parametrize(("given", "seconds"), [("1h2m3s", 3723), ("1.5s", 1.5), ("250ms", 0.25), ("0", 0)])
def test_durations_are_gos(given: str, seconds: float) -> None:
    assert parse("--shutdown-delay-duration", given).shutdown_delay_duration == seconds


def test_a_bare_number_is_no_duration(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--event-ttl", "60")
    assert 'time: missing unit in duration "60"' in capsys.readouterr().err


def test_services_are_reached_by_their_endpoints_unless_told_otherwise() -> None:
    assert parse().enable_aggregator_routing
    assert not parse("--enable-aggregator-routing", "false").enable_aggregator_routing
    assert parse().aggregator_reject_forwarding_redirect
    assert not parse("--aggregator-reject-forwarding-redirect=false").aggregator_reject_forwarding_redirect
