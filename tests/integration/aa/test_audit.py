"""An aggregated server audits as the main server does, by the same flags."""

from pathlib import Path

import orjson
import pytest

from examples.cats.__main__ import Cat
from generic.audit.options import AuditOptions
from tests.integration.aa.harness import running
from trikube import aa
from trikube.aa import options

pytestmark = pytest.mark.anyio

CAT = {
    "apiVersion": "animal.demo.io/v1alpha1",
    "kind": "Cat",
    "metadata": {"name": "felix", "namespace": "default"},
    "spec": {"breed": "tabby"},
}


async def test_an_aggregated_server_writes_what_its_policy_wants(tmp_path: Path) -> None:
    policy, log = tmp_path / "policy.yaml", tmp_path / "audit.log"
    policy.write_text(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n"
        "rules: [{level: RequestResponse, resources: [{group: animal.demo.io, resources: [cats]}], verbs: [create]}]"
    )
    flags = options.parser("cats", "", standalone=True)
    given = options.options_of(flags.parse_args([f"--audit-policy-file={policy}", f"--audit-log-path={log}"]))
    assert vars(given.extra) == {}
    async with running(aa.APIServer("cats").with_resource(Cat), tmp_path / "data", audit=given.audit) as server:
        made = await server.client.create(Cat.definition.gvr, CAT, "default")
    (event,) = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    assert (event["verb"], event["stage"], event["objectRef"]["name"]) == ("create", "ResponseComplete", "felix")
    assert event["responseObject"] == made
    assert event["requestObject"]["spec"]["breed"] == "tabby"


async def test_a_policy_that_cannot_be_is_said_before_the_server_listens(tmp_path: Path) -> None:
    changes = {"audit": AuditOptions(policy_file=tmp_path / "nowhere")}
    with pytest.raises(aa.OptionsError, match="loading audit policy file: failed to read"):
        async with running(aa.APIServer("cats").with_resource(Cat), tmp_path / "data", **changes):
            pass
