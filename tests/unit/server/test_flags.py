"""Flags as Go reads them."""

import argparse

import pytest

from generic import flags


@pytest.mark.parametrize(("given", "says"), [([], False), (["--it"], True), (["--it=F"], False), (["--it=1"], True)])
def test_a_switch_that_stands_alone_says_true(given: list[str], says: bool) -> None:
    parser = argparse.ArgumentParser()
    flags.add_boolean(parser, "--it", default=False)
    assert parser.parse_args(given).it is says


@pytest.mark.parametrize("given", ["yes", "tRUE", "", "2"])
def test_what_go_takes_for_no_boolean_is_none(given: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        flags.boolean(given)


def test_a_list_has_no_empty_parts() -> None:
    assert flags.listed(" a,,b ,") == ("a", "b")


@pytest.mark.parametrize(("kind", "given"), [(flags.port, "-1"), (flags.port, "x"), (flags.address, "localhost")])
def test_an_address_is_an_ip_and_a_port_a_number(kind: type[str], given: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        kind(given)
