"""The file of `--tracing-config-file`: what it may say, and how a mistake in it is told."""

from pathlib import Path

import pytest

from generic.tracing import config_file
from generic.tracing.config_file import TracingConfiguration
from generic.tracing.options import TracingOptions

HEAD = "apiVersion: apiserver.config.k8s.io/v1\nkind: TracingConfiguration\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD, TracingConfiguration("localhost:4317", 0)),
        (
            HEAD + "endpoint: 192.0.2.1:4318\nsamplingRatePerMillion: 100",
            TracingConfiguration("192.0.2.1:4318", 100),
        ),
        (HEAD.replace("/v1", "/v1beta1") + "endpoint: unix:///run/it", TracingConfiguration("unix:///run/it", 0)),
    ],
)
def test_it_says_where_and_how_many(tmp_path: Path, text: str, expected: TracingConfiguration) -> None:
    (tmp_path / "tracing.yaml").write_text(text)
    assert config_file.load(tmp_path / "tracing.yaml") == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "unable to decode tracing configuration data: "),
        ("- a", "unable to decode tracing configuration data: it is not an object"),
        ("kind: Other", 'no kind "Other" is registered for version "None"'),
        (HEAD + "endpont: x", 'strict decoding error: unknown field "endpont"'),
        (HEAD + "endpoint: 5", "endpoint is not a string"),
        (HEAD + "samplingRatePerMillion: many", "samplingRatePerMillion is not an integer"),
        (
            HEAD + "samplingRatePerMillion: -1",
            "samplingRatePerMillion: Invalid value: -1: sampling rate must be positive",
        ),
        (HEAD + "samplingRatePerMillion: 1000001", "must be less than or equal to one million"),
        (HEAD + "endpoint: http://there", 'endpoint: Invalid value: "http://there": unsupported scheme: http.'),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "tracing.yaml").write_text(text)
    with pytest.raises(ValueError, match="tracing configuration") as refused:
        config_file.load(tmp_path / "tracing.yaml")
    assert why in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unable to read tracing configuration from .*none.yaml"):
        TracingOptions(tmp_path / "none.yaml").tracing("apiserver", "it", "1")
    assert TracingOptions().tracing("apiserver", "it", "1") is None
