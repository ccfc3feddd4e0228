"""kopf's tutorial, step by step: an operator that knows nothing of trikube runs under `kopf run`."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from generic.types import JSONObject
from tests.e2e import claims_operator
from tests.support.cluster import CORE, Cluster
from tests.unit.extensions import samples
from trikube.background.process import Process, eventually

GROUP = claims_operator.GROUP
PARENTS = f"/apis/{GROUP}/v1/namespaces/default/shortlivedclaims"
CHILDREN = f"{CORE}/persistentvolumeclaims"


def claims() -> JSONObject:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = samples.schema({"type": "object", "properties": {"size": samples.text()}}, status=free)
    made = samples.definition("shortlivedclaims", "ShortLivedClaim", samples.version("v1", schema), group=GROUP)
    made["spec"]["names"]["shortNames"] = ["slc"]
    return made


def claim(name: str, **spec: str) -> JSONObject:
    return {"apiVersion": f"{GROUP}/v1", "kind": "ShortLivedClaim", "metadata": {"name": name}, "spec": spec}


GROWING: JSONObject = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {"name": "growing", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
    "provisioner": "example.com/disks",
    "allowVolumeExpansion": True,
}


@pytest.fixture(scope="module")
def operated(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster.apply(GROWING)
    cluster.apply(claims())
    cluster.ok("wait", "--for=condition=Established", "--timeout=10s", f"crd/shortlivedclaims.{GROUP}")
    program = Process(
        "kopf",
        [sys.executable, "-m", "kopf", "run", "--standalone", "-n", "default", str(claims_operator.__file__)],
        log=tmp_path_factory.mktemp("kopf") / "log",
        env={"KUBECONFIG": str(cluster.process.folder / "admin.kubeconfig"), "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        program.start(until="Initial authentication has finished")
        yield cluster
    finally:
        program.stop()
    assert "Traceback" not in Path(program.log).read_text()


def until(cluster: Cluster, path: str, holds: Callable[[JSONObject], bool]) -> JSONObject:
    """The object, once that holds of it."""
    found: JSONObject = {}

    def look() -> bool:
        nonlocal found
        done = cluster.kubectl.run("get", "--raw", path)
        found = json.loads(done.out) if done.code == 0 else {}
        return bool(found) and holds(found)

    assert eventually(look, 15), f"{path}: {found}"
    return found


def test_the_child_is_made_grows_is_labelled_and_goes_with_its_parent(operated: Cluster) -> None:
    operated.apply(claim("mine", size="1G"))
    parent = until(operated, f"{PARENTS}/mine", lambda found: "create" in found.get("status", {}))
    assert parent["status"]["create"] == {"claim": "mine"}
    child = operated.read(f"{CHILDREN}/mine")
    (owner,) = child["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"], owner["controller"]) == ("ShortLivedClaim", parent["metadata"]["uid"], True)
    assert child["spec"]["resources"]["requests"]["storage"] == "1G"

    # A cluster's volume controller would have bound it, and only a bound claim may grow.
    bound = '{"status":{"phase":"Bound","capacity":{"storage":"1G"}}}'
    operated.ok("patch", "pvc/mine", "--subresource=status", "--type=merge", "-p", bound)
    operated.apply(claim("mine", size="2G"))
    until(operated, f"{CHILDREN}/mine", lambda found: found["spec"]["resources"]["requests"]["storage"] == "2G")

    operated.ok("label", "slc/mine", "app=shop")
    until(operated, f"{CHILDREN}/mine", lambda found: found["metadata"].get("labels") == {"app": "shop"})
    operated.ok("label", "slc/mine", "app-")
    until(operated, f"{CHILDREN}/mine", lambda found: not found["metadata"].get("labels"))

    operated.ok("delete", "--timeout=10s", "slc/mine")
    assert eventually(lambda: operated.is_gone(f"{CHILDREN}/mine"), 10)


def test_what_it_refuses_for_good_is_told_by_an_event(operated: Cluster) -> None:
    operated.apply(claim("shapeless"))
    events = f"{CORE}/events?fieldSelector=involvedObject.name%3Dshapeless"
    (event,) = until(operated, events, lambda found: bool(found["items"]))["items"]
    assert (event["type"], event["reason"], event["message"]) == ("Warning", "Shapeless", "a claim needs a size")
    assert operated.is_gone(f"{CHILDREN}/shapeless")
    operated.ok("delete", "--timeout=10s", "slc/shapeless")
