"""Webhooks of the main server see what is written to an aggregated server, too."""

import asyncio
from pathlib import Path

import httpx
import pytest

from examples.podlogs.__main__ import SERVER, Program
from generic.client.rest import path_of
from generic.types import JSONObject
from tests.integration.aa.harness import running
from tests.integration.aa.test_aggregated import PATH, VERSION, register
from tests.integration.admission import hooks
from tests.integration.admission.hooks import MUTATING, VALIDATING, Answers, hook
from tests.integration.extensions import webhooks
from tests.support import plane

pytestmark = pytest.mark.anyio

PROGRAM: JSONObject = {"apiVersion": str(VERSION), "kind": Program.definition.gvk.kind, "spec": {"lines": ["a"]}}


async def test_webhooks_see_change_and_refuse_the_objects_of_an_aggregated_server(tmp_path: Path) -> None:
    answers, rule = Answers(), hooks.rule("programs", VERSION.group, VERSION.version)
    answers.say = hooks.always(hooks.patch({"op": "add", "path": "/spec/lines/-", "value": "b"}))
    async with plane.running(tmp_path / "plane") as main, webhooks.webhook(tmp_path, answers) as webhook:
        asked = hook(webhook, rules=[rule], objectSelector={})
        await main.create(path_of(MUTATING), hooks.configuration(MUTATING, asked))
        behind = {"standalone": False, "kubeconfig": main.options.kubeconfig}
        async with running(SERVER, tmp_path / "aa", **behind) as served:
            await register(main, served.listening.port, (tmp_path / "aa" / "certs" / "ca.crt").read_bytes())
            made = await main.create(PATH, {**PROGRAM, "metadata": {"name": "p"}})
            assert made["spec"]["lines"] == ["a", "b"]
            assert webhook.asked[0]["request"]["requestKind"]["kind"] == "Program"

            await main.create(path_of(VALIDATING), hooks.configuration(VALIDATING, asked))
            await main.http.delete(path_of(MUTATING, name="test"))
            answers.say = hooks.always({"allowed": False, "status": {"code": 403, "message": "no"}})
            refused = await _until_refused(main)
            denied = 'admission webhook "a.example.com" denied the request: no'
            assert refused.json()["message"] == denied


async def _until_refused(main: plane.Running) -> httpx.Response:
    """The server hears of configurations a moment later."""
    async with asyncio.timeout(20):
        while True:
            answer = await main.http.post(PATH, json={**PROGRAM, "metadata": {"generateName": "q-"}})
            if answer.status_code >= 400:
                return answer
