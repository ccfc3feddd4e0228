"""A selection of many objects at once is the selection of each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generic.meta.selectors import NOTHING, FieldSelector, LabelSelector
from generic.storage.objects import StoredObject
from generic.storage.predicate import Predicate

_LABELS = [{}, {"a": "1"}, {"a": "2", "b": "x"}, {"a": "10"}, {"b": ""}]
OBJECTS = [
    StoredObject(
        key=f"/r/{namespace}/{at}",
        namespace=namespace,
        name=str(at),
        revision=at + 1,
        raw=b"{}",
        labels=labels,
        fields={"status.phase": phase},
    )
    for namespace in ("one", "two")
    for at, (labels, phase) in enumerate((labels, phase) for labels in _LABELS for phase in ("Running", ""))
]
_TERMS = ("a=1", "a==2", "a!=1", "a in (1,2)", "a notin (1,10)", "a", "!a", "a>1", "a<10", "b=", "b", "!b", "c")
_FIELDS = ("status.phase=Running", "status.phase!=Running", "metadata.name=3", "metadata.namespace=two", "none=")

predicates = st.builds(
    Predicate,
    namespace=st.sampled_from(["", "one", "three"]),
    name=st.sampled_from(["", "3"]),
    labels=st.one_of(
        st.none(),
        st.just(NOTHING),
        st.lists(st.sampled_from(_TERMS), max_size=3).map(lambda terms: LabelSelector.parse(",".join(terms))),
    ),
    fields=st.one_of(
        st.none(),
        st.lists(st.sampled_from(_FIELDS), max_size=2).map(lambda terms: FieldSelector.parse(",".join(terms))),
    ),
)


@given(predicates)
def test_a_list_is_filtered_as_each_of_its_objects_is(predicate: Predicate) -> None:
    assert predicate.filter(OBJECTS) == [obj for obj in OBJECTS if predicate.matches(obj)]


@pytest.mark.parametrize(("term", "names"), [("a=1", "23"), ("a in (1,2)", "2345"), ("a>1", "4567"), ("!a", "0189")])
def test_a_label_selects(term: str, names: str) -> None:
    found = Predicate(namespace="one", labels=LabelSelector.parse(term)).filter(OBJECTS)
    assert "".join(obj.name for obj in found) == names
