"""What is wrong with metadata, at creation and between two states, in Kubernetes' words."""

from typing import Any

import pytest

from generic.meta import names
from generic.meta.object_meta import validate_object_meta, validate_object_meta_update

GOOD = {"name": "web", "namespace": "default"}


def problems(metadata: dict[str, Any], *, namespaced: bool = True) -> list[str]:
    found = validate_object_meta(metadata, namespaced=namespaced, name_validator=names.dns1123_subdomain)
    return [str(problem) for problem in found]


def test_ordinary_metadata_is_valid() -> None:
    assert (
        problems({
            **GOOD,
            "generateName": "web-",
            "labels": {"app": "web", "example.com/tier": ""},
            "annotations": {"Example.com/Note": "any text\n"},
            "finalizers": ["example.com/hold", "orphan"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u", "controller": True}],
            "managedFields": [{"operation": "Update", "manager": "kubectl", "fieldsType": "FieldsV1"}],
            "generation": 3,
            "deletionTimestamp": None,
        })
        == []
    )


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"name": ""}, "metadata.name: Required value: name or generateName is required"),
        ({"name": "Web"}, 'metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist of'),
        ({"generateName": "Web-"}, 'metadata.generateName: Invalid value: "Web-": a lowercase RFC 1123 subdomain'),
        ({"namespace": ""}, "metadata.namespace: Required value"),
        ({"namespace": "a.b"}, 'metadata.namespace: Invalid value: "a.b": must not contain dots'),
        ({"generation": -1}, "metadata.generation: Invalid value: -1: must be greater than or equal to 0"),
        ({"labels": {"-": ""}}, 'metadata.labels: Invalid value: "-": name part must consist of'),
        ({"labels": {"a": "b c"}}, 'metadata.labels: Invalid value: "b c": a valid label must be an empty string'),
        ({"annotations": {"a b": ""}}, 'metadata.annotations: Invalid value: "a b": name part must consist of'),
        ({"annotations": {"a": "x" * 2**18}}, "metadata.annotations: Too long: may not be more than 262144 bytes"),
        ({"finalizers": ["a b"]}, 'metadata.finalizers: Invalid value: "a b": name part must consist of'),
        (
            {"finalizers": ["orphan", "foregroundDeletion"]},
            'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: '
            "finalizer orphan and foregroundDeletion cannot be both set",
        ),
        (
            {"ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "uid": "u"}]},
            "metadata.ownerReferences[0].name: Required value: must not be empty",
        ),
        (
            {"ownerReferences": [{"apiVersion": "a/", "kind": "Pod", "name": "p", "uid": "u"}]},
            'metadata.ownerReferences[0].apiVersion: Invalid value: "a/": must be <group>/<version> or <version>',
        ),
        (
            {"managedFields": [{"operation": "Merge"}]},
            'metadata.managedFields[0].operation: Invalid value: "Merge": must be `Apply` or `Update`',
        ),
        ({"labels": ["a"]}, 'metadata.labels: Invalid value: ["a"]: must be of type object'),
        ({"labels": {"a": 1}}, "metadata.labels[a]: Invalid value: 1: must be of type string"),
        ({"name": 7}, "metadata.name: Invalid value: 7: must be of type string"),
        ({"ownerReferences": ["x"]}, 'metadata.ownerReferences[0]: Invalid value: "x": must be of type object'),
    ],
)
def test_a_bad_member_is_named_and_explained(extra: dict[str, Any], message: str) -> None:
    (problem,) = problems({**GOOD, **extra})
    assert problem.startswith(message)


def test_cluster_scoped_objects_have_no_namespace() -> None:
    assert problems(GOOD, namespaced=False) == ["metadata.namespace: Forbidden: not allowed on this type"]
    assert problems({"name": "web"}, namespaced=False) == []


def test_only_one_owner_is_the_controller() -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "uid": "u", "controller": True}
    (problem,) = problems({**GOOD, "ownerReferences": [{**owner, "name": "a"}, {**owner, "name": "b"}]})
    assert problem.endswith(
        'Only one reference can have Controller set to true. Found "true" in references for Pod/a and Pod/b'
    )


def test_every_problem_is_reported_at_once() -> None:
    assert len(problems({"name": "", "labels": {"a": "-"}, "finalizers": ["a b"]})) == 4


@pytest.mark.parametrize(
    ("new", "old", "message"),
    [
        ({}, {}, None),
        ({"labels": {"a": "b"}}, {"labels": {}}, None),
        ({"uid": "b"}, {"uid": "a"}, 'metadata.uid: Invalid value: "b": field is immutable'),
        ({"name": "b"}, {"name": "a"}, 'metadata.name: Invalid value: "b": field is immutable'),
        (
            {"creationTimestamp": "2026-01-01T00:00:00Z"},
            {"creationTimestamp": "2025-01-01T00:00:00Z"},
            'metadata.creationTimestamp: Invalid value: "2026-01-01T00:00:00Z": field is immutable',
        ),
        ({}, {"deletionTimestamp": "x"}, "metadata.deletionTimestamp: Invalid value: null: field is immutable"),
        (
            {"deletionGracePeriodSeconds": 0},
            {},
            "metadata.deletionGracePeriodSeconds: Invalid value: 0: field is immutable",
        ),
        ({"generation": 1}, {"generation": 2}, "metadata.generation: Invalid value: 1: must not be decremented"),
        ({"finalizers": ["a"]}, {"finalizers": []}, None),
        ({"deletionTimestamp": "x", "finalizers": ["a"]}, {"deletionTimestamp": "x", "finalizers": ["b", "a"]}, None),
        (
            {"deletionTimestamp": "x", "finalizers": ["b", "a"]},
            {"deletionTimestamp": "x"},
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, "
            'found new finalizers []string{"a", "b"}',
        ),
    ],
)
def test_updates(new: dict[str, Any], old: dict[str, Any], message: str | None) -> None:
    found = [str(problem) for problem in validate_object_meta_update(new, old)]
    assert found == ([] if message is None else [message])
