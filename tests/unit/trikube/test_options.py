"""The flags of `trikube up`, and what becomes of them."""

import argparse

import pytest

from trikube import options
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
