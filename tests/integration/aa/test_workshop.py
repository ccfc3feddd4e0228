"""examples/workshop: strategy, storage, handlers, hooks and flags of an author's own."""

import contextlib
import os
from pathlib import Path

import pytest

from examples.workshop import __main__ as workshop
from examples.workshop.__main__ import Gauge, Press, Reservation
from generic.client.kubeconfig import ClientConfig
from generic.client.rest import Client
from generic.meta.errors import StatusError
from generic.types import JSONObject
from tests.integration.aa.harness import running
from tests.support import plane
from trikube import aa

pytestmark = pytest.mark.anyio

PRESSES, RESERVATIONS = Press.definition.gvr, Reservation.definition.gvr


def make(cls: type[aa.Resource], name: str, **members: object) -> JSONObject:
    gvk = cls.definition.gvk
    metadata = {"name": name, "namespace": "default"}
    return {"apiVersion": gvk.api_version, "kind": gvk.kind, "metadata": metadata, **members}


async def test_a_press_is_scaled_and_found_by_its_field(tmp_path: Path) -> None:
    async with running(workshop.server(), tmp_path) as served:
        await served.client.create(PRESSES, make(Press, "big", spec={"paper": "A0"}))
        patch = {"spec": {"replicas": 3}}
        scale = await served.client.patch(PRESSES, "big", patch, namespace="default", subresource="scale")
        a0, a4 = [await served.client.list(PRESSES, field_selector=f"spec.paper={p}") for p in ("A0", "A4")]
        resources = (await served.client.request("GET", "/apis/workshop.demo.io/v1")).json()["resources"]
    assert (scale["kind"], scale["spec"]) == ("Scale", {"replicas": 3})
    assert (len(a0["items"]), a4["items"]) == (1, [])
    categories = {each["name"]: each.get("categories") for each in resources}
    assert categories["presses"] == categories["reservations"] == ["machines"]


async def test_a_strategy_of_ones_own_refuses_and_lets_objects_vanish(tmp_path: Path) -> None:
    async with running(workshop.server(), tmp_path) as served:
        wrong = make(Reservation, "r", press="big", seconds=0)
        with pytest.raises(StatusError, match="seconds: Invalid value: 0: must be positive"):
            await served.client.create(RESERVATIONS, wrong)
        made = await served.client.create(RESERVATIONS, make(Reservation, "r", press="big"))
        with pytest.raises(StatusError, match="press: Forbidden: may not be changed"):
            await served.client.update(RESERVATIONS, {**made, "press": "small"})
        await served.client.create(RESERVATIONS, make(Reservation, "short", press="big", seconds=1))
        async with served.client.watch(RESERVATIONS, "default") as events:
            async for kind, obj in events:
                if (kind, obj["metadata"].get("name")) == ("DELETED", "short"):
                    break
    assert (tmp_path / "reservations.db").is_file()


async def test_storage_of_ones_own_has_the_verbs_of_its_methods(tmp_path: Path) -> None:
    gauges = Gauge.definition.gvr
    async with running(workshop.server(), tmp_path) as served:
        assert (await served.client.get(gauges, "pid"))["value"] == os.getpid()
        assert len((await served.client.list(gauges))["items"]) == 2
        with pytest.raises(StatusError, match=r'gauges\.workshop\.demo\.io "heat" not found'):
            await served.client.get(gauges, "heat")
        with pytest.raises(StatusError) as raised:
            await served.client.create(gauges, {**make(Gauge, "x"), "metadata": {"name": "x"}})
    assert raised.value.code == 405


async def test_hooks_open_the_door_and_the_handler_answers_any_method(tmp_path: Path) -> None:
    async with running(workshop.server(), tmp_path) as served:
        assert (await served.client.request("GET", "/readyz/door", check=False)).status in (200, 500)
        answers = set[bytes]()
        while b"GET: come in\n" not in answers:
            answers.add((await served.client.request("GET", "/bell")).body)
        assert (await served.client.request("DELETE", "/bell")).body == b"DELETE: come in\n"
        assert (await served.client.request("GET", "/healthz/door")).body == b"ok"


def test_flags_of_ones_own_change_the_options() -> None:
    given = workshop.server().parse(["--standalone-debug-mode", "--quick"])
    assert (given.extra.quick, workshop.options(given).shutdown_drain) == (True, 0.0)


async def test_a_plugin_asks_what_the_main_server_has(tmp_path: Path) -> None:
    async with plane.running(tmp_path / "plane") as main:
        behind = {"standalone": False, "kubeconfig": main.options.kubeconfig}
        async with running(workshop.server(), tmp_path / "workshop", **behind) as served:
            leaf = main.plane.pki.cluster.issue_client("alice", ("system:masters",))
            ca = (tmp_path / "workshop" / "certs" / "ca.crt").read_bytes()
            client = Client.connect(ClientConfig(served.listening.url, ca, leaf.cert, leaf.key))
            async with contextlib.aclosing(client):
                # A moment after it is created the informer knows of the permit.
                refused = [await _created(client, "big")]
                await main.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "permit"}})
                while refused[-1]:
                    refused.append(await _created(client, "big"))
    assert "there is no ConfigMap permit in its namespace" in refused[0]


async def _created(client: Client, name: str) -> str:
    """Empty, or why it is not."""
    try:
        await client.create(PRESSES, make(Press, name))
    except StatusError as error:
        return error.message
    return ""
