"""Webhook configurations that point to a webhook of the test, and what that answers."""

import base64
from collections.abc import Callable
from typing import Any

import orjson

from generic.client.rest import Client
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from tests.integration.extensions.webhooks import Webhook

GROUP_VERSION = "admissionregistration.k8s.io/v1"
MUTATING = GroupVersionResource("admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations")
VALIDATING = GroupVersionResource("admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations")
CONFIG_MAPS = GroupVersionResource("", "v1", "configmaps")

_KINDS = {MUTATING: "MutatingWebhookConfiguration", VALIDATING: "ValidatingWebhookConfiguration"}


def rule(resource: str = "configmaps", group: str = "", version: str = "v1", *operations: str) -> JSONObject:
    """A rule for one resource, and for creations unless others are named."""
    return {
        "operations": list(operations or ("CREATE",)),
        "apiGroups": [group],
        "apiVersions": [version],
        "resources": [resource],
    }


def hook(to: Webhook, name: str = "a.example.com", **fields: Any) -> JSONObject:
    """A webhook without side effects that wants to see new config maps."""
    return {
        "name": name,
        "clientConfig": to.client_config(),
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "rules": [rule()],
        # The controllers of the server write config maps, too.
        "objectSelector": {"matchLabels": {"from": "test"}},
        **fields,
    }


def configuration(kind: GroupVersionResource, *webhooks: JSONObject) -> JSONObject:
    """A configuration called test."""
    body: JSONObject = {"apiVersion": GROUP_VERSION, "kind": _KINDS[kind], "metadata": {"name": "test"}}
    return {**body, "webhooks": list(webhooks)}


async def register(client: Client, kind: GroupVersionResource, *webhooks: JSONObject) -> None:
    """Make a configuration called test."""
    await client.create(kind, configuration(kind, *webhooks))


Say = Callable[[JSONObject], JSONObject]
"""From the request of a review to the response, what is always in it aside."""


def always(response: JSONObject) -> Say:
    return lambda _: response


class Answers:
    """What the webhook says: yes, unless a test says otherwise."""

    def __init__(self) -> None:
        self.say: Say = lambda request: {}

    async def __call__(self, review: JSONObject) -> JSONObject:
        request = review["request"]
        response = {"uid": request["uid"], "allowed": True, **self.say(request)}
        return {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}


def patch(*operations: JSONObject) -> JSONObject:
    """A response that changes the object."""
    return {"patchType": "JSONPatch", "patch": base64.b64encode(orjson.dumps(operations)).decode()}


def labelled(key: str, value: str = "yes") -> JSONObject:
    """A response that adds a label to what has some."""
    return patch({"op": "add", "path": f"/metadata/labels/{key}", "value": value})


def config_map(name: str = "one", **metadata: Any) -> JSONObject:
    made = {"name": name, "labels": {"from": "test"}, **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": made, "data": {"a": "1"}}
