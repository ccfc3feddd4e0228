"""Definitions built like those of well-known projects: what is peculiar to each, at its size. Every word is our own.

Each comes with a spec it accepts and one it refuses. Used by `test_real_shapes.py`; `pod_template.py` makes the bulk.
"""

from dataclasses import dataclass
from typing import Any

from generic.types import JSONObject
from tests.unit.extensions import samples
from tests.unit.extensions.pod_template import pod_template
from tests.unit.extensions.samples import text

FREE: JSONObject = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@dataclass(frozen=True, slots=True)
class Shape:
    """`refused`: a spec that breaks it, and the fields its causes name (`<nil>` where Kubernetes loses it)."""

    definition: JSONObject
    spec: JSONObject
    refused: JSONObject
    causes: tuple[str, ...]

    @property
    def name(self) -> str:
        found: str = self.definition["metadata"]["name"]
        return found


def struct(*required: str, **members: Any) -> JSONObject:
    made: JSONObject = {"type": "object", "properties": members}
    return {**made, "required": list(required)} if required else made


def listed(items: JSONObject, **more: Any) -> JSONObject:
    return {"type": "array", "items": items, **more}


def keyed(items: JSONObject, *keys: str) -> JSONObject:
    return listed(items, **{"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)})


def conditions() -> JSONObject:
    one = struct(
        "type",
        "status",
        type=text(maxLength=316),
        status=text(enum=["True", "False", "Unknown"]),
        lastTransitionTime=text(format="date-time"),
        reason=text(),
        observedGeneration={"type": "integer", "format": "int64", "minimum": 0},
    )
    return struct(conditions=keyed(one, "type"))


def issuers() -> JSONObject:
    """As a certificate manager's: one of many ways, each a structure of its own, pods described in the middle."""
    secret = struct("name", name=text(), key=text())
    dns = {name: struct("tokenSecretRef", tokenSecretRef=secret, zone=text()) for name in ("red", "green", "blue")}
    http = struct(ingress=struct(className=text(), podTemplate=pod_template()))
    solver = struct(
        selector=struct(matchLabels={"type": "object", "additionalProperties": text()}), dns01=struct(**dns)
    )
    solver["properties"]["http01"] = http
    acme = struct("server", "privateKeySecretRef", server=text(), privateKeySecretRef=secret, solvers=listed(solver))
    spec = struct(acme=acme, ca=struct("secretName", secretName=text()), selfSigned=struct())
    columns = [{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type=='Ready')].status"}]
    only = samples.version(
        "v1", samples.schema(spec, status=conditions()), subresources={"status": {}}, additionalPrinterColumns=columns
    )
    made = samples.definition("issuers", "Issuer", only, group="certs.example.org")
    made["spec"]["names"] |= {"categories": ["certs"]}
    return made


def generated_applications(depth: int = 3) -> JSONObject:
    """As a deployer's: generators that hold generators, so the schema repeats itself as deep as it goes."""
    source = struct(
        "repoURL",
        repoURL=text(),
        helm=struct(
            values=text(), parameters=listed(struct(name=text(), value=text(), forceString={"type": "boolean"}))
        ),
        kustomize=struct(images=listed(text()), patches=listed(struct(patch=text(), target=struct(kind=text())))),
        directory=struct(recurse={"type": "boolean"}, jsonnet=struct(libs=listed(text()))),
    )
    destination = struct(server=text(), namespace=text(), name=text())
    template = struct(
        "metadata",
        "spec",
        metadata=struct(name=text(), labels={"type": "object", "additionalProperties": text()}),
        spec=struct("project", project=text(), source=source, sources=listed(source), destination=destination),
    )

    def generator(left: int) -> JSONObject:
        ways = {
            "list": struct(elements=listed({"x-kubernetes-preserve-unknown-fields": True}), template=template),
            "git": struct("repoURL", repoURL=text(), files=listed(struct("path", path=text())), template=template),
            "clusters": struct(values={"type": "object", "additionalProperties": text()}, template=template),
        }
        if left:
            inner = struct("generators", generators=listed(generator(left - 1)), template=template)
            ways |= {"matrix": inner, "merge": {**inner, "required": ["generators", "mergeKeys"]}}
            ways["merge"]["properties"] = {**inner["properties"], "mergeKeys": listed(text())}
        return struct(**ways)

    spec = struct("generators", "template", generators=listed(generator(depth)), template=template)
    only = samples.version("v1alpha1", samples.schema(spec, status=FREE), subresources={"status": {}})
    return samples.definition("appsets", "AppSet", only, group="deploys.example.org")


def servers() -> JSONObject:
    """As a monitoring operator's: whole pods and then some, scaled, in two versions that are alike."""
    members = {name: text() for name in ("version", "image", "retention", "logLevel", "externalUrl")}
    members["logLevel"] = text(enum=["", "debug", "info", "warn", "error"])
    members["retention"] = text(default="24h", pattern=r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?)$")
    write = struct("url", url=text(), queue=struct(capacity={"type": "integer", "minimum": 1}))
    spec = struct(
        **members,
        replicas={"type": "integer", "format": "int32"},
        template=pod_template(),
        remoteWrite=listed(write),
        shards={"type": "integer", "format": "int32", "default": 1},
    )
    status = struct(replicas={"type": "integer", "format": "int32"}, selector=text(), **conditions()["properties"])
    scale = {
        "specReplicasPath": ".spec.shards",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }
    versions = [
        samples.version(
            name,
            samples.schema(spec, status=status),
            storage=name == "v1",
            subresources={"status": {}, "scale": scale},
        )
        for name in ("v1", "v1beta1")
    ]
    return samples.definition("servers", "Server", *versions, group="monitoring.example.org")


def routes() -> JSONObject:
    """As a gateway's: bounded lists with keys, defaults at every level, rules in CEL wherever they fit."""
    parent = struct(
        "name",
        group=text(default="gateways.example.org", maxLength=253),
        kind=text(default="Gateway", maxLength=63),
        name=text(minLength=1, maxLength=253),
        port={"type": "integer", "format": "int32", "minimum": 1, "maximum": 65535},
    )
    unique = {"rule": "self.all(a, self.exists_one(b, a.name == b.name))", "message": "parents must be unique"}
    path = struct(
        type=text(default="PathPrefix", enum=["Exact", "PathPrefix"]), value=text(default="/", maxLength=1024)
    )
    path["x-kubernetes-validations"] = [{"rule": "self.value.startsWith('/')", "message": "must be absolute"}]
    match = struct(path={**path, "default": {"type": "PathPrefix", "value": "/"}}, method=text(enum=["GET", "POST"]))
    backend = struct("name", name=text(maxLength=253), weight={"type": "integer", "default": 1, "minimum": 0})
    rule = struct(
        matches=listed(match, maxItems=8, default=[{"path": {"type": "PathPrefix", "value": "/"}}]),
        backends=listed(backend, maxItems=16),
    )
    spec = struct(
        parents=listed(parent, maxItems=32, **{"x-kubernetes-validations": [unique]}),
        hostnames=listed(text(maxLength=253, pattern=r"^(\*\.)?[a-z0-9]+(\.[a-z0-9]+)*$"), maxItems=16),
        rules=listed(rule, maxItems=16, default=[{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}]}]),
    )
    versions = [
        samples.version(
            name, samples.schema(spec, status=conditions()), storage=name == "v1", subresources={"status": {}}
        )
        for name in ("v1", "v1beta1")
    ]
    made = samples.definition("routes", "Route", *versions, group="gateways.example.org")
    made["metadata"]["annotations"] = {"gateways.example.org/channel": "standard"}
    return made


