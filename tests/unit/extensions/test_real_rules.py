"""Rules of the kind that real projects ship: gateways, node pools, clusters, composed resources. Written anew here."""

import pytest

from extensions.rules.evaluating import Evaluation
from extensions.rules.tree import build
from generic.types import JSONObject
from tests.unit.extensions import samples
from tests.unit.extensions.test_validation import problems


def _rules(*texts: str) -> list[JSONObject]:
    return [{"rule": text, "message": f"rule {at}"} for at, text in enumerate(texts)]


def gateway() -> JSONObject:
    listener: JSONObject = {
        "type": "object",
        "required": ["name", "port", "protocol"],
        "properties": {
            "name": samples.text(maxLength=253),
            "hostname": samples.text(maxLength=253, pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]+)*$"),
            "port": {"type": "integer", "minimum": 1, "maximum": 65535},
            "protocol": samples.text(maxLength=255),
            "tls": {
                "type": "object",
                "properties": {
                    "mode": samples.text(enum=["Terminate", "Passthrough"]),
                    "certificateRefs": {"type": "array", "maxItems": 64, "items": {"type": "object"}},
                },
                "x-kubernetes-validations": _rules(
                    "self.mode == 'Terminate' ? size(self.certificateRefs) > 0 : true",
                ),
            },
        },
    }
    listener["properties"]["tls"]["properties"]["certificateRefs"]["items"]["properties"] = {
        "name": samples.text(maxLength=253)
    }
    listeners = {
        "type": "array",
        "maxItems": 64,
        "items": listener,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        "x-kubernetes-validations": _rules(
            "self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)",
            "self.all(l, (l.protocol == 'HTTPS' && has(l.tls)) ? (l.tls.mode == '' || l.tls.mode == 'Terminate') : "
            "true)",
            "self.all(l1, self.exists_one(l2, l1.name == l2.name))",
            "self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) && "
            "has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))))",
        ),
    }
    path: JSONObject = {
        "type": "object",
        "properties": {"type": samples.text(enum=["Exact", "PathPrefix"], default="Exact"), "value": samples.text()},
        "x-kubernetes-validations": _rules(
            "(self.type in ['Exact', 'PathPrefix']) ? self.value.startsWith('/') : true",
            "!self.value.contains('//') && !self.value.endsWith('/..')",
            """self.value.matches(r\"\"\"^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$\"\"\")""",
        ),
    }
    path["properties"]["value"]["maxLength"] = 1024
    return {"type": "object", "properties": {"listeners": listeners, "path": path}}


def pool() -> JSONObject:
    requirement: JSONObject = {
        "type": "object",
        "properties": {"key": samples.text(maxLength=316), "operator": samples.text()},
    }
    requirement["properties"]["values"] = {"type": "array", "maxItems": 50, "items": samples.text(maxLength=63)}
    requirement["properties"]["minValues"] = {"type": "integer"}
    labels = {"type": "object", "maxProperties": 100, "additionalProperties": samples.text(maxLength=63)}
    return {
        "type": "object",
        "properties": {
            "requirements": {
                "type": "array",
                "maxItems": 100,
                "items": requirement,
                "x-kubernetes-validations": _rules(
                    "self.all(x, x.operator == 'In' ? x.values.size() != 0 : true)",
                    "self.all(x, (x.operator == 'Gt' || x.operator == 'Lt') ? (x.values.size() == 1 && "
                    "int(x.values[0]) >= 0) : true)",
                    "self.all(x, (x.operator == 'In' && has(x.minValues)) ? x.values.size() >= x.minValues : true)",
                ),
            },
            "labels": {
                **labels,
                "x-kubernetes-validations": _rules(
                    "self.all(x, x in ['example.com/zone'] || !x.find('^([^/]+)').endsWith('example.com'))",
                    "self.all(x, x != 'example.com/pool')",
                ),
            },
            "expireAfter": samples.text(pattern=r"^(([0-9]+(s|m|h))+|Never)$"),
            "budget": samples.text(maxLength=20),
            "role": samples.text(maxLength=63),
        },
        "x-kubernetes-validations": _rules(
            "has(self.role) == has(oldSelf.role)",
            "!has(self.budget) || self.budget.matches('^((100|[0-9]{1,2})%|[0-9]+)$')",
        ),
    }


def composed() -> JSONObject:
    provider: JSONObject = {"type": "object", "properties": {"region": samples.text(), "size": {"type": "string"}}}
    provider["x-kubernetes-validations"] = _rules(
        "!has(self.size) || quantity(self.size).isGreaterThan(quantity('1Gi'))"
    )
    provider["properties"]["size"]["maxLength"] = 20
    policies = {"type": "array", "items": samples.text(enum=["Observe", "Create", "*"])}
    rule = (
        "!('*' in self.managementPolicies || 'Create' in self.managementPolicies) || has(self.forProvider.region) || "
        "(has(self.initProvider) && has(self.initProvider.region))"
    )
    members = {"managementPolicies": policies, "forProvider": provider, "initProvider": provider}
    return {"type": "object", "properties": members, "x-kubernetes-validations": _rules(rule)}


def defined(spec: JSONObject) -> JSONObject:
    return samples.definition("things", "Thing", samples.version("v1", samples.schema(spec)), group="example.com")


@pytest.mark.parametrize("spec", [gateway(), pool(), composed()], ids=["gateway", "pool", "composed"])
def test_they_compile_within_the_budget(spec: JSONObject) -> None:
    assert problems(defined(spec)) == []


HTTP = {"name": "a", "port": 80, "protocol": "HTTP"}


@pytest.mark.parametrize(
    ("spec", "given", "broken"),
    [
        (gateway(), {"listeners": [HTTP], "path": {"type": "Exact", "value": "/a%20b"}}, []),
        (gateway(), {"listeners": [HTTP, {**HTTP, "name": "b"}]}, ["listeners: rule 3"]),
        (gateway(), {"listeners": [{**HTTP, "tls": {"mode": "Terminate", "certificateRefs": []}}]}, ["rule 0"] * 2),
        (gateway(), {"path": {"type": "Exact", "value": "a//b<"}}, ["path: rule 0", "path: rule 1", "path: rule 2"]),
        (pool(), {"requirements": [{"operator": "Gt", "values": ["5"]}], "labels": {"a.io/x": "y"}}, []),
        (pool(), {"requirements": [{"operator": "Gt", "values": ["x"]}]}, ["requirements: strconv.ParseInt"]),
        (pool(), {"labels": {"example.com/other": "y"}, "budget": "101%"}, ["rule 1", "labels: rule 0"]),
        (composed(), {"managementPolicies": ["*"], "forProvider": {"size": "2Gi"}}, ["rule 0"]),
        (composed(), {"managementPolicies": ["Observe"], "forProvider": {"size": "1Mi"}}, ["forProvider: rule 0"]),
    ],
)
def test_they_hold_or_say_what_is_broken(spec: JSONObject, given: JSONObject, broken: list[str]) -> None:
    root = build(spec)
    assert root is not None
    run = Evaluation()
    run.run(root, given, None)
    told = [f"{error.field}: {error.detail}" for error in run.errors]
    assert len(told) == len(broken), told
    for expected, text in zip(broken, told, strict=True):
        assert expected in text
