"""The same patches through kubectl's own code (`kubectl patch --local`): it must come to the same objects.

Kubernetes' patch libraries are compiled into kubectl, so this compares with the real thing, no server needed.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generic.patching import json_patch, merge_patch, strategic
from tests.unit.patching.test_strategic import schema

KUBECTL = Path(sys.executable).parent / "kubectl"

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "x", "labels": {"a": "b"}, "finalizers": ["a.b/c", "d.e/f", "g.h/i"]},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "b"}},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {
                "volumes": [{"name": "v", "hostPath": {"path": "/x"}}, {"name": "w", "hostPath": {"path": "/y"}}],
                "tolerations": [{"key": "k", "operator": "Exists"}],
                "containers": [
                    {
                        "name": "a",
                        "image": "a:1",
                        "args": ["1", "2"],
                        "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}],
                        "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 443, "protocol": "TCP"}],
                    },
                    {"name": "s", "image": "s:1"},
                    {"name": "b", "image": "b:1"},
                ],
            },
        },
    },
}


def pod(**members: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": members}}}


STRATEGIC: dict[str, dict[str, Any]] = {
    "a change and a new container": pod(containers=[{"name": "b", "image": "b:2"}, {"name": "n", "image": "n:1"}]),
    "an ordered list with nested lists": pod(**{
        "$setElementOrder/containers": [{"name": "b"}, {"name": "n"}, {"name": "a"}],
        "containers": [
            {"name": "n", "image": "n:1"},
            {
                "name": "a",
                "$setElementOrder/env": [{"name": "Y"}, {"name": "Z"}],
                "env": [{"name": "Z", "value": "3"}, {"name": "X", "$patch": "delete"}],
            },
        ],
    }),
    "a container renamed by apply": pod(**{
        "$setElementOrder/containers": [{"name": "a"}, {"name": "new"}],
        "containers": [{"name": "new", "image": "b:1"}, {"name": "a", "$patch": "delete"}],
    }),
    "finalizers deleted and added in order": {
        "metadata": {
            "$deleteFromPrimitiveList/finalizers": ["d.e/f"],
            "$setElementOrder/finalizers": ["g.h/i", "z.z/z"],
            "finalizers": ["z.z/z"],
        }
    },
    "finalizers as a set": {"metadata": {"finalizers": ["q.q/q", "a.b/c"]}},
    "a union switched": {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    "a union switched in a list": pod(
        volumes=[{"name": "v", "$retainKeys": ["name", "nfs"], "nfs": {"path": "/", "server": "s"}}]
    ),
    "a list replaced by directive": pod(volumes=[{"name": "n", "hostPath": {"path": "/n"}}, {"$patch": "replace"}]),
    "an atomic list": pod(tolerations=[{"key": "z", "operator": "Exists"}]),
    "ports by number": pod(
        containers=[
            {"name": "s", "$patch": "delete"},
            {"name": "a", "ports": [{"containerPort": 443, "name": "https"}, {"containerPort": 1}]},
        ]
    ),
    "nulls": pod(
        containers=[{"name": "a", "args": ["z"], "env": None}], nodeSelector={"x": "y", "z": None}, volumes=None
    ),
    "directives in what is new": pod(
        affinity={"$patch": "delete"},
        containers=[{"name": "z", "env": [{"name": "P", "value": "1"}], "command": None}],
    ),
    "a map replaced by directive": {"metadata": {"labels": {"$patch": "replace", "z": "z"}}},
}


def through_kubectl(tmp_path: Path, kind: str, patch: Any) -> Any:
    source = tmp_path / "object.json"
    source.write_text(json.dumps(DEPLOYMENT))
    command = [
        str(KUBECTL),
        "patch",
        "--local",
        "-f",
        str(source),
        "--type",
        kind,
        "-p",
        json.dumps(patch),
        "-o",
        "json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr.strip()


def plain(value: Any) -> Any:
    """Without what Go's types add or drop when they are written: nulls, empty and zero members."""
    if isinstance(value, dict):
        members = {key: plain(item) for key, item in value.items()}
        return {key: item for key, item in members.items() if item not in (None, {}, [])}
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("what", STRATEGIC)
def test_strategic_merge(tmp_path: Path, what: str) -> None:
    patch = STRATEGIC[what]
    ours = strategic.apply(DEPLOYMENT, patch, schema("apps.v1.Deployment"))
    assert plain(ours) == plain(through_kubectl(tmp_path, "strategic", patch))


def test_merge_patch(tmp_path: Path) -> None:
    patch = {"metadata": {"labels": {"a": None, "n": "1"}}, **pod(volumes=[{"name": "q", "hostPath": {"path": "/"}}])}
    assert plain(merge_patch.apply(DEPLOYMENT, patch)) == plain(through_kubectl(tmp_path, "merge", patch))


def test_json_patch(tmp_path: Path) -> None:
    containers = "/spec/template/spec/containers"
    patch = [
        {"op": "replace", "path": f"{containers}/-1/image", "value": "q"},
        {"op": "add", "path": f"{containers}/0/env/-1", "value": {"name": "L", "value": "1"}},
        {"op": "add", "path": f"{containers}/0/env/0", "value": {"name": "F", "value": "1"}},
        {"op": "copy", "from": "/metadata/labels/a", "path": "/metadata/labels/z~1y"},
        {"op": "move", "from": f"{containers}/0", "path": f"{containers}/2"},
        {"op": "test", "path": "/spec/paused", "value": None},
    ]
    assert plain(json_patch.apply(DEPLOYMENT, patch)) == plain(through_kubectl(tmp_path, "json", patch))


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/spec/nothing"},
        {"op": "test", "path": "/spec/replicas", "value": 2},
        {"op": "add", "path": "", "value": {}},
        {"op": "add", "path": "/spec/nothing/deeper", "value": 1},
    ],
)
def test_json_patch_refusals_have_the_same_words(tmp_path: Path, operation: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"missing value|test failed") as refusal:
        json_patch.apply(DEPLOYMENT, [operation])
    assert through_kubectl(tmp_path, "json", [operation]) == f"error: {refusal.value}"
