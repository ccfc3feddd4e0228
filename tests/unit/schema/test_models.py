"""Kinds written as pydantic models: they decode as Go types do, and carry their own defaults and rules."""

from typing import Annotated, Literal

import pydantic
import pytest
from pydantic import Field
from pydantic.alias_generators import to_camel

from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject


class Port(pydantic.BaseModel):
    """A port."""

    number: Annotated[int, Field(ge=1, le=65535)]
    protocol: Literal["TCP", "UDP"] = "TCP"
    target: int | str | None = None


class Spec(pydantic.BaseModel):
    """What is wanted."""

    model_config = pydantic.ConfigDict(alias_generator=to_camel)

    display_name: Annotated[str, Field(min_length=1)]
    ports: list[Port] = []
    parent: "Spec | None" = None
    selector: dict[str, str] | None = Field(default=None, description="Which to take.")


class Gadget(pydantic.BaseModel):
    """A gadget."""

    spec: Spec


SCHEMA = ObjectSchema.of_model(Gadget, package="io.example.gadgets.v1alpha1")


def gadget(**spec: object) -> JSONObject:
    head = {"apiVersion": "gadgets.example.io/v1alpha1", "kind": "Gadget", "metadata": {"name": "a"}}
    return {**head, "spec": {"displayName": "x", **spec}}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"ports": [{"number": "1"}]},
            "json: cannot unmarshal string into Go struct field Port.spec.ports.number of type int64",
        ),
        ({"ports": 1}, "json: cannot unmarshal number into Go struct field Spec.spec.ports of type []v1alpha1.Port"),
        (
            {"parent": {"parent": 1}},
            "json: cannot unmarshal number into Go struct field Spec.spec.parent.parent of type",
        ),
        ({"selector": None, "parent": None, "ports": [{"number": 1, "target": "http"}]}, ""),
    ],
)
def test_types_are_decoding_errors_and_optional_members_take_null(spec: JSONObject, message: str) -> None:
    found = SCHEMA.decode_errors(gadget(**spec))
    assert found.startswith(message)
    assert bool(found) == bool(message)


def test_unknown_fields_are_found_by_alias_and_metadata_is_object_meta() -> None:
    obj = gadget(display_name="x")
    obj["metadata"] |= {"labels": {"a": "b"}, "x": 1}
    assert SCHEMA.unknown_fields(obj) == ["metadata.x", "spec.display_name"]


def test_defaults_of_the_model_are_filled_in() -> None:
    obj = gadget(ports=[{"number": 1}], parent={"displayName": "y"})
    SCHEMA.prune(obj)
    SCHEMA.default(obj)
    assert obj["spec"]["ports"] == [{"number": 1, "protocol": "TCP"}]
    assert obj["spec"]["parent"] == {"displayName": "y", "ports": []}


def test_rules_of_the_model_are_validated() -> None:
    obj = gadget(displayName="", ports=[{"number": 0}, {"protocol": "SCTP"}])
    assert [str(problem) for problem in SCHEMA.validate(obj)] == [
        'spec.displayName: Invalid value: "": spec.displayName in body should be at least 1 chars long',
        "spec.ports[0].number: Invalid value: 0: spec.ports[0].number in body should be greater than or equal to 1",
        "spec.ports[1].number: Required value",
        'spec.ports[1].protocol: Unsupported value: "SCTP": supported values: "TCP", "UDP"',
    ]
    assert [str(problem) for problem in SCHEMA.validate({"metadata": {}})] == ["spec: Required value"]


def test_components_are_named_after_the_package_and_refer_to_each_other() -> None:
    name, components = SCHEMA.openapi()
    assert name == "io.example.gadgets.v1alpha1.Gadget"
    root = components[name]["properties"]
    assert root["metadata"]["allOf"] == [
        {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
    ]
    assert root["spec"] == {"$ref": "#/components/schemas/io.example.gadgets.v1alpha1.Spec"}
    spec = components["io.example.gadgets.v1alpha1.Spec"]["properties"]
    assert spec["selector"]["additionalProperties"] == {"type": "string"}
    assert spec["selector"]["nullable"] is True
    number = components["io.example.gadgets.v1alpha1.Port"]["properties"]["number"]
    assert number == {"type": "integer", "minimum": 1, "maximum": 65535}
