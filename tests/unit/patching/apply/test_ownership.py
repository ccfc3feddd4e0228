"""Who owns what after a create or an update, on built-in kinds."""

import pytest

from generic.meta.errors import StatusError
from generic.patching.apply import managers
from generic.patching.apply.field_sets import FieldSet
from generic.patching.apply.tracking import Owned
from tests.support.applying import Held, builtin, custom

_CONTAINER = {"name": "c", "image": "i", "ports": [{"containerPort": 80, "protocol": "TCP"}]}


def config_map() -> Held:
    return Held(builtin("v1", "ConfigMap"))


def test_the_creator_owns_every_leaf_and_every_map_it_made() -> None:
    held = config_map()
    held.create("me", data={"a": "1"}, immutable=True)
    assert held.owners == {"me": {"f:data": {".": {}, "f:a": {}}, "f:immutable": {}}}


def test_an_entry_says_who_did_what_in_which_version() -> None:
    obj = config_map().create("me", data={"a": "1"})
    (entry,) = obj["metadata"]["managedFields"]
    assert list(entry) == ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1"]
    assert (entry["operation"], entry["apiVersion"], entry["fieldsType"]) == ("Update", "v1", "FieldsV1")
    assert len(entry["time"]) == len("2026-01-01T00:00:00Z")


def test_structs_that_go_always_has_are_owned_by_nobody() -> None:
    held = Held(builtin("apps/v1", "Deployment"), api_version="apps/v1")
    held.create(
        "me",
        spec={
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [_CONTAINER]}},
        },
    )
    assert held.owners["me"] == {
        "f:spec": {
            "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}}, "f:type": {}},
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:a": {}}},
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"c"}': {
                            ".": {},
                            "f:image": {},
                            "f:name": {},
                            "f:ports": {
                                ".": {},
                                'k:{"containerPort":80,"protocol":"TCP"}': {
                                    ".": {},
                                    "f:containerPort": {},
                                    "f:protocol": {},
                                },
                            },
                        }
                    }
                },
            },
        }
    }


def test_the_spec_of_a_custom_resource_is_owned_itself() -> None:
    held = Held(custom({"type": "object", "properties": {"size": {"type": "integer"}}}))
    held.create("me", spec={"size": 1})
    assert held.owners["me"] == {"f:spec": {".": {}, "f:size": {}}}


def test_metadata_is_owned_only_where_clients_may_write_it() -> None:
    held = config_map()
    metadata = {"name": "it", "namespace": "n", "uid": "u", "labels": {"a": "b"}, "finalizers": ["example.com/x"]}
    held.create("me", metadata=metadata)
    assert held.owners["me"] == {
        "f:metadata": {
            "f:finalizers": {".": {}, 'v:"example.com/x"': {}},
            "f:labels": {".": {}, "f:a": {}},
        }
    }


def test_an_update_takes_what_it_changes_and_drops_what_it_removes() -> None:
    held = config_map()
    held.create("me", data={"a": "1", "b": "1", "c": "1"})
    held.update("you", data={"a": "2", "c": "1", "d": "1"})
    assert held.owners == {
        "me": {"f:data": {".": {}, "f:c": {}}},
        "you": {"f:data": {"f:a": {}, "f:d": {}}},
    }


def test_a_manager_that_owns_nothing_any_more_is_gone() -> None:
    held = config_map()
    held.create("me", data={"a": "1"})
    held.update("you", immutable=True)
    assert held.owners == {"you": {"f:immutable": {}}}


def test_an_update_that_changes_nothing_leaves_the_entries_alone() -> None:
    held = config_map()
    first = held.create("me", data={"a": "1"})
    first["metadata"]["managedFields"][0]["time"] = "2020-01-01T00:00:00Z"
    assert held.update("you", data={"a": "1"})["metadata"] == first["metadata"]


def test_only_a_change_moves_the_time() -> None:
    held = config_map()
    held.create("me", data={"a": "1"})["metadata"]["managedFields"][0]["time"] = "2020-01-01T00:00:00Z"
    held.update("you", data={})
    assert held.owners == {"me": {"f:data": {}}}
    assert held.stored is not None
    assert held.stored["metadata"]["managedFields"][0]["time"] == "2020-01-01T00:00:00Z"
    held.update("me", data={"b": "1"})
    assert held.stored["metadata"]["managedFields"][0]["time"] > "2020-01-01T00:00:00Z"


