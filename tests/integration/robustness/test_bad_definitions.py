"""Registrations and definitions that cannot be: 422 with every cause at once, and nobody is served by them."""

import orjson
import pytest

from generic.types import JSONObject
from tests.integration.robustness.refusals import MERGE, STRATEGIC, Refused, bad_request, invalid
from tests.support.crd import CRDS, definition, instance
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
TOYS = "/apis/stable.example.com/v1/namespaces/default/toys"
INVALID = "FieldValueInvalid"


def registration(name: str, **spec: object) -> JSONObject:
    return {"metadata": {"name": name}, "spec": {"group": "g.example.com", "version": "v1", **spec}}


REGISTRATIONS = [
    invalid(
        "a registration out of range and of nobody",
        (
            "POST",
            APISERVICES,
            registration(
                "v1.g.example.com", groupPriorityMinimum=20_001, versionPriority=0, insecureSkipTLSVerify=True
            ),
        ),
        "APIService.apiregistration.k8s.io/v1.g.example.com",
        (INVALID, "spec.groupPriorityMinimum", "Invalid value: 20001: must be positive and less than 20000"),
        (INVALID, "spec.versionPriority", "Invalid value: 0: must be positive and less than 1000"),
        (
            INVALID,
            "spec.insecureSkipTLSVerify",
            "Invalid value: true: local APIServices may not have insecureSkipTLSVerify",
        ),
    ),
    invalid(
        "a registration under another name that trusts all and some",
        (
            "POST",
            APISERVICES,
            registration(
                "v2.g.example.com",
                groupPriorityMinimum=1,
                versionPriority=1,
                insecureSkipTLSVerify=True,
                caBundle="YQ==",
                service={"name": "", "namespace": ""},
            ),
        ),
        "APIService.apiregistration.k8s.io/v2.g.example.com",
        (
            INVALID,
            "metadata.name",
            'Invalid value: "v2.g.example.com": must be `spec.version+"."+spec.group`: "v1.g.example.com"',
        ),
        ("FieldValueRequired", "spec.service.namespace", "Required value"),
        ("FieldValueRequired", "spec.service.name", "Required value"),
        (INVALID, "spec.insecureSkipTLSVerify", "Invalid value: true: may not be true if caBundle is present"),
    ),
    bad_request(
        "versions that are no list",
        *("POST", CRDS),
        'CustomResourceDefinition in version "v1" cannot be handled as a CustomResourceDefinition: json: cannot '
        "unmarshal string into Go struct field CustomResourceDefinitionSpec.spec.versions of type "
        "[]v1.CustomResourceDefinitionVersion",
        body={"metadata": {"name": "x"}, "spec": {"versions": "x"}},
    ),
]


@pytest.mark.parametrize("refused", REGISTRATIONS, ids=lambda refused: refused.id)
async def test_a_bad_registration_is_refused_and_not_served(control_plane: Running, refused: Refused) -> None:
    await refused.check(control_plane.http)
    assert (await control_plane.http.get("/apis/g.example.com/v1")).status_code == 404
    names = {item["metadata"]["name"] for item in (await control_plane.http.get(APISERVICES)).json()["items"]}
    assert not {"v1.g.example.com", "v2.g.example.com"} & names
    assert (await control_plane.http.get(f"{CRDS}/x")).status_code == 404


async def test_a_definition_wrong_in_many_places_is_told_all_of_them(control_plane: Running) -> None:
    wrong = definition("frobs")
    wrong["metadata"]["name"] = "wrong"
    wrong["spec"]["scope"] = "Wide"
    wrong["spec"]["versions"][0]["storage"] = False
    del wrong["spec"]["names"]["kind"]
    answer = await control_plane.http.post(CRDS, json=wrong)
    status = answer.json()
    assert (answer.status_code, status["reason"]) == (422, "Invalid")
    causes = {cause["field"]: cause["message"] for cause in status["details"]["causes"]}
    assert causes["metadata.name"] == 'Invalid value: "wrong": must be spec.names.plural+"."+spec.group'
    assert causes["spec.scope"] == 'Unsupported value: "Wide": supported values: "Cluster", "Namespaced"'
    assert causes["spec.versions"].endswith(": must have exactly one version marked as storage version")
    assert causes["spec.names.kind"] == "Required value"
    assert all(f"{field}: {message}" in status["message"] for field, message in causes.items())
    assert (await control_plane.http.get("/apis/stable.example.com/v1")).status_code == 404


async def test_custom_resources_are_held_to_their_schema(control_plane: Running) -> None:
    toys = definition("toys")
    toys["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"] = {
        "type": "object",
        "required": ["size", "color"],
        "properties": {
            "size": {"type": "integer", "minimum": 1},
            "color": {"type": "string", "enum": ["red", "blue"]},
            "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    await control_plane.create(CRDS, toys)
    await control_plane.until(TOYS)

    def toy(name: str = "a", **spec: object) -> JSONObject:
        return {**instance("toys", name), "spec": spec}

    made = await control_plane.create(TOYS, toy(size=1, color="red"))
    kind = "Toy.stable.example.com/"
    deep = orjson.dumps(toy("b", size=1, color="red", free={})).replace(b"{}", b'{"a":' * 300 + b"1" + b"}" * 300)
    metadata = {**toy(size=1, color="red"), "metadata": {"name": "b", "finalizers": 5}}
    refusals = [
        invalid(
            "",
            ("POST", TOYS, toy("b", size=0)),
            f"{kind}b",
            ("FieldValueRequired", "spec.color", "Required value"),
            (INVALID, "spec.size", "Invalid value: 0: spec.size in body should be greater than or equal to 1"),
        ),
        bad_request(
            "",
            "POST",
            TOYS,
            "error decoding the request body: exceeded max depth",
            body=deep,
        ),
        bad_request("", "POST", TOYS, None, body=metadata),
        bad_request(
            "",
            *("POST", f"{TOYS}?fieldValidation=Strict"),
            'Toy in version "v1" cannot be handled as a Toy: strict decoding error: unknown field "spec.nope"',
            body=toy("b", size=1, color="red", nope=1),
        ),
        invalid(
            "",
            ("PUT", f"{TOYS}/a", toy(size=2, color="red")),
            "toys.stable.example.com/a",
            (INVALID, "metadata.resourceVersion", "Invalid value: 0: must be specified for an update"),
        ),
        invalid(
            "",
            ("PATCH", f"{TOYS}/a", {"spec": {"color": "green"}}),
            f"{kind}a",
            (
                "FieldValueNotSupported",
                "spec.color",
                'Unsupported value: "green": supported values: "red", "blue"',
            ),
            content_type=MERGE,
        ),
        Refused("", "PATCH", f"{TOYS}/a", 415, "UnsupportedMediaType", None, body={}, content_type=STRATEGIC),
    ]
    for refused in refusals:
        await refused.check(control_plane.http)
    assert (await control_plane.http.get(TOYS)).json()["items"] == [made]
