"""How `trikube explain-request` shows a trace."""

from pathlib import Path

import pytest

from trikube import cli, explain


def test_each_step_is_a_line() -> None:
    lines = explain.shown("authentication=x509;t=40, aggregator=proxy:v1.a.example.com;t=110")
    assert [line.split() for line in lines] == [
        ["40", "us", "authentication", "x509"],
        ["110", "us", "aggregator", "proxy:v1.a.example.com"],
    ]


def test_a_server_that_tells_nothing_is_said() -> None:
    (line,) = explain.shown("")
    assert "told no trace" in line


def test_a_kubeconfig_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain-request", "GET", "/api", "--kubeconfig", str(tmp_path / "none")]
    assert cli.main(arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("trikube: cannot read ")
    assert said.count("\n") == 1


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "kubeconfig"
    config.write_text(
        "current-context: a\n"
        "contexts: [{name: a, context: {cluster: a}}]\n"
        "clusters: [{name: a, cluster: {server: 'https://127.0.0.1:1'}}]\n"
    )
    assert cli.main(["explain-request", "get", "/api?a=b", "--kubeconfig", str(config)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("trikube: GET /api: ")
    assert said.count("\n") == 1
