"""What Flunders are made to be: defaults, validation, columns, descriptions."""

from typing import Any

import pytest

from examples.wardle import v1alpha1, v1beta1
from generic.request.context import RequestContext
from generic.request.info import RequestInfo
from generic.types import JSONObject
from trikube import aa

OLD, NEW = v1alpha1.Flunder, v1beta1.Flunder
CONTEXT = aa.Context(RequestContext(RequestInfo("/", "create")))


def defaulted(cls: Any, spec: JSONObject) -> Any:
    made = cls.model_validate({"spec": spec})
    made.default()
    return made


@pytest.mark.parametrize(
    ("cls", "spec", "kind"),
    [
        (OLD, {"reference": "a"}, "Flunder"),
        (OLD, {"reference": "a", "referenceType": "Fischer"}, "Fischer"),
        (OLD, {}, None),
        (NEW, {"flunderReference": "a"}, "Flunder"),
        (NEW, {"fischerReference": "a"}, "Fischer"),
        (NEW, {"flunderReference": "a", "fischerReference": "b"}, None),
    ],
)
def test_the_reference_type_defaults_to_what_is_referred_to(cls: Any, spec: JSONObject, kind: str | None) -> None:
    assert defaulted(cls, spec).spec.reference_type == kind


@pytest.mark.parametrize(
    ("cls", "spec", "problems"),
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
    cls: Any, spec: JSONObject, problems: list[str]
) -> None:
    made = defaulted(cls, spec)
    assert [str(found) for found in made.validate_create(CONTEXT)] == problems
    assert [str(found) for found in made.validate_update(CONTEXT, made)] == problems


@pytest.mark.parametrize("cls", [OLD, NEW])
def test_a_flunder_without_a_spec_is_well(cls: Any) -> None:
    made = cls()
    made.default()
    assert (list(made.validate_create(CONTEXT)), made.refers_to()) == ([], "")


def test_every_member_is_described_to_clients() -> None:
    for cls in (OLD, NEW, v1alpha1.Fischer):
        _, components = cls.schema_.openapi()
        for name, component in components.items():
            if name.startswith("com.example.wardle"):
                assert component["description"]
                assert all(member.get("description") for member in component["properties"].values())


@pytest.mark.parametrize(("cls", "spec"), [(OLD, {"reference": "a"}), (NEW, {"flunderReference": "a"})])
def test_the_reference_column_is_the_same_in_both_versions(cls: Any, spec: JSONObject) -> None:
    assert defaulted(cls, spec).refers_to() == "Flunder/a"
