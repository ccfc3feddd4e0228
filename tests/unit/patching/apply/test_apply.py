"""Applying configurations: what is merged, what goes, and who is asked."""

from typing import Any

import pydantic
import pytest
from pydantic import Field

from generic.meta.errors import StatusError
from generic.patching.apply import last_applied
from generic.types import JSONObject
from tests.support.applying import Held, builtin, custom, model


def config_map() -> Held:
    return Held(builtin("v1", "ConfigMap"))


def pod(*containers: JSONObject) -> JSONObject:
    return {"containers": list(containers)}


def refused(held: Held, manager: str, **content: Any) -> StatusError:
    with pytest.raises(StatusError) as caught:
        held.apply(manager, **content)
    return caught.value


def test_what_is_not_there_is_created_and_owned_as_applied() -> None:
    held = config_map()
    obj = held.apply("me", data={"a": "1"})
    (entry,) = obj["metadata"]["managedFields"]
    assert (entry["operation"], entry["fieldsV1"]) == ("Apply", {"f:data": {"f:a": {}}})


def test_one_field_of_another_is_one_conflict() -> None:
    held = config_map()
    held.create("you", data={"a": "1"})
    error = refused(held, "me", data={"a": "2"})
    assert error.to_status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'Apply failed with 1 conflict: conflict with "you" using v1: .data.a',
        "reason": "Conflict",
        "details": {
            "causes": [
                {"reason": "FieldManagerConflict", "message": 'conflict with "you" using v1', "field": ".data.a"}
            ]
        },
        "code": 409,
    }


def test_several_conflicts_are_listed_by_manager() -> None:
    held = config_map()
    held.create("you", data={"a": "1", "b": "1"})
    held.apply("she", data={"c": "1"})
    error = refused(held, "me", data={"a": "2", "b": "2", "c": "2"})
    assert error.message == (
        'Apply failed with 3 conflicts: conflicts with "she":\n- .data.c\nconflicts with "you" using v1:\n'
        "- .data.a\n- .data.b"
    )


def test_force_takes_the_fields_over() -> None:
    held = config_map()
    held.create("you", data={"a": "1", "b": "1"})
    held.apply("me", force=True, data={"a": "2"})
    assert held.content == {"data": {"a": "2", "b": "1"}}
    assert held.owners == {"you": {"f:data": {".": {}, "f:b": {}}}, "me": {"f:data": {"f:a": {}}}}


def test_the_same_value_is_owned_together() -> None:
    held = config_map()
    held.apply("you", data={"a": "1"})
    held.apply("me", data={"a": "1"})
    held.apply("you", data={})
    assert held.content == {"data": {"a": "1"}}
    assert held.owners["me"] == {"f:data": {"f:a": {}}}


def test_what_is_no_longer_applied_goes_unless_somebody_else_owns_it() -> None:
    held = config_map()
    held.apply("me", data={"a": "1", "b": "1", "c": "1"}, immutable=False)
    held.apply("you", data={"b": "1"})
    held.update("she", data={"a": "1", "b": "1", "c": "2"}, immutable=False)
    held.apply("me", data={"a": "1"})
    assert held.content == {"data": {"a": "1", "b": "1", "c": "2"}}


def test_a_struct_goes_with_the_last_field_in_it() -> None:
    held = Held(builtin("v1", "Pod"))
    held.apply("me", spec={"nodeName": "n", "securityContext": {"runAsUser": 1}})
    held.apply("me", spec={"nodeName": "n"})
    assert held.content == {"spec": {"nodeName": "n"}}


def test_items_of_a_list_that_is_a_map_merge_by_key() -> None:
    held = Held(builtin("v1", "Pod"))
    held.create("you", spec=pod({"name": "b", "image": "b:1"}, {"name": "x", "image": "x:1"}))
    held.apply("me", spec=pod({"name": "a", "image": "a:1"}, {"name": "b", "workingDir": "/"}))
    assert [(item["name"], item.get("workingDir")) for item in held.content["spec"]["containers"]] == [
        ("a", None),
        ("b", "/"),
        ("x", None),
    ]
    held.apply("me", spec=pod({"name": "b", "workingDir": "/"}))
    assert [item["name"] for item in held.content["spec"]["containers"]] == ["b", "x"]


