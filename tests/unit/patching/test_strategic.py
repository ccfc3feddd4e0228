"""Strategic merge patch on the real schemas of built-in kinds: what kubectl sends, and what becomes of it."""

import importlib.util
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from generic.patching.errors import InapplicablePatch, InvalidPatch
from generic.patching.patch_schema import DefinitionsSchema
from generic.patching.strategic import apply


@cache
def definitions() -> dict[str, Any]:
    spec = importlib.util.find_spec("kubernetes_validate")
    assert spec is not None
    assert spec.origin is not None
    (newest, *_) = sorted(Path(spec.origin).parent.glob("kubernetes-json-schema/v1.*-local/_definitions.json"))[::-1]
    loaded: dict[str, Any] = orjson.loads(newest.read_bytes())["$defs"]
    return loaded


def schema(name: str) -> DefinitionsSchema:
    return DefinitionsSchema.of(definitions(), f"io.k8s.api.{name}")


def patched(kind: str, obj: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    arguments = deepcopy((obj, patch))
    result = apply(obj, patch, schema(kind))
    assert (obj, patch) == arguments
    return result


def spec(patch: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The spec of a pod with these members after a patch to its spec."""
    result: dict[str, Any] = patched("core.v1.Pod", {"spec": members}, {"spec": patch})["spec"]
    return result


A, B, C = ({"name": name, "image": f"{name}:1"} for name in "abc")


def test_containers_merge_by_name() -> None:
    result = spec({"containers": [{"name": "b", "image": "b:2"}]}, containers=[A, B])
    assert result == {"containers": [A, {"name": "b", "image": "b:2"}]}


def test_a_new_container_is_added_where_kubernetes_adds_it() -> None:
    # Items only the patch has come first: nothing says they belong after the server's own.
    assert spec({"containers": [C]}, containers=[A, B]) == {"containers": [C, A, B]}


def test_nested_lists_merge_by_their_own_keys() -> None:
    old = {**A, "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}], "ports": [{"containerPort": 80}]}
    new = {
        "name": "a",
        "env": [{"name": "Y", "value": "3"}, {"name": "X", "$patch": "delete"}],
        "ports": [{"containerPort": 80, "name": "http"}],
    }
    (result,) = spec({"containers": [new]}, containers=[old])["containers"]
    assert result == {**A, "env": [{"name": "Y", "value": "3"}], "ports": [{"containerPort": 80, "name": "http"}]}


def test_lists_without_merge_strategy_are_replaced() -> None:
    (result,) = spec({"containers": [{"name": "a", "args": ["z"]}]}, containers=[{**A, "args": ["x", "y"]}])[
        "containers"
    ]
    assert result["args"] == ["z"]


def test_maps_merge_and_null_removes() -> None:
    obj = {"metadata": {"labels": {"a": "1", "b": "2"}, "annotations": {"x": "y"}}}
    result = patched("core.v1.Pod", obj, {"metadata": {"labels": {"a": None, "c": "3"}, "annotations": None}})
    assert result == {"metadata": {"labels": {"b": "2", "c": "3"}}}


def test_nulls_in_what_is_new_are_dropped() -> None:
    result = patched("core.v1.Pod", {}, {"spec": {"hostname": None, "dnsConfig": {"options": None, "searches": ["a"]}}})
    assert result == {"spec": {"dnsConfig": {"searches": ["a"]}}}
    assert spec({"containers": [{**B, "command": None}]}, containers=[A]) == {"containers": [B, A]}


def test_scalars_of_a_merging_list_are_a_set() -> None:
    obj = {"metadata": {"finalizers": ["a", "b"]}}
    added = patched("core.v1.Pod", obj, {"metadata": {"finalizers": ["b", "c"]}})
    assert added == {"metadata": {"finalizers": ["a", "b", "c"]}}


def test_delete_from_primitive_list() -> None:
    obj = {"metadata": {"finalizers": ["a", "b", "c"]}}
    patch = {
        "metadata": {
            "$deleteFromPrimitiveList/finalizers": ["a"],
            "$setElementOrder/finalizers": ["c", "d"],
            "finalizers": ["d"],
        }
    }
    assert patched("core.v1.Pod", obj, patch) == {"metadata": {"finalizers": ["b", "c", "d"]}}
    assert patched("core.v1.Pod", {"metadata": {}}, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}) == {
        "metadata": {}
    }


def test_set_element_order_orders_and_keeps_the_servers_own_in_place() -> None:
    sidecar = {"name": "sidecar", "image": "s"}
    result = spec(
        {
            "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}, {"name": "c"}],
            "containers": [{"name": "a", "image": "a:2"}, C],
        },
        containers=[A, sidecar, B],
    )
    assert result["containers"] == [sidecar, B, {"name": "a", "image": "a:2"}, C]


def test_set_element_order_with_deletion_as_kubectl_apply_sends_it() -> None:
    result = spec(
        {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"name": "b", "$patch": "delete"}],
        },
        containers=[A, B],
    )
    assert result == {"containers": [A]}


def test_set_element_order_alone_only_reorders() -> None:
    result = spec({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}, containers=[A, B])
    assert result == {"containers": [B, A]}
    assert spec({"$setElementOrder/volumes": [{"name": "x"}]}, containers=[A]) == {"containers": [A]}


def test_set_element_order_on_a_new_list() -> None:
    result = spec({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [B, A]})
    assert result == {"containers": [B, A]}


def test_patch_order_must_agree_with_set_element_order() -> None:
    with pytest.raises(InvalidPatch, match=r"doesn't match \$setElementOrder list"):
        spec(
            {"$setElementOrder/containers": [{"name": "a"}, {"name": "b"}], "containers": [B, A]},
            containers=[A, B],
        )


def test_retain_keys_switches_a_union() -> None:
    obj = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert patched("apps.v1.Deployment", obj, patch) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_retain_keys_inside_a_merging_list() -> None:
    result = spec(
        {"volumes": [{"name": "v", "$retainKeys": ["name", "emptyDir"], "emptyDir": {}}]},
        volumes=[{"name": "v", "hostPath": {"path": "/x"}}],
    )
    assert result == {"volumes": [{"name": "v", "emptyDir": {}}]}


def test_retain_keys_must_name_what_the_patch_sets() -> None:
    with pytest.raises(InvalidPatch, match=r"^invalid patch format of retainKeys$"):
        spec({"$retainKeys": ["a"], "hostname": "x"})


def test_patch_replace_of_a_map_and_of_a_list() -> None:
    assert spec({"$patch": "replace", "hostname": "x"}, containers=[A]) == {"hostname": "x"}
    assert spec({"containers": [C, {"$patch": "replace"}]}, containers=[A, B]) == {"containers": [C]}


def test_patch_delete_of_a_map() -> None:
    assert spec({"securityContext": {"$patch": "delete"}}, securityContext={"runAsUser": 1}) == {"securityContext": {}}
    assert spec({"securityContext": {"$patch": "delete"}}) == {}


def test_ports_of_a_service_merge_by_port() -> None:
    obj = {"spec": {"ports": [{"port": 80, "targetPort": 8080}], "selector": {"a": "b"}}}
    result = patched("core.v1.Service", obj, {"spec": {"ports": [{"port": 443}, {"port": 80, "targetPort": 1}]}})
    assert result["spec"]["ports"] == [{"port": 443}, {"port": 80, "targetPort": 1}]


def test_conditions_merge_by_type() -> None:
    obj = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "x"}]}}
    result = patched("core.v1.Pod", obj, {"status": {"conditions": [{"type": "Ready", "status": "True"}]}})
    assert result["status"]["conditions"] == [{"type": "Ready", "status": "True", "reason": "x"}]


@pytest.mark.parametrize(
    ("patch", "error", "message"),
    [
        ({"$patch": "merge"}, InvalidPatch, "unknown patch type: merge"),
        ({"containers": [{"$patch": "merge"}]}, InvalidPatch, "merging lists cannot yet be specified in the patch"),
        ({"containers": [{"$patch": "x", "name": "a"}]}, InvalidPatch, "unknown patch type: x"),
        ({"containers": [{"image": "x"}]}, InapplicablePatch, "does not contain declared merge key: name"),
        ({"containers": [{"$patch": "delete"}]}, InapplicablePatch, "does not contain declared merge key: name"),
        ({"containers": [["x"]]}, InapplicablePatch, "lists of lists are not supported"),
        ({"containers": ["x"]}, InapplicablePatch, "list element types are not identical"),
        ({"$setElementOrder": []}, InvalidPatch, "invalid patch format of setElementOrder list"),
        ({"$deleteFromPrimitiveList": []}, InvalidPatch, "invalid patch format of primitive list"),
        ({"$setElementOrder/containers": {}}, InvalidPatch, "invalid patch format of setElementOrder list"),
        ({"$setElementOrder/containers": ["x"]}, InapplicablePatch, "expected a map"),
    ],
)
def test_misuse_is_refused(patch: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        spec(patch, containers=[A])


def test_without_a_schema_objects_merge_and_lists_are_replaced() -> None:
    assert apply({"a": {"b": [1], "c": 2}}, {"a": {"b": [2]}}, None) == {"a": {"b": [2], "c": 2}}
