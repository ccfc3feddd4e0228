"""Many clients at one object at the same moment: one of them wins, nobody's change is lost, nothing stays behind."""

import asyncio
from collections import Counter
from collections.abc import Awaitable

import httpx
import pytest

from generic.types import JSONObject
from tests.integration.robustness.refusals import MERGE
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

CONFIG_MAPS = "/api/v1/namespaces/kube-public/configmaps"
CLIENTS = 24


async def outcomes(*requests: Awaitable[httpx.Response]) -> Counter[int]:
    """How often each status code was answered."""
    answers = await asyncio.gather(*requests)
    return Counter(answer.status_code for answer in answers)


async def test_of_equal_creations_one_succeeds(control_plane: Running) -> None:
    body = {"metadata": {"name": "once"}}
    said = await outcomes(*(control_plane.http.post(CONFIG_MAPS, json=body) for _ in range(CLIENTS)))
    assert said == {201: 1, 409: CLIENTS - 1}


async def test_of_updates_from_one_version_one_succeeds(control_plane: Running) -> None:
    made = await control_plane.create(CONFIG_MAPS, {"metadata": {"name": "version"}})
    path = f"{CONFIG_MAPS}/version"
    said = await outcomes(*(control_plane.http.put(path, json={**made, "data": {"n": f"{n}"}}) for n in range(CLIENTS)))
    assert said == {200: 1, 409: CLIENTS - 1}


async def test_patches_without_a_version_all_count(control_plane: Running) -> None:
    await control_plane.create(CONFIG_MAPS, {"metadata": {"name": "all"}})
    path = f"{CONFIG_MAPS}/all"

    def patch(number: int) -> Awaitable[httpx.Response]:
        body = b'{"data":{"n%d":"%d"}}' % (number, number)
        return control_plane.http.patch(path, content=body, headers={"content-type": MERGE})

    assert await outcomes(*(patch(number) for number in range(CLIENTS))) == {200: CLIENTS}
    found = (await control_plane.http.get(path)).json()
    assert found["data"] == {f"n{number}": f"{number}" for number in range(CLIENTS)}


async def test_of_deletions_one_succeeds(control_plane: Running) -> None:
    await control_plane.create(CONFIG_MAPS, {"metadata": {"name": "gone"}})
    path = f"{CONFIG_MAPS}/gone"
    assert await outcomes(*(control_plane.http.delete(path) for _ in range(CLIENTS))) == {200: 1, 404: CLIENTS - 1}


async def test_deletions_of_a_collection_do_not_mind_what_is_gone_already(control_plane: Running) -> None:
    for number in range(CLIENTS):
        await control_plane.create(
            CONFIG_MAPS, {"metadata": {"name": f"together-{number}", "labels": {"of": "together"}}}
        )
    selected = {"labelSelector": "of=together"}
    answers = await asyncio.gather(*(control_plane.http.delete(CONFIG_MAPS, params=selected) for _ in range(4)))
    for answer in answers:
        assert (answer.status_code, answer.json()["kind"]) == (200, "ConfigMapList"), answer.text
    # Who came first found all of them.
    assert max(len(answer.json()["items"]) for answer in answers) == CLIENTS
    assert (await control_plane.http.get(CONFIG_MAPS, params=selected)).json()["items"] == []


async def test_a_namespace_deleted_while_others_write_to_it_leaves_nothing(control_plane: Running) -> None:
    name = "contended"
    namespaces, path = "/api/v1/namespaces", f"/api/v1/namespaces/{name}/configmaps"
    await control_plane.create(namespaces, {"metadata": {"name": name}})
    answers: list[httpx.Response] = []
    gone = asyncio.Event()

    async def write(client: int) -> None:
        number = 0
        while not gone.is_set():
            number += 1
            body: JSONObject = {"metadata": {"name": f"c{client}-{number}"}}
            answers.append(await control_plane.http.post(path, json=body))

    writers = [asyncio.create_task(write(client)) for client in range(8)]
    await control_plane.until(path, 200, name="c0-3")
    assert (await control_plane.http.delete(f"{namespaces}/{name}")).is_success
    await control_plane.until(f"{namespaces}/{name}", 404)
    gone.set()
    await asyncio.gather(*writers)
    assert {answer.status_code for answer in answers} <= {201, 403, 404}
    assert 201 in {answer.status_code for answer in answers}
    for answer in answers:
        if answer.status_code == 403:
            causes = answer.json()["details"]["causes"]
            assert causes[0]["reason"] == "NamespaceTerminating"
    assert (await control_plane.http.get(path)).json()["items"] == []
