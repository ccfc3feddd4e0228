"""What must hold of any schema and any object."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from generic.meta.gvk import GroupVersionKind
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject
from kubeapi.schemas import Schemas

NAMES = st.sampled_from(["a", "b", "c", "metadata", "kind"])
LEAVES: st.SearchStrategy[JSONObject] = st.sampled_from([
    {"type": "string"},
    {"type": "string", "default": "d"},
    {"type": "integer", "default": 1, "minimum": 1},
    {"type": "string", "nullable": True},
    {"type": "boolean"},
    {"x-kubernetes-int-or-string": True, "default": "x"},
    {"x-kubernetes-preserve-unknown-fields": True},
])


def _composite(inner: st.SearchStrategy[JSONObject]) -> st.SearchStrategy[JSONObject]:
    members = st.dictionaries(NAMES, inner, max_size=3)
    flags = st.sampled_from([
        {},
        {"x-kubernetes-preserve-unknown-fields": True},
        {"x-kubernetes-embedded-resource": True},
        {"default": {}},
    ])
    objects = st.builds(lambda found, flag: {"type": "object", "properties": found, **flag}, members, flags)
    return objects | st.one_of(
        inner.map(lambda item: {"type": "array", "items": item}),
        inner.map(lambda value: {"type": "object", "additionalProperties": value}),
    )


SCHEMAS = st.dictionaries(NAMES, st.recursive(LEAVES, _composite, max_leaves=6), max_size=4).map(
    lambda members: {"type": "object", "properties": members}
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=4)


@given(SCHEMAS, OBJECTS)
def test_pruning_and_defaulting_a_custom_resource_twice_is_doing_it_once(schema: JSONObject, obj: JSONObject) -> None:
    compiled = ObjectSchema.structural(schema)
    compiled.prune(obj)
    assert compiled.unknown_fields(obj) == []
    compiled.default(obj)
    once, problems = copy.deepcopy(obj), compiled.validate(obj)
    compiled.prune(obj)
    compiled.default(obj)
    assert obj == once
    assert compiled.validate(obj) == problems


POD = Schemas.load().object_schema(GroupVersionKind("", "v1", "Pod"))
POD_NAMES = st.sampled_from(["metadata", "spec", "status", "containers", "name", "labels", "resources", "limits", "x"])
PODS = st.dictionaries(
    POD_NAMES,
    st.recursive(
        st.none() | st.integers(-2, 2) | st.sampled_from(["", "500m", "0.5"]),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(POD_NAMES, inner, max_size=4),
        max_leaves=10,
    ),
    max_size=4,
)


@given(PODS)
def test_what_decodes_is_clean_after_pruning_and_stays_as_it_is(obj: JSONObject) -> None:
    decodes = POD.decode_errors(obj) == ""
    POD.prune(obj)
    assert POD.unknown_fields(obj) == []
    assert not decodes or POD.decode_errors(obj) == ""
    once = copy.deepcopy(obj)
    POD.prune(obj)
    assert obj == once
