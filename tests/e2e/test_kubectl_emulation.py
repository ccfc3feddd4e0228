"""`trikube up --emulated-version`: kubectl meets the kinds, versions and fields of an older Kubernetes."""

from collections.abc import Iterator

import orjson
import pytest

from tests.support.cluster import BATCH, CORE, Cluster
from tests.support.program import up

_JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: main, image: i}]}
"""


@pytest.fixture(scope="module", params=["1.25", "1.30"])
def version(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture(scope="module")
def cluster(version: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"), "--emulated-version", version)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def test_version_tells_what_it_is_and_what_it_emulates(cluster: Cluster, version: str) -> None:
    told = cluster.read("/version")
    minor = int(version[2:])
    assert (told["major"], told["minor"]) == ("1", "37")
    assert (told["emulationMajor"], told["emulationMinor"]) == ("1", str(minor))
    assert (told["minCompatibilityMajor"], told["minCompatibilityMinor"]) == ("1", str(minor - 1))
    assert told["gitVersion"].startswith("v1.37.")


def test_only_what_existed_is_discovered(cluster: Cluster, version: str) -> None:
    names = set(cluster.ok("api-resources", "-o", "name").split())
    assert {"pods", "deployments.apps", "horizontalpodautoscalers.autoscaling", "leases.coordination.k8s.io"} <= names
    assert not names & {
        "ipaddresses.networking.k8s.io",
        "servicecidrs.networking.k8s.io",
        "resourceslices.resource.k8s.io",
    }
    since_1_28_to_30 = {
        "selfsubjectreviews.authentication.k8s.io",
        "flowschemas.flowcontrol.apiserver.k8s.io",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
    }
    assert names & since_1_28_to_30 == (since_1_28_to_30 if version == "1.30" else set())
    assert "resource.k8s.io" not in cluster.ok("api-versions")
    assert "NotFound" in cluster.refused("get", "--raw", "/apis/networking.k8s.io/v1/servicecidrs")
    pod_parts = {entry["name"] for entry in cluster.read("/api/v1")["resources"] if entry["name"].startswith("pods/")}
    assert "pods/ephemeralcontainers" in pod_parts
    assert "pods/resize" not in pod_parts


def test_fields_are_those_of_the_version(cluster: Cluster, version: str) -> None:
    cluster.apply(_JOB)
    spec = cluster.read(f"{BATCH}/jobs/job")["spec"]
    assert spec["completionMode"] == "NonIndexed"
    # Of 1.28, alpha then; its default came with 1.29.
    assert ("podReplacementPolicy" in spec) == (version == "1.30")
    field = "job.spec.podReplacementPolicy"
    asked = cluster.kubectl.run("explain", field)
    assert (asked.code == 0) == (version == "1.30"), asked.err
    newer = _JOB.replace("name: job", "name: newer").replace("{restart", "{hostnameOverride: a, restart")
    assert 'unknown field "spec.template.spec.hostnameOverride"' in cluster.refused("apply", "-f", "-", stdin=newer)


def test_what_is_not_served_still_works_within(cluster: Cluster) -> None:
    cluster.ok("create", "service", "clusterip", "svc", "--tcp=80")
    assert cluster.read(f"{CORE}/services/svc")["spec"]["clusterIP"].startswith("10.")
    cluster.ok("create", "namespace", "gone")
    cluster.ok("delete", "namespace", "gone")
    assert cluster.ok("create", "token", "default")


def test_openapi_describes_no_newer_kind(cluster: Cluster) -> None:
    paths = orjson.loads(cluster.ok("get", "--raw", "/openapi/v3"))["paths"]
    assert "apis/batch/v1" in paths
    assert "apis/resource.k8s.io/v1" not in paths
    assert "IPAddress" not in cluster.ok("get", "--raw", paths["apis/networking.k8s.io/v1"]["serverRelativeURL"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("1.24", "trikube: --emulated-version: emulation version 1.24 is not between [1.25, 1.37]"),
        ("new", "trikube: --emulated-version: emulation version new is not between [1.25, 1.37]"),
    ],
)
def test_a_version_nobody_knows_is_refused(given: str, said: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    refused = up(tmp_path_factory.mktemp("refused"), "--emulated-version", given)
    assert (refused.returncode, refused.stderr.strip()) == (1, said)
