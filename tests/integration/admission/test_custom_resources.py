"""Webhooks and custom resources: shown in the version a rule asks for, pruned and defaulted when changed."""

from pathlib import Path

import pytest

from generic.client.rest import path_of
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.integration.admission import hooks
from tests.integration.admission.hooks import MUTATING, VALIDATING, Answers, hook, rule
from tests.integration.extensions import webhooks
from tests.support import plane

pytestmark = pytest.mark.anyio

GROUP = "shop.example.com"
DEFINITIONS = GroupVersionResource("apiextensions.k8s.io", "v1", "customresourcedefinitions")
ITEMS = GroupVersionResource(GROUP, "v2", "items")


def _version(name: str, *, storage: bool) -> JSONObject:
    spec = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string", "default": "given"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    return {"name": name, "served": True, "storage": storage, "schema": schema}


def _definition() -> JSONObject:
    names = {"plural": "items", "singular": "item", "kind": "Item", "listKind": "ItemList"}
    versions = [_version("v1", storage=True), _version("v2", storage=False)]
    spec = {"group": GROUP, "scope": "Namespaced", "names": names, "versions": versions}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"items.{GROUP}"},
        "spec": spec,
    }


async def test_custom_resources_are_shown_converted_and_changed_as_their_schema_allows(tmp_path: Path) -> None:
    answers, path = Answers(), path_of(ITEMS, "default")
    async with plane.running(tmp_path / "plane") as main, webhooks.webhook(tmp_path, answers) as webhook:
        await main.create(path_of(DEFINITIONS), _definition())
        await main.until(f"/apis/{GROUP}/v2")
        asked = hook(webhook, rules=[rule("items", GROUP, "v1")], objectSelector={})
        await main.create(path_of(MUTATING), hooks.configuration(MUTATING, asked))
        changes = ({"op": "remove", "path": "/spec/b"}, {"op": "add", "path": "/spec/unheard", "value": "of"})
        answers.say = hooks.always({**hooks.patch(*changes), "warnings": ["careful"]})
        item = {"apiVersion": f"{GROUP}/v2", "kind": "Item", "metadata": {"name": "one"}, "spec": {"a": "x", "b": "y"}}
        made = await main.http.post(path, json=item)

        request = webhook.asked[0]["request"]
        assert (request["object"]["apiVersion"], request["requestKind"]["version"]) == (f"{GROUP}/v1", "v2")
        assert (made.json()["apiVersion"], made.json()["spec"]) == (f"{GROUP}/v2", {"a": "x", "b": "given"})
        assert made.headers["warning"] == '299 - "careful"'

        answers.say = hooks.always({"allowed": False})
        await main.create(path_of(VALIDATING), hooks.configuration(VALIDATING, {**asked, "matchPolicy": "Exact"}))
        await main.http.delete(path_of(MUTATING, name="test"))
        await main.create(path, {**item, "metadata": {"name": "two"}})
        older = path.replace("/v2/", "/v1/")
        refused = await main.http.post(older, json={**item, "apiVersion": f"{GROUP}/v1", "metadata": {"name": "three"}})
        assert refused.status_code == 400
        assert "denied the request without explanation" in refused.json()["message"]
