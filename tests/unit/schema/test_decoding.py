"""What Go could not decode, in its words; and what strict decoding calls unknown."""

import orjson
import pytest

from generic.meta.gvk import GroupVersionKind
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject
from kubeapi.schemas import Schemas

SCHEMAS = Schemas.load()
DEPLOYMENT = SCHEMAS.object_schema(GroupVersionKind("apps", "v1", "Deployment"))
SECRET = SCHEMAS.object_schema(GroupVersionKind("", "v1", "Secret"))
LEASE = SCHEMAS.object_schema(GroupVersionKind("coordination.k8s.io", "v1", "Lease"))
CRD = SCHEMAS.object_schema(GroupVersionKind("apiextensions.k8s.io", "v1", "CustomResourceDefinition"))


def deployment(container: JSONObject | None = None, **spec: object) -> JSONObject:
    template = {"spec": {"containers": [{"name": "main", **(container or {})}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"template": template} | spec,
    }


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        (
            deployment(replicas="3"),
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            deployment(replicas=2**31),
            "json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            deployment(replicas=1.5),
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            deployment({"env": [{"name": "a", "value": 1}]}),
            "json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value"
            " of type string",
        ),
        (
            deployment({"ports": {"a": 1}}),
            "json: cannot unmarshal object into Go struct field Container.spec.template.spec.containers.ports"
            " of type []v1.ContainerPort",
        ),
        (
            {"metadata": {"labels": {"a": True}}},
            "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string",
        ),
        (
            {"spec": []},
            "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec",
        ),
        (
            {"metadata": {"creationTimestamp": "yesterday"}},
            'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
        ),
        (
            {"metadata": {"creationTimestamp": "2026-02-30T00:00:00Z"}},
            'parsing time "2026-02-30T00:00:00Z": day out of range',
        ),
        (deployment({"resources": {"limits": {"cpu": "1x"}}}), "quantities must match the regular expression"),
        (deployment({"resources": {"limits": {"cpu": "1mm"}}}), "unable to parse quantity's suffix"),
    ],
)
def test_the_first_mismatch_is_told_as_go_tells_it(obj: JSONObject, message: str) -> None:
    assert DEPLOYMENT.decode_errors(obj).startswith(message)


def test_a_refused_quantity_comes_before_an_earlier_wrong_type_as_decoding_ends_there() -> None:
    obj = deployment({"resources": {"limits": {"cpu": {}}}}, replicas="3")
    obj["spec"] = dict(reversed(obj["spec"].items()))
    assert DEPLOYMENT.decode_errors(obj).startswith("quantities must match")


@pytest.mark.parametrize(
    ("text", "at"), [("YWJ", 0), ("YW*j", 2), ("YQ=", 3), ("YQ==x", 4), ("YQ=x", 2), ("YWJj", None), ("YW\nJj", None)]
)
def test_base64_that_does_not_decode_is_refused_at_its_byte(text: str, at: int | None) -> None:
    expected = "" if at is None else f"illegal base64 data at input byte {at}"
    assert SECRET.decode_errors({"data": {"a": text}}) == expected


@pytest.mark.parametrize(
    ("time", "accepted"),
    [
        ("2026-01-02T03:04:05.000006Z", True),
        ("2026-01-02T03:04:05.000006+02:00", True),
        ("2026-01-02T03:04:05Z", False),
        ("2026-01-02T25:04:05.000006Z", False),
    ],
)
def test_micro_times_have_six_digits(time: str, *, accepted: bool) -> None:
    assert (LEASE.decode_errors({"spec": {"renewTime": time}}) == "") is accepted


def test_null_is_accepted_anywhere() -> None:
    obj = deployment({"env": None, "resources": {"limits": {"cpu": None}}}, replicas=None)
    obj["metadata"]["creationTimestamp"] = None
    assert DEPLOYMENT.decode_errors(obj) == ""
    assert DEPLOYMENT.unknown_fields(obj) == []


def test_numbers_and_names_are_both_ports_and_both_quantities() -> None:
    probe = {"httpGet": {"port": "http"}, "periodSeconds": 5}
    container = {"livenessProbe": probe, "resources": {"limits": {"cpu": 0.5, "memory": "1Gi"}}}
    assert DEPLOYMENT.decode_errors(deployment(container)) == ""


def test_unknown_fields_have_paths_with_indices() -> None:
    obj = deployment({"foo": 1}, bar={"deep": 1})
    obj["metadata"]["baz"] = 1
    obj["qux"] = 1
    assert DEPLOYMENT.unknown_fields(obj) == ["metadata.baz", "spec.template.spec.containers[0].foo", "spec.bar", "qux"]


def test_unknown_fields_of_a_flood_are_cut_off() -> None:
    assert len(DEPLOYMENT.unknown_fields({"spec": {f"f{at}": 1 for at in range(5000)}})) == 100


def test_what_reads_its_own_json_holds_anything() -> None:
    schema = {"type": "object", "properties": {"a": {"default": {"x": [1]}, "items": {"type": "string"}}}}
    obj = {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}]}}
    assert CRD.decode_errors(obj) == ""
    assert CRD.unknown_fields(obj) == []


def test_a_body_deeper_than_the_stack_is_refused_not_an_accident() -> None:
    inner = b'{"properties":{"a":' * 500 + b"{}" + b"}}" * 500
    deep = orjson.loads(b'{"spec":{"versions":[{"schema":{"openAPIV3Schema":' + inner + b"}}]}}")
    assert CRD.decode_errors(deep) in ("", "exceeded max depth")


def test_a_schema_is_compiled_only_when_first_used() -> None:
    made: list[str] = []

    class Watched(dict[str, JSONObject]):
        def __getitem__(self, key: str) -> JSONObject:
            made.append(key)
            return super().__getitem__(key)

    schema = ObjectSchema.of(Watched(SCHEMAS.openapi_definitions()), "io.k8s.api.core.v1.ConfigMap")
    assert made == []
    assert schema.decode_errors({"data": {"a": 1}})
    assert "io.k8s.api.core.v1.ConfigMap" in made
