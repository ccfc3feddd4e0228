"""Which controllers `--controllers` lets run."""

import pytest

from kubeapi.controllers import selection
from kubeapi.controllers.selection import ControllerSelection


@pytest.mark.parametrize(
    ("given", "collects", "aggregates"),
    [
        (["*"], True, True),
        ([], False, False),
        (["garbagecollector"], True, False),
        (["*", "-garbagecollector"], False, True),
        (["-garbage-collector-controller", "*"], False, True),
        (["-garbagecollector"], False, False),
        (["garbagecollector", "-garbage-collector-controller"], True, False),
    ],
)
def test_the_first_to_name_a_controller_counts(given: list[str], collects: bool, aggregates: bool) -> None:
    chosen = ControllerSelection.parse(given)
    assert chosen.runs(selection.GARBAGE_COLLECTOR) is collects
    assert chosen.runs(selection.CLUSTER_ROLE_AGGREGATION) is aggregates


@pytest.mark.parametrize("unknown", ["deployment", "-deployment", "-*", ""])
def test_a_controller_we_have_not_is_refused(unknown: str) -> None:
    with pytest.raises(ValueError, match="is not in the list of known controllers"):
        ControllerSelection.parse(["*", unknown])
