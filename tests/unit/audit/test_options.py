"""The flags of audit, and what cannot be."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from generic.audit import options
from generic.audit.options import AuditOptions
from generic.metrics import Metrics


def parse(*arguments: str) -> AuditOptions:
    parser = argparse.ArgumentParser()
    options.add_flags(parser)
    return options.from_arguments(parser.parse_args(arguments))


def test_nothing_asked_is_the_defaults_and_no_auditor() -> None:
    assert parse() == AuditOptions()
    assert parse().auditor(Metrics(process=False)) is None


def test_flags_are_kube_apiservers() -> None:
    given = parse(
        "--audit-policy-file=p",
        "--audit-log-path=-",
        "--audit-log-maxsize=1",
        "--audit-log-compress",
        "--audit-log-mode=batch",
        "--audit-log-batch-max-wait=1m30s",
        "--audit-webhook-config-file=k",
        "--audit-webhook-initial-backoff=2s",
        "--audit-webhook-batch-throttle-enable=false",
        "--audit-webhook-truncate-enabled",
    )
    assert (given.policy_file, given.log_path, given.log_maxsize, given.log_compress) == (Path("p"), "-", 1, True)
    assert (given.log.mode, given.log.batch_max_wait, given.webhook.mode) == ("batch", 90.0, "batch")
    assert (given.webhook_config_file, given.webhook_initial_backoff) == (Path("k"), 2.0)
    assert (given.webhook.batch_throttle_enable, given.webhook.truncate_enabled) == (False, True)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("log-mode=loud",), 'invalid audit log mode loud, allowed modes are "batch,blocking,blocking-strict"'),
        (("log-format=xml",), 'invalid audit log format xml, allowed formats are "json,legacy"'),
        (("log-maxage=-1",), "--audit-log-maxage -1 can't be a negative number"),
        (
            ("log-mode=batch", "log-batch-buffer-size=0"),
            "invalid audit batch log buffer size 0, must be a positive number",
        ),
        (("webhook-batch-max-size=0",), "invalid audit batch webhook max batch size 0, must be a positive number"),
        (("webhook-batch-throttle-qps=0",), "invalid audit batch webhook throttle QPS 0"),
        (("log-truncate-max-event-size=0",), "invalid audit truncate log max event size 0"),
        (("log-truncate-max-batch-size=1",), "must be greater than max event size (102400)"),
        (("log-version=audit.k8s.io/v1beta1",), "invalid group version"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(flags: tuple[str, ...], message: str) -> None:
    given = parse("--audit-log-path=x", "--audit-webhook-config-file=y", *(f"--audit-{flag}" for flag in flags))
    with pytest.raises(ValueError, match=re.escape(message)):
        given.check()


def test_options_of_a_back_end_that_is_not_used_do_not_matter() -> None:
    parse("--audit-log-mode=loud").check()


def test_a_policy_a_log_or_a_kubeconfig_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]")
    nowhere = tmp_path / "nowhere"
    with pytest.raises(ValueError, match="loading audit policy file: failed to read"):
        parse(f"--audit-policy-file={nowhere}").auditor(Metrics(process=False))
    with pytest.raises(ValueError, match="initializing audit webhook: cannot read"):
        parse(f"--audit-policy-file={policy}", f"--audit-webhook-config-file={nowhere}").auditor(Metrics(process=False))
    with pytest.raises(ValueError, match=r"--audit-log-path .*: Is a directory"):
        parse(f"--audit-policy-file={policy}", f"--audit-log-path={tmp_path}").auditor(Metrics(process=False))


def test_a_server_that_does_not_audit_loads_nothing_for_it() -> None:
    program = (
        "import sys, trikube.controlplane, trikube.aa.run\n"
        "print([name for name in sys.modules if name.startswith(('generic.audit.', 'generic.filters.audit'))])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "['generic.audit.options']"
