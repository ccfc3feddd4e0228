"""Flunders between their versions: nothing is lost on the way there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.wardle import v1alpha1, v1beta1
from examples.wardle.types import FlunderStatus
from generic.types import JSONObject
from trikube import aa

NAMES = st.text("abcdefghij-0123456789", min_size=1, max_size=12)
SPECS = st.one_of(
    st.none(),
    st.just(v1alpha1.FlunderSpec()),
    st.builds(
        lambda name, kind: v1alpha1.FlunderSpec(reference=name, reference_type=kind),
        NAMES,
        st.sampled_from(["Flunder", "Fischer"]),
    ),
)
STATUSES = st.none() | st.builds(lambda number: FlunderStatus(observed_generation=number), st.integers(0, 9))
FLUNDERS = st.builds(
    lambda name, spec, status: v1alpha1.Flunder(metadata=aa.Metadata(name=name), spec=spec, status=status),
    NAMES,
    SPECS,
    STATUSES,
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {"reference": "a", "referenceType": "Flunder"},
            {"flunderReference": "a", "referenceType": "Flunder"},
        ),
        (
            {"reference": "a", "referenceType": "Fischer"},
            {"fischerReference": "a", "referenceType": "Fischer"},
        ),
        ({}, {}),
    ],
    ids=["flunder", "fischer", "nothing"],
)
def test_one_reference_becomes_the_member_of_its_type_and_back(old: JSONObject, new: JSONObject) -> None:
    hub = v1alpha1.Flunder.model_validate({"spec": old})
    made = v1beta1.Flunder.convert_from_hub(hub)
    assert made.to_object()["spec"] == new
    assert made.convert_to_hub() == hub


@given(FLUNDERS)
def test_there_and_back_is_the_same_flunder(flunder: v1alpha1.Flunder) -> None:
    there = v1beta1.Flunder.convert_from_hub(flunder)
    assert there.to_object()["apiVersion"] == "wardle.example.com/v1beta1"
    assert there.convert_to_hub() == flunder