def compositions() -> JSONObject:
    """As a composer's: other people's objects inside, connection secrets, cluster scope, an immutable reference."""
    fixed = [{"rule": "self == oldSelf", "message": "Value is immutable"}]
    reference = struct("apiVersion", "kind", apiVersion=text(maxLength=100), kind=text(maxLength=63))
    reference["x-kubernetes-validations"] = fixed
    step = struct(
        "step",
        "functionRef",
        step=text(),
        functionRef=struct("name", name=text()),
        input={"type": "object", "x-kubernetes-preserve-unknown-fields": True, "x-kubernetes-embedded-resource": True},
    )
    pipeline = {**keyed(step, "step"), "minItems": 1, "maxItems": 99}
    spec = struct(
        "compositeTypeRef",
        compositeTypeRef=reference,
        mode=text(default="Pipeline", enum=["Pipeline"]),
        pipeline=pipeline,
        writeConnectionSecretsToNamespace=text(),
    )
    only = samples.version("v1", samples.schema(spec))
    made = samples.definition("compositions", "Composition", only, group="composed.example.org", scope="Cluster")
    made["spec"]["names"] |= {"categories": ["composed"], "shortNames": ["comp"]}
    return made


def virtual_services() -> JSONObject:
    """As a mesh's: exactly one of several, told by `oneOf` over `not anyOf required`; numbers of every format."""
    kinds = ("exact", "prefix", "regex")
    match = {
        **struct(**{kind: text() for kind in kinds}),
        "oneOf": [
            {"not": {"anyOf": [{"required": [kind]} for kind in kinds]}},
            *({"required": [kind]} for kind in kinds),
        ],
    }
    ports = {"type": "integer", "maximum": 4294967295, "minimum": 0}
    target = struct("host", host=text(), port=struct(number=ports), subset=text())
    route = struct("destination", destination=target, weight={"type": "integer", "format": "int32"}, headers=FREE)
    http = struct(
        match=listed(struct(uri=match, headers={"type": "object", "additionalProperties": match})),
        route=listed(route),
        timeout=text(**{"x-kubernetes-validations": [{"rule": "duration(self) >= duration('1ms')"}]}, maxLength=32),
        fault=struct(percentage=struct(value={"type": "number", "format": "double"})),
    )
    spec = struct(hosts=listed(text()), gateways=listed(text()), http=listed(http))
    versions = [
        samples.version(name, samples.schema(spec, status=FREE), storage=name == "v1", subresources={"status": {}})
        for name in ("v1", "v1beta1", "v1alpha3")
    ]
    return samples.definition("virtualservices", "VirtualService", *versions, group="mesh.example.org")


