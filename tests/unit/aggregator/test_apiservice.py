"""What an APIService may say, and what becomes of it when it is written."""

from typing import Any

import pytest

from aggregator.apiservices import conditions, resource
from generic.meta.tables import row
from generic.request.context import RequestContext
from generic.request.info import RequestInfo
from generic.types import JSONObject
from tests.unit.aggregator.objects import SERVICE, apiservice

STRATEGY = resource.resource().strategy
REQUEST = RequestContext(RequestInfo("/", "create"))


def problems(obj: JSONObject) -> list[str]:
    return [str(found) for found in STRATEGY.validate(REQUEST, obj)]


def test_local_and_remote_ones_are_valid() -> None:
    assert problems(apiservice("apps")) == []
    assert problems(apiservice("metrics.k8s.io", service=SERVICE, caBundle="QQ==")) == []
    core = apiservice("")
    del core["spec"]["group"]
    assert problems(core) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"groupPriorityMinimum": 20001},
            "spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000",
        ),
        ({"versionPriority": None}, "spec.versionPriority: Invalid value: 0: must be positive and less than 1000"),
        ({"caBundle": "QUJD"}, 'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle'),
        (
            {"insecureSkipTLSVerify": True},
            "spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify",
        ),
        (
            {"insecureSkipTLSVerify": True, "caBundle": "QUJD", "service": SERVICE},
            "spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present",
        ),
        ({"service": {"name": "api", "port": 443}}, "spec.service.namespace: Required value"),
        ({"service": {"namespace": "default", "port": 443}}, "spec.service.name: Required value"),
        (
            {"service": {**SERVICE, "port": 0}},
            "spec.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
        ),
        (
            {"service": {**SERVICE, "port": 65536}},
            "spec.service.port: Invalid value: 65536: port is not valid: must be between 1 and 65535, inclusive",
        ),
    ],
)
def test_what_is_wrong_is_said_as_kubernetes_says_it(change: dict[str, Any], expected: str) -> None:
    assert problems(apiservice("a.example.com", **change)) == [expected]


def test_the_name_is_version_dot_group() -> None:
    obj = apiservice("a.example.com")
    obj["metadata"]["name"] = "v2.a.example.com"
    assert problems(obj) == [
        'metadata.name: Invalid value: "v2.a.example.com": must be `spec.version+"."+spec.group`: "v1.a.example.com"'
    ]


def test_a_generated_name_is_none_of_them() -> None:
    obj = apiservice("a.example.com")
    obj["metadata"] = {"generateName": "v1.", "name": "v1.x7k2p"}
    assert [problem.partition(":")[0] for problem in problems(obj)] == ["metadata.generateName", "metadata.name"]


def test_only_v1_may_be_without_a_group() -> None:
    expected = "spec.group: Required value: only v1 may have an empty group and it better be legacy kube"
    assert problems(apiservice("", "v2")) == [expected]


def test_a_service_without_a_port_gets_443() -> None:
    obj = apiservice("a.example.com", service={"namespace": "default", "name": "api"})
    STRATEGY.default(obj)
    assert obj["spec"]["service"]["port"] == 443


def test_what_says_nothing_is_left_out() -> None:
    obj = apiservice("", caBundle="", insecureSkipTLSVerify=False)
    STRATEGY.default(obj)
    assert obj["spec"] == {"version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 100}


def test_local_ones_are_available_from_the_start_remote_ones_not() -> None:
    local, remote = apiservice("a.example.com"), apiservice("b.example.com", service=SERVICE)
    for obj in (local, remote):
        obj["status"] = {"conditions": [{"type": "Available", "status": "True", "reason": "Made up"}]}
        STRATEGY.prepare_for_create(REQUEST, obj)
    (condition,) = local["status"]["conditions"]
    assert (condition["status"], condition["reason"]) == ("True", "Local")
    assert condition["message"] == "Local APIServices are always available"
    assert remote["status"] == {}


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    obj = apiservice("a.example.com", service=SERVICE)
    since = "2020-01-01T00:00:00Z"
    held = {"type": "Available", "status": "False", "reason": "A", "message": "a", "lastTransitionTime": since}
    obj["status"] = {"conditions": [held]}
    assert conditions.status_with(obj, conditions.Condition("False", "A", "a")) is None
    changed = conditions.status_with(obj, conditions.Condition("False", "B", "b"))
    assert changed is not None
    assert changed["conditions"][0]["lastTransitionTime"] == since
    passed = conditions.status_with(obj, conditions.PASSED)
    assert passed is not None
    assert passed["conditions"][0]["lastTransitionTime"] != since


def test_the_columns_say_who_serves_it_and_why_it_is_not_available() -> None:
    made = resource.resource()
    local, remote = apiservice("a.example.com"), apiservice("b.example.com", service=SERVICE)
    remote["status"] = {"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]}
    assert [column.name for column in made.columns] == ["Name", "Service", "Available", "Age"]
    assert row(made.columns, local)[:3] == ["v1.a.example.com", "Local", "Unknown"]
    assert row(made.columns, remote)[1:3] == ["default/api", "False (MissingEndpoints)"]


def test_the_schema_reads_an_apiservice_as_go_does() -> None:
    schema = resource.resource().schema
    obj = apiservice("a.example.com", service=SERVICE, caBundle="QUJD", groupPriorityMinimum="much")
    assert schema.decode_errors(obj).startswith("json: cannot unmarshal string into Go struct field APIServiceSpec")
    assert schema.decode_errors(apiservice("a.example.com", caBundle="*")) != ""
    assert schema.unknown_fields(apiservice("a.example.com", colour="red")) == ["spec.colour"]
    assert schema.validate(apiservice("a.example.com")) == []


def test_conditions_merge_by_type_in_a_strategic_patch() -> None:
    schema = resource.resource().patch_schema
    assert schema is not None
    status = schema.property("status")
    assert status is not None
    listed = status.property("conditions")
    assert listed is not None
    assert listed.merge_key == "type"
    assert "merge" in listed.strategies
