from collections.abc import Callable
from pathlib import Path

import pytest

from trikube import extensions_command, standalone_command


def test_half_a_pair_of_files_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        standalone_command.main(["--kubeconfig", "config", "--proxy-client-cert-file", "a.crt"])
    assert refused.value.code == 2
    assert "--proxy-client-cert-file and --proxy-client-key-file must be given together" in capsys.readouterr().err


def test_a_kubeconfig_that_is_not_there_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing"
    code = standalone_command.main(["--kubeconfig", str(missing), "--data-dir", str(tmp_path / "data")])
    assert (code, capsys.readouterr().err) == (1, f"trikube: cannot read {missing}: No such file or directory\n")


@pytest.mark.parametrize("main", [standalone_command.main, extensions_command.main])
def test_a_policy_that_is_not_there_is_said_in_one_line(
    main: Callable[[list[str]], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = {"kubeconfig": "config"} if main is standalone_command.main else {}
    given |= {"data-dir": str(tmp_path), "audit-policy-file": str(tmp_path / "missing")}
    code = main([f"--{flag}={value}" for flag, value in given.items()])
    (line,) = capsys.readouterr().err.splitlines()
    assert (code, line[:55]) == (1, "trikube: loading audit policy file: failed to read file")


def test_a_port_that_cannot_be_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        extensions_command.main(["--secure-port", "65536"])
    assert "65536 must be between 0 and 65535" in capsys.readouterr().err
