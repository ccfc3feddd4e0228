"""Whatever clients send, they get a 4xx or what they asked for."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from generic.types import JSONObject
from tests.unit.extensions import samples
from tests.unit.extensions.harness import CRDS, Tier

pytestmark = pytest.mark.anyio

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CERTIFICATES = "/apis/certs.example.com/v1/namespaces/default/certificates"
GAUGES = "/apis/monitoring.example.com/v1/namespaces/default/gauges"
ODD: list[Any] = [None, 5, -1, 1.5, True, "", "x", [], {}, [None], [5], {"a": 1}, {"a": None}, ["x", "x"]]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    for key, inside in (
        value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    ):
        yield from places(inside, (*path, key))


def spoiled(obj: JSONObject, chance: random.Random) -> JSONObject:
    """The object with something in it replaced by something odd."""
    made = copy.deepcopy(obj)
    *way, last = chance.choice(list(places(made)))
    target: Any = made
    for key in way:
        target = target[key]
    target[last] = copy.deepcopy(chance.choice(ODD))
    return made


@pytest.mark.parametrize("seed", range(4))
async def test_odd_objects_never_break_the_server(tier: Tier, seed: int) -> None:
    chance = random.Random(seed)
    await tier.define(samples.certificates())
    await tier.define(samples.gauges())
    base = await tier.client.create(samples.CERTIFICATES, samples.certificate())
    await tier.client.create(samples.GAUGES, samples.gauge())
    scale = await tier.client.get(samples.GAUGES, "main", "default", subresource="scale")
    template = {"apiVersion": "v1", "kind": "Pod", "metadata": {"labels": {"a": "b"}}}
    for number in range(40):
        for method, path, obj in (
            ("POST", CERTIFICATES, samples.certificate(f"c{number}", dnsNames=["a"], usages=["signing"])),
            ("PUT", f"{CERTIFICATES}/web", base),
            ("PUT", f"{CERTIFICATES}/web/status", {**base, "status": {"conditions": [{"type": "a"}]}}),
            ("POST", GAUGES, samples.gauge(f"g{number}", port="x", template=template)),
            ("PUT", f"{GAUGES}/main/scale", scale),
            ("POST", f"{DEFINITIONS}?dryRun=All", samples.widgets(strategy=chance.choice(["None", "Webhook"]))),
        ):
            sent = spoiled(obj, chance)
            reply = await tier.request(method, path, sent)
            assert reply.status < 500, (method, path, sent, reply.body)


@pytest.mark.parametrize("seed", range(2))
async def test_odd_definitions_that_are_accepted_can_be_served_and_deleted(tier: Tier, seed: int) -> None:
    chance = random.Random(seed)
    accepted = 0
    while accepted < 10:
        sent = spoiled(chance.choice([samples.certificates(), samples.gauges(), samples.widgets()]), chance)
        reply = await tier.request("POST", DEFINITIONS, sent)
        assert reply.status in {201, 400, 422}, (sent, reply.body)
        if reply.status != 201:
            continue
        accepted += 1
        made = await tier.until_condition(reply.json()["metadata"]["name"], "Established", "True")
        for version in made["spec"]["versions"]:
            if version["served"]:
                path = f"/apis/{made['spec']['group']}/{version['name']}/{made['spec']['names']['plural']}"
                assert (await tier.request("GET", path)).status == 200
        await tier.client.delete(CRDS, made["metadata"]["name"])
        await tier.until_gone(f"{DEFINITIONS}/{made['metadata']['name']}")
