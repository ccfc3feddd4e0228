"""What kube-apiserver 1.37 answered to good and to spoiled objects of every built-in kind is what we answer.

`real/*.json` was recorded from it by `python -m tools.real.differ FOLDER record` (tools/real/README.md).
"""

import copy
import json
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from generic.types import Message
from tests.support import asgi
from tests.support.kubeapi import Plane

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parent / "real"
NAMESPACE = "differ"
_VOLATILE = {"uid": "UID", "creationTimestamp": "TIME", "resourceVersion": "RV", "clusterIP": "IP"}
_TEXTS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
)


async def post(plane: Plane, path: str, body: Any) -> asgi.Response:
    scope = asgi.scope(path, method="POST", headers={"authorization": f"Bearer {plane.token}", "user-agent": ""})
    response = asgi.Response()

    async def receive() -> Message:
        return {"type": "http.request", "body": orjson.dumps(body)}

    await plane.app(scope, receive, response.send)
    return response


async def make_namespace(plane: Plane) -> None:
    await post(plane, "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    accounts = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts"
    assert (await post(plane, accounts, {"metadata": {"name": "default"}})).status == 201


def spoiled(obj: dict[str, Any], case: dict[str, Any]) -> Any:
    made = copy.deepcopy(obj)
    holder: Any = made
    *way, last = case["path"]
    for step in way:
        holder = holder[step]
    if case.get("removed"):
        del holder[last]
    else:
        holder[last] = case["value"]
    return made


def cleaned(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: cleaned(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [cleaned(inner) for inner in value]
    if isinstance(value, str):
        if key in _VOLATILE and value not in ("", "None"):
            return _VOLATILE[key]
        for pattern, word in _TEXTS:
            value = pattern.sub(word, value)
    return value


def entries(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())
    return found


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
async def test_spoiled_objects_are_refused_in_the_words_of_the_real_server(plane: Plane, file: Path) -> None:
    await make_namespace(plane)
    wrong = []
    for entry in entries(file):
        for case in entry["cases"]:
            if "message" in case:
                answer = (await post(plane, f"{entry['path']}?dryRun=All", spoiled(entry["object"], case))).json()
                if answer.get("message") != case["message"]:
                    wrong.append(f"{case['what']}\n  real: {case['message']}\n  ours: {answer.get('message')}")
    assert wrong == []


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.json")), ids=lambda file: file.stem)
async def test_good_objects_get_the_defaults_of_the_real_server(plane: Plane, file: Path) -> None:
    await make_namespace(plane)
    for entry in entries(file):
        for case in entry["cases"]:
            if "stored" in case:
                answer = await post(plane, f"{entry['path']}?dryRun=All", entry["object"])
                assert cleaned(answer.json()) == case["stored"]
