"""`trikube up`: the whole control plane in the foreground. Called by `cli.py`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

# httpx loads its own command line, and with it click, rich and pygments, wherever those happen to be installed.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

from generic.meta.errors import StatusError  # noqa: E402
from trikube import foreground  # noqa: E402
from trikube import options as flags  # noqa: E402
from trikube.controlplane import ControlPlane  # noqa: E402
from trikube.version import BUILD  # noqa: E402


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="trikube up", description="Run the control plane in the foreground.")
    flags.add_flags(parser)
    parsed = parser.parse_args(arguments)

    async def serve(stop: asyncio.Event) -> None:
        options = flags.from_arguments(parsed)
        plane = ControlPlane(options)

        def listening() -> None:
            foreground.say(
                f"trikube {BUILD} listens on {plane.url}, data in {options.data_dir}",
                f"use it with: export KUBECONFIG={options.kubeconfig.resolve()}",
            )

        await plane.run(stop, on_listening=listening)

    return foreground.run(serve, verbosity=parsed.v, errors=(StatusError,))
