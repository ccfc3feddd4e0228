"""The file of `--tracing-config-file`: a TracingConfiguration of apiserver.config.k8s.io.

Called by `setup.py`. Mirrors ReadTracingConfiguration of `apiserver/pkg/server/options/tracing.go` and
ValidateTracingConfiguration of `component-base/tracing/api/v1`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from generic.meta import fields
from generic.meta.fields import FieldError
from generic.tracing.tracer import MILLION

KIND = "TracingConfiguration"
API_VERSIONS = tuple(f"apiserver.config.k8s.io/{version}" for version in ("v1", "v1beta1", "v1alpha1"))
DEFAULT_ENDPOINT = "localhost:4317"
_SCHEMES = ("dns", "unix", "unix-abstract")


@dataclass(frozen=True, slots=True)
class TracingConfiguration:
    """`sampling_rate_per_million` 0: only what its sender samples is recorded."""

    endpoint: str = DEFAULT_ENDPOINT
    sampling_rate_per_million: int = 0


def load(file: Path) -> TracingConfiguration:
    """Raises ValueError, in one line."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ValueError(f'unable to read tracing configuration from "{file}": {error.strerror}') from None
    try:
        document: Any = yaml.load(content, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"unable to decode tracing configuration data: {' '.join(str(error).split())}") from None
    try:
        return _parse(document)
    except TypeError as error:
        raise ValueError(f"unable to decode tracing configuration data: {error}") from None


def _parse(document: Any) -> TracingConfiguration:
    """Raises TypeError for what is no such object, ValueError for one that cannot be."""
    if not isinstance(document, dict):
        raise TypeError("it is not an object")
    kind, api_version = document.get("kind"), document.get("apiVersion")
    if kind != KIND or api_version not in API_VERSIONS:
        raise TypeError(f'no kind "{kind}" is registered for version "{api_version}"')
    unknown = set(document) - {"kind", "apiVersion", "endpoint", "samplingRatePerMillion"}
    if unknown:
        raise TypeError(f'strict decoding error: unknown field "{min(map(str, unknown))}"')
    endpoint, rate = document.get("endpoint"), document.get("samplingRatePerMillion")
    if not isinstance(endpoint, str | None):
        raise TypeError("endpoint is not a string")
    if isinstance(rate, bool) or not isinstance(rate, int | None):
        raise TypeError("samplingRatePerMillion is not an integer")
    problems = [*_rate_problems(rate or 0), *(_endpoint_problems(endpoint) if endpoint is not None else ())]
    if problems:
        shown = "; ".join(map(str, problems))
        raise ValueError(f"failed to validate tracing configuration: {shown}")
    return TracingConfiguration(endpoint or DEFAULT_ENDPOINT, rate or 0)


def _rate_problems(rate: int) -> list[FieldError]:
    if rate < 0:
        return [fields.invalid("samplingRatePerMillion", rate, "sampling rate must be positive")]
    if rate > MILLION:
        why = "sampling rate per million must be less than or equal to one million"
        return [fields.invalid("samplingRatePerMillion", rate, why)]
    return []


def _endpoint_problems(endpoint: str) -> list[FieldError]:
    try:
        scheme = urlsplit(endpoint if "//" in endpoint else f"dns://{endpoint}").scheme
    except ValueError as error:
        return [fields.invalid("endpoint", endpoint, str(error))]
    if scheme in _SCHEMES:
        return []
    why = f"unsupported scheme: {scheme}.  Options are none, dns, unix, or unix-abstract."
    return [fields.invalid("endpoint", endpoint, why)]
