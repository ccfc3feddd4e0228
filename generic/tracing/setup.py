"""The tracer that a TracingConfiguration asks for, with its exporter.

Loaded by `options` alone, and only where tracing is asked for. Mirrors NewProvider of
`component-base/tracing/utils.go`.
"""

from pathlib import Path

from generic.tracing import config_file
from generic.tracing.exporter import Exporter
from generic.tracing.tracer import Tracer

_SCOPE = "trikube"


class ExportedTracing:
    """A Tracing: its tracer hands every span to the exporter."""

    def __init__(self, tracer: Tracer, exporter: Exporter) -> None:
        self.tracer = tracer
        self._exporter = exporter

    async def start(self) -> None:
        await self._exporter.start()

    async def stop(self) -> None:
        await self._exporter.stop()


def build(file: Path, *, service: str, instance: str, version: str) -> ExportedTracing:
    """Raises ValueError on a file that cannot be."""
    configuration = config_file.load(file)
    resource = {"service.name": service, "service.instance.id": instance}
    exporter = Exporter(configuration.endpoint, resource, scope=_SCOPE, version=version)
    rate = configuration.sampling_rate_per_million
    return ExportedTracing(Tracer(exporter.record, sampling_rate_per_million=rate), exporter)