@pytest.mark.parametrize("reset", [[], [{}]])
def test_a_client_can_have_the_entries_forgotten(reset: list[object]) -> None:
    held = config_map()
    held.create("me", data={"a": "1"})
    held.update("me", metadata={"name": "it", "managedFields": reset}, data={"a": "2"})
    assert held.owners == {}
    held.update("me", data={"a": "3"})
    assert held.owners == {}, "an object without entries gets none by an update"


@pytest.mark.parametrize(
    "entry",
    [
        {"operation": "Merge", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}},
        {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV2", "fieldsV1": {}},
        {"operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {}},
        {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"a": {}}},
        "text",
    ],
)
def test_entries_that_make_no_sense_are_ignored(entry: object) -> None:
    held = config_map()
    held.create("me", data={"a": "1"})
    before = held.owners
    held.update("you", metadata={"name": "it", "managedFields": [entry]}, data={"a": "1"})
    assert held.owners == before


def test_entries_a_client_rewrites_count() -> None:
    held = config_map()
    first = held.create("me", data={"a": "1"})
    entry = {**first["metadata"]["managedFields"][0], "manager": "heir"}
    held.update("you", metadata={"name": "it", "managedFields": [entry]}, data={"a": "1"})
    assert held.owners == {"heir": {"f:data": {".": {}, "f:a": {}}}}


def test_of_too_many_updaters_the_oldest_become_history() -> None:
    held = config_map()
    held.create("m00", data={"k00": "1"})
    for number in range(1, 13):
        data = {f"k{at:02}": "1" for at in range(number + 1)}
        for at, entry in enumerate(held.update(f"m{number:02}", data=data)["metadata"]["managedFields"]):
            entry["time"] = f"2020-01-{at + 1:02}T00:00:00Z"
    newest: dict[str, FieldSet] = {f"m{number:02}": {"f:data": {f"f:k{number:02}": {}}} for number in range(4, 13)}
    oldest: FieldSet = {"f:data": {".": {}, "f:k00": {}, "f:k01": {}, "f:k02": {}, "f:k03": {}}}
    assert held.owners == {managers.ANCIENT_CHANGES: oldest, **newest}
    assert len(held.owners) == managers.MAX_UPDATE_MANAGERS


def test_a_status_is_owned_through_its_own_subresource_alone() -> None:
    shape = builtin("v1", "Pod")
    held = Held(shape, owned=Owned(never=frozenset({"status"})))
    held.create("me", spec={"nodeName": "n"}, status={"phase": "Running"})
    assert held.owners == {"me": {"f:spec": {"f:nodeName": {}}}}
    held.owned = Owned(only=frozenset({"status"}))
    held.update("kubelet", spec={"nodeName": "other"}, status={"phase": "Failed"})
    assert held.owners["kubelet"] == {"f:status": {"f:phase": {}}}


def test_who_owns_parts_of_what_is_one_value_now_loses_them_to_who_changes_it() -> None:
    held = Held(custom({"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}))
    held.create("me", spec=["a", "b"])
    held.shape = custom({"type": "array", "items": {"type": "string"}})
    with pytest.raises(StatusError, match=r"conflict with .*: \.spec$"):
        held.apply("you", spec=["c"])
    held.update("you", spec=["c"])
    assert held.owners == {"you": {"f:spec": {}}}


def test_a_value_of_another_type_is_a_new_value() -> None:
    held = Held(custom({"x-kubernetes-preserve-unknown-fields": True}))
    held.create("me", spec={"a": {"b": 1}})
    held.update("you", spec={"a": [1]})
    assert held.owners == {"me": {"f:spec": {}}, "you": {"f:spec": {"f:a": {}}}}
    held.update("she", spec={"a": {"c": 1}})
    assert held.owners["she"] == {"f:spec": {"f:a": {".": {}, "f:c": {}}}}


def test_entries_nobody_can_read_are_as_good_as_none() -> None:
    held = config_map()
    first = held.create("me", data={"a": "1"})
    first["metadata"]["managedFields"] = [{"manager": "ancient"}]
    held.update("me", data={"a": "2"})
    assert held.owners == {}
