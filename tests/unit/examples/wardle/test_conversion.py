"""Flunders between their versions: nothing is lost on the way there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.wardle import conversion
from examples.wardle.conversion import FlunderConverter
from examples.wardle.types import V1ALPHA1, V1BETA1
from generic.types import JSONObject

NAMES = st.text("abcdefghij-0123456789", min_size=1, max_size=12)
SPECS = st.one_of(
    st.just({}),
    st.builds(
        lambda name, kind: {"reference": name, "referenceType": kind}, NAMES, st.sampled_from(["Flunder", "Fischer"])
    ),
)
FLUNDERS = st.fixed_dictionaries(
    {
        "apiVersion": st.just(str(V1ALPHA1)),
        "kind": st.just("Flunder"),
        "metadata": st.fixed_dictionaries({"name": NAMES}, optional={"labels": st.dictionaries(NAMES, NAMES)}),
    },
    optional={
        "spec": SPECS,
        "status": st.fixed_dictionaries({}, optional={"observedGeneration": st.integers(0, 9)}),
    },
)


def flunder(version: str, **spec: str) -> JSONObject:
    return {
        "apiVersion": f"wardle.example.com/{version}",
        "kind": "Flunder",
        "metadata": {"name": "x"},
        "spec": spec,
        "status": {"observedGeneration": 3},
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            flunder("v1alpha1", reference="a", referenceType="Flunder"),
            flunder("v1beta1", flunderReference="a", referenceType="Flunder"),
        ),
        (
            flunder("v1alpha1", reference="a", referenceType="Fischer"),
            flunder("v1beta1", fischerReference="a", referenceType="Fischer"),
        ),
        (flunder("v1alpha1"), flunder("v1beta1")),
    ],
    ids=["flunder", "fischer", "nothing"],
)
def test_one_reference_becomes_the_member_of_its_type_and_back(old: JSONObject, new: JSONObject) -> None:
    assert conversion.to_v1beta1(old) == new
    assert conversion.to_v1alpha1(new) == old


@given(FLUNDERS)
def test_there_and_back_is_the_same_flunder(obj: JSONObject) -> None:
    there = conversion.to_v1beta1(obj)
    assert there["apiVersion"] == str(V1BETA1)
    assert "reference" not in there.get("spec", {})
    assert conversion.to_v1alpha1(there) == obj


@given(FLUNDERS)
def test_back_and_there_is_the_same_flunder(obj: JSONObject) -> None:
    new = conversion.to_v1beta1(obj)
    assert conversion.to_v1beta1(conversion.to_v1alpha1(new)) == new


@pytest.mark.anyio
async def test_a_list_of_both_versions_comes_out_in_one_and_in_order() -> None:
    given_ = [flunder("v1beta1", fischerReference="a", referenceType="Fischer"), flunder("v1alpha1")]
    found = await FlunderConverter().convert(given_, V1ALPHA1)
    assert found == [flunder("v1alpha1", reference="a", referenceType="Fischer"), given_[1]]