def test_a_key_that_is_left_out_is_its_default() -> None:
    held = Held(builtin("v1", "Service"))
    held.create("you", spec={"ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]})
    held.apply("me", spec={"ports": [{"port": 80, "name": "web"}]})
    assert held.content["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80, "name": "web"}]


def test_sets_unite_and_lose_what_is_let_go() -> None:
    held = config_map()
    held.apply("me", metadata={"name": "it", "finalizers": ["x.io/a", "x.io/b"]})
    held.apply("you", metadata={"name": "it", "finalizers": ["x.io/c"]})
    obj = held.apply("me", metadata={"name": "it", "finalizers": ["x.io/b"]})
    assert obj["metadata"]["finalizers"] == ["x.io/b", "x.io/c"]


def test_atomic_lists_are_replaced_and_owned_whole() -> None:
    held = Held(builtin("v1", "Pod"))
    held.create("you", spec=pod({"name": "c", "args": ["a", "b"]}))
    error = refused(held, "me", spec=pod({"name": "c", "args": ["a"]}))
    assert error.message.endswith('conflict with "you" using v1: .spec.containers[name="c"].args')
    held.apply("me", force=True, spec=pod({"name": "c", "args": ["a"]}))
    assert held.content["spec"]["containers"] == [{"name": "c", "args": ["a"]}]


def test_custom_resources_merge_as_their_definition_says() -> None:
    held = Held(
        custom({
            "type": "object",
            "properties": {
                "plain": {"type": "array", "items": {"type": "string"}},
                "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
                "whole": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                    "x-kubernetes-map-type": "atomic",
                },
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
            },
        })
    )
    held.create("you", spec={"tags": ["a"], "free": {"x": {"y": 1}}, "whole": {"a": "1"}})
    held.apply("me", spec={"tags": ["b"], "free": {"x": {"z": [1]}}, "plain": ["p"]})
    assert held.content["spec"] == {
        "tags": ["a", "b"],
        "free": {"x": {"y": 1, "z": [1]}},
        "whole": {"a": "1"},
        "plain": ["p"],
    }
    assert held.owners["me"]["f:spec"] == {
        "f:free": {"f:x": {".": {}, "f:z": {}}},
        "f:plain": {},
        "f:tags": {'v:"b"': {}},
    }
    assert ".spec.whole" in refused(held, "me", spec={"whole": {"b": "1"}}).message


class _Part(pydantic.BaseModel):
    name: str
    size: int = 0


class _Spec(pydantic.BaseModel):
    plain: list[_Part] = Field(default_factory=list)
    keyed: list[_Part] = Field(
        default_factory=list,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    part: _Part | None = None
    port: int | str = 0


class _Thing(pydantic.BaseModel):
    spec: _Spec = Field(default_factory=_Spec)


def test_models_merge_as_they_are_annotated() -> None:
    held = Held(model(_Thing))
    held.create("you", spec={"keyed": [{"name": "a", "size": 1}], "part": {"name": "p", "size": 1}, "port": 1})
    held.apply("me", spec={"keyed": [{"name": "b"}], "plain": [{"name": "c"}], "part": {"name": "p"}})
    assert held.content["spec"]["keyed"] == [{"name": "a", "size": 1}, {"name": "b"}]
    assert held.owners["me"]["f:spec"] == {
        "f:keyed": {'k:{"name":"b"}': {".": {}, "f:name": {}}},
        "f:part": {"f:name": {}},
        "f:plain": {},
    }
    assert held.owners["you"]["f:spec"]["f:port"] == {}, "and the spec, held by value, is nobody's"
    assert ".spec.port" in refused(held, "me", spec={"port": "x"}).message


def test_embedded_objects_have_metadata_of_their_own() -> None:
    held = Held(custom({"type": "object", "x-kubernetes-embedded-resource": True}))
    held.create("you", spec={"kind": "Pod", "metadata": {"finalizers": ["x.io/a"]}})
    held.apply("me", spec={"metadata": {"finalizers": ["x.io/b"]}})
    assert held.content["spec"]["metadata"]["finalizers"] == ["x.io/a", "x.io/b"]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (pod({"name": "c"}, {"name": "c"}), '.spec.containers: duplicate entries for key [name="c"]'),
        (pod({"image": "i"}), ".spec.containers: element 0: associative list with keys has an element that omits key"),
        (pod({"name": "c", "imagge": "i"}), '.spec.containers[name="c"].imagge: field not declared in schema'),
        ({"hostNetwork": "yes"}, ".spec.hostNetwork: expected boolean, got yes"),
        ({"priority": "1"}, ".spec.priority: expected numeric (int or float), got string"),
        ({"containers": {}}, ".spec.containers: expected list, got map[]"),
    ],
)
def test_a_configuration_that_cannot_be_merged_is_refused(spec: JSONObject, why: str) -> None:
    error = refused(Held(builtin("v1", "Pod")), "me", spec=spec)
    assert error.code == 500
    assert error.message.startswith(f"failed to create typed patch object (/it; /v1, Kind=Kind): {why}")


def test_managed_fields_cannot_be_applied() -> None:
    error = refused(config_map(), "me", metadata={"name": "it", "managedFields": []})
    assert (error.code, error.message) == (400, "metadata.managedFields must be nil")


def test_what_was_there_before_the_first_apply_has_an_owner() -> None:
    held = config_map()
    held.stored = {"apiVersion": "v1", "kind": "Kind", "metadata": {"name": "it", "uid": "1"}, "data": {"a": "1"}}
    assert 'conflict with "before-first-apply" using v1: .data.a' in refused(held, "me", data={"a": "2"}).message
    held.apply("me", data={"b": "1"})
    assert held.owners == {"before-first-apply": {"f:data": {".": {}, "f:a": {}}}, "me": {"f:data": {"f:b": {}}}}


def test_an_apply_that_changes_nothing_leaves_the_object_as_it_is() -> None:
    held = config_map()
    first = held.apply("me", data={"a": "1"})
    first["metadata"]["managedFields"][0]["time"] = "2020-01-01T00:00:00Z"
    assert held.apply("me", data={"a": "1"}) == first


def test_null_is_claimed_and_takes_the_value_away() -> None:
    held = config_map()
    held.create("you", data={"a": "1"})
    obj = held.apply("me", force=True, data={"a": None})
    assert obj["data"] == {"a": None}, "decoding drops it, as Go does"
    assert held.owners == {"you": {"f:data": {}}, "me": {"f:data": {"f:a": {}}}}


def _client_side_applied(value: str) -> Held:
    held = config_map()
    annotation = '{"apiVersion":"v1","kind":"Kind","metadata":{"name":"it"},"data":{"a":"1"}}'
    metadata = {"name": "it", "annotations": {last_applied.ANNOTATION: annotation}}
    held.create("kubectl-client-side-apply", metadata=metadata, data={"a": value})
    return held


def test_kubectl_takes_over_from_its_client_side_self() -> None:
    held = _client_side_applied("1")
    obj = held.apply("kubectl", data={"a": "2"})
    assert obj["data"] == {"a": "2"}
    assert '"a":"2"' in obj["metadata"]["annotations"][last_applied.ANNOTATION]
    assert "conflict" in refused(_client_side_applied("1"), "somebody", data={"a": "2"}).message


def test_kubectl_does_not_take_over_what_changed_since() -> None:
    held = _client_side_applied("changed")
    assert ".data.a" in refused(held, "kubectl", data={"a": "2"}).message
