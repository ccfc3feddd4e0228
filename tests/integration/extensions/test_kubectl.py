"""An unmodified kubectl defines resources, uses them and takes them away."""

import json

import pytest

from generic.types import JSONObject
from tests.support.program import UpProcess
from tests.unit.extensions import samples

CERTIFICATES = "crd/certificates.certs.example.com"


def apply(up: UpProcess, obj: JSONObject, *flags: str) -> str:
    done = up.kubectl.run("apply", *flags, "-f", "-", stdin=json.dumps(obj))
    return done.out + done.err


@pytest.fixture(scope="module", autouse=True)
def defined(up: UpProcess) -> None:
    assert "created" in apply(up, samples.certificates())
    assert "created" in apply(up, samples.gauges())
    for name in (CERTIFICATES, "crd/gauges.monitoring.example.com"):
        done = up.kubectl.run("wait", "--for=condition=Established", "--timeout=10s", name)
        assert "condition met" in done.out, done.err


def test_what_it_lists(up: UpProcess) -> None:
    listed = up.kubectl.run("get", "crds").out
    assert listed.split()[:3] == ["NAME", "CREATED", "AT"]
    resources = up.kubectl.run("api-resources", "--api-group=certs.example.com").out
    assert resources.splitlines()[1].split() == ["certificates", "cert", "certs.example.com/v1", "true", "Certificate"]


def test_it_explains_definitions_and_what_they_define(up: UpProcess) -> None:
    own = up.kubectl.run("explain", "crd.spec.versions.schema.openAPIV3Schema").out
    assert "x-kubernetes-preserve-unknown-fields" in own
    defined = up.kubectl.run("explain", "certificates.spec.issuerRef").out
    assert "-required-" in defined
    assert "enum: Issuer, ClusterIssuer" in defined


def test_objects_are_applied_shown_edited_and_deleted(up: UpProcess) -> None:
    assert apply(up, samples.certificate()) == "certificate.certs.example.com/web created\n"
    assert apply(up, samples.certificate()) == "certificate.certs.example.com/web unchanged\n"
    assert apply(up, samples.certificate(renewBeforeDays=9)) == "certificate.certs.example.com/web configured\n"
    shown = up.kubectl.run("get", "cert", "-A").out.splitlines()
    assert shown[0].split() == ["NAMESPACE", "NAME", "READY", "SECRET", "AGE"]
    assert shown[1].split()[:3] == ["default", "web", "web-tls"]
    selected = up.kubectl.run("get", "cert", "--field-selector=spec.secretName=web-tls", "-o", "name").out
    assert selected == "certificate.certs.example.com/web\n"
    assert "deleted" in up.kubectl.run("delete", "cert", "web").out


def test_a_field_that_does_not_exist_is_refused_by_name(up: UpProcess) -> None:
    said = apply(up, samples.certificate("odd", colour="blue"))
    assert 'strict decoding error: unknown field "spec.colour"' in said


def test_it_scales_by_the_scale_subresource(up: UpProcess) -> None:
    apply(up, samples.gauge())
    assert "scaled" in up.kubectl.run("scale", "gauge/main", "--replicas=4").out
    assert up.kubectl.run("get", "gauge/main", "-o", "jsonpath={.spec.replicas}").out == "4"


def test_a_definition_that_is_deleted_takes_its_objects_along(up: UpProcess) -> None:
    made = samples.definition(
        "shorts", "Short", samples.version("v1", samples.schema({"type": "object"})), group="brief.example.com"
    )
    apply(up, made)
    up.kubectl.run("wait", "--for=condition=Established", "--timeout=10s", "crd/shorts.brief.example.com")
    one = {"apiVersion": "brief.example.com/v1", "kind": "Short", "metadata": {"name": "one"}}
    assert "created" in apply(up, one)
    assert "deleted" in up.kubectl.run("delete", "--timeout=20s", "crd/shorts.brief.example.com").out
    assert "NotFound" in up.kubectl.run("get", "--raw", "/apis/brief.example.com/v1/shorts").err