def shapes() -> list[Shape]:
    """All of them."""
    container = {"name": "a", "image": "b", "ports": [{"containerPort": 80}], "resources": {"limits": {"cpu": "1"}}}
    template = {"spec": {"containers": [container]}}
    twice = {"spec": {"containers": [container, {**container, "image": 5}]}}
    app = {"metadata": {"name": "a"}, "spec": {"project": "p", "source": {"repoURL": "r"}}}
    step = {"step": "one", "functionRef": {"name": "f"}, "input": {"apiVersion": "v1", "kind": "Input", "any": 1}}
    kind = {"apiVersion": "v1", "kind": "X"}
    host = {"route": [{"destination": {"host": "a", "port": {"number": 80}}}], "timeout": "5s"}
    return [
        Shape(
            issuers(),
            {"acme": {"server": "s", "privateKeySecretRef": {"name": "k"}, "solvers": [{"dns01": {}}]}},
            {"acme": {"server": "s", "solvers": [{"dns01": {"red": {}}}]}, "ca": {}},
            ("spec.acme.privateKeySecretRef", "spec.acme.solvers[0].dns01.red.tokenSecretRef", "spec.ca.secretName"),
        ),
        Shape(
            generated_applications(),
            {
                "generators": [{"matrix": {"generators": [{"list": {"elements": [{"any": {"thing": 1}}]}}]}}],
                "template": app,
            },
            {"generators": [{"merge": {"generators": [{"git": {}}]}}]},
            (
                "spec.generators[0].merge.generators[0].git.repoURL",
                "spec.generators[0].merge.mergeKeys",
                "spec.template",
            ),
        ),
        Shape(
            servers(),
            {"template": template, "remoteWrite": [{"url": "u"}]},
            {"template": twice, "logLevel": "loud", "retention": "long"},
            (
                "spec.logLevel",
                "spec.retention",
                "spec.template.spec.containers[1]",
                "spec.template.spec.containers[1].image",
            ),
        ),
        Shape(
            routes(),
            {"parents": [{"name": "a"}], "hostnames": ["*.a.b"]},
            {"parents": [{"name": "a"}, {"name": "a"}], "rules": [{"matches": [{"path": {"value": "x"}}]}]},
            ("spec.parents", "spec.rules[0].matches[0].path"),
        ),
        Shape(
            compositions(),
            {"compositeTypeRef": kind, "pipeline": [step]},
            {"compositeTypeRef": kind, "mode": "Other", "pipeline": [step, {**step, "input": {"any": 1}}]},
            ("spec.mode", "spec.pipeline[1]", "spec.pipeline[1].input.apiVersion", "spec.pipeline[1].input.kind"),
        ),
        Shape(
            virtual_services(),
            {"hosts": ["a"], "http": [{**host, "match": [{"uri": {"prefix": "/"}}]}]},
            {"http": [{**host, "timeout": "0s", "match": [{"uri": {"prefix": "/", "exact": "/"}}]}]},
            ("<nil>", "spec.http[0].timeout"),
        ),
    ]
