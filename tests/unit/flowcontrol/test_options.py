"""The flags of priority and fairness."""

import argparse

import pytest

from generic.flowcontrol import options
from generic.flowcontrol.options import FlowControlOptions


def parsed(*flags: str) -> FlowControlOptions:
    parser = argparse.ArgumentParser()
    options.add_flags(parser)
    return options.from_arguments(parser.parse_args(flags))


def test_the_defaults_are_those_of_kubernetes() -> None:
    assert parsed() == FlowControlOptions(400, 200, enable_priority_and_fairness=True)
    assert parsed().seats == 600


def test_flags_are_read() -> None:
    given = parsed(
        "--max-requests-inflight=3", "--max-mutating-requests-inflight=2", "--enable-priority-and-fairness=false"
    )
    assert given == FlowControlOptions(3, 2, enable_priority_and_fairness=False)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (FlowControlOptions(-1), "--max-requests-inflight can not be negative value"),
        (FlowControlOptions(1, -1), "--max-mutating-requests-inflight can not be negative value"),
        (FlowControlOptions(0, 0), "must add up to something positive"),
    ],
)
def test_what_cannot_be_is_refused(given: FlowControlOptions, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        given.check()


def test_without_priority_and_fairness_nothing_is_limited_by_zero() -> None:
    FlowControlOptions(0, 0, enable_priority_and_fairness=False).check()
