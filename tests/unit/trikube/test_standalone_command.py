from pathlib import Path

import pytest

from trikube import standalone_command


def test_half_a_pair_of_files_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        standalone_command.main(["--kubeconfig", "config", "--proxy-client-cert-file", "a.crt"])
    assert refused.value.code == 2
    assert "--proxy-client-cert-file and --proxy-client-key-file must be given together" in capsys.readouterr().err


def test_a_kubeconfig_that_is_not_there_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing"
    code = standalone_command.main(["--kubeconfig", str(missing), "--data-dir", str(tmp_path / "data")])
    assert (code, capsys.readouterr().err) == (1, f"trikube: cannot read {missing}: No such file or directory\n")
