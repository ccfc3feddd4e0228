"""What Flunders and Fischers are made to be: schema, defaults, validation, banned names."""

from typing import Any

import orjson
import pytest

from examples.wardle import storage
from examples.wardle.admission import BanFlunder
from generic.admission.interface import Attributes
from generic.meta.errors import StatusError
from generic.registry.resource import Resource
from generic.request.context import RequestContext
from generic.request.info import RequestInfo
from generic.storage.cacher import ListResult
from generic.storage.objects import StoredObject
from generic.storage.predicate import Predicate
from generic.types import JSONObject

OLD, NEW = storage.FLUNDERS_V1ALPHA1, storage.FLUNDERS_V1BETA1
REQUEST = RequestContext(RequestInfo("/", "create"))


def defaulted(resource: Resource, spec: JSONObject) -> JSONObject:
    obj: JSONObject = {
        "apiVersion": str(resource.group_version),
        "kind": resource.kind,
        "metadata": {"name": "x"},
        "spec": dict(spec),
    }
    resource.schema.default(obj)
    resource.strategy.default(obj)
    return obj


@pytest.mark.parametrize(
    ("resource", "spec", "kind"),
    [
        (OLD, {"reference": "a"}, "Flunder"),
        (OLD, {"reference": "a", "referenceType": "Fischer"}, "Fischer"),
        (OLD, {}, None),
        (NEW, {"flunderReference": "a"}, "Flunder"),
        (NEW, {"fischerReference": "a"}, "Fischer"),
        (NEW, {"flunderReference": "a", "fischerReference": "b"}, None),
    ],
)
def test_the_reference_type_defaults_to_what_is_referred_to(
    resource: Resource, spec: JSONObject, kind: str | None
) -> None:
    assert defaulted(resource, spec)["spec"].get("referenceType") == kind


@pytest.mark.parametrize(
    ("resource", "spec", "problems"),
    [
        (OLD, {"reference": "a"}, []),
        (OLD, {}, []),
        (
            OLD,
            {"referenceType": "Fischer"},
            ["spec.reference: Required value: cannot be empty if referenceType is Fischer"],
        ),
        (
            OLD,
            {"reference": "a", "referenceType": "Fish"},
            ['spec.referenceType: Invalid value: "Fish": must be Flunder or Fischer'],
        ),
        (NEW, {"fischerReference": "a"}, []),
        (
            NEW,
            {"flunderReference": "a", "fischerReference": "b", "referenceType": "Fish"},
            [
                'spec.fischerReference: Invalid value: "b": cannot be set with flunderReference at the same time',
                'spec.referenceType: Invalid value: "Fish": must be Flunder or Fischer',
            ],
        ),
        (
            NEW,
            {"flunderReference": "a", "referenceType": "Fischer"},
            ['spec.flunderReference: Invalid value: "a": cannot be set if referenceType is not Flunder'],
        ),
        (
            NEW,
            {"fischerReference": "a", "referenceType": "Flunder"},
            ['spec.fischerReference: Invalid value: "a": cannot be set if referenceType is not Fischer'],
        ),
        (
            NEW,
            {"referenceType": "Flunder"},
            ["spec.flunderReference: Required value: cannot be empty if referenceType is Flunder"],
        ),
    ],
)
def test_validation_says_everything_in_the_words_of_sample_apiserver(
    resource: Resource, spec: JSONObject, problems: list[str]
) -> None:
    obj = defaulted(resource, spec)
    assert [str(found) for found in resource.strategy.validate(REQUEST, obj)] == problems
    assert [str(found) for found in resource.strategy.validate_update(REQUEST, obj, obj)] == problems


def test_the_schemas_know_the_members_of_their_version() -> None:
    spec = {"reference": "a", "fischerReference": "b"}
    assert OLD.schema.unknown_fields(defaulted(OLD, spec)) == ["spec.fischerReference"]
    assert NEW.schema.unknown_fields(defaulted(NEW, spec)) == ["spec.reference"]


def test_every_member_is_described_to_clients() -> None:
    for resource in storage.RESOURCES:
        _, components = resource.schema.openapi()
        for name, component in components.items():
            if name.startswith("com.example.wardle"):
                assert component["description"]
                assert all(member.get("description") for member in component["properties"].values())


@pytest.mark.parametrize(("resource", "spec"), [(OLD, {"reference": "a"}), (NEW, {"flunderReference": "a"})])
def test_the_reference_column_is_the_same_in_both_versions(resource: Resource, spec: JSONObject) -> None:
    obj = defaulted(resource, spec)
    assert [column.getter(obj) for column in resource.columns if column.name == "Reference"] == ["Flunder/a"]


# Banned names.


class Fischers:
    """The cache of Fischers, with these."""

    def __init__(self, *disallowed: list[str] | None) -> None:
        self._items = [
            StoredObject(key=f"/{at}", namespace="", name=f"f{at}", revision=1, raw=orjson.dumps(self._fischer(names)))
            for at, names in enumerate(disallowed)
        ]

    @staticmethod
    def _fischer(names: list[str] | None) -> JSONObject:
        return {"metadata": {}} if names is None else {"metadata": {}, "disallowedFlunders": names}

    async def list(self, predicate: Predicate) -> ListResult:
        return ListResult(self._items, 1)


def write(name: str, resource: Resource = OLD, operation: Any = "CREATE") -> Attributes:
    return Attributes(
        operation=operation, request=REQUEST, resource=resource.gvr, kind=resource.gvk, namespace="default", name=name
    )


@pytest.mark.anyio
async def test_a_name_that_any_fischer_disallows_is_refused() -> None:
    plugin = BanFlunder(Fischers(None, ["a"], ["b", "c"]))
    await plugin.validate(write("d"))
    with pytest.raises(StatusError) as raised:
        await plugin.validate(write("c"))
    assert raised.value.code == 403
    assert raised.value.message == (
        'flunders.wardle.example.com "c" is forbidden: this name may not be used, please change the resource name'
    )


def test_only_new_flunders_of_any_version_are_looked_at() -> None:
    plugin = BanFlunder(Fischers())
    assert plugin.handles(write("a"))
    assert plugin.handles(write("a", NEW))
    assert not plugin.handles(write("a", operation="UPDATE"))
    assert not plugin.handles(write("a", storage.FISCHERS))
