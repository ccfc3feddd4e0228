"""`trikube explain-request GET /apis/...`: which filters decided what, which servers a request passed, and when.

Called by `trikube/cli.py`; asks a running server, whose answer to `Trikube-Trace: 1` is the trace
(`generic/request/trace.py`).
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from generic.client import kubeconfig
from generic.client.failures import TransportError
from generic.client.rest import Client


def main(arguments: Sequence[str]) -> int:
    """Returns the exit code: 0 whatever the server answered, 1 if it could not be asked."""
    parser = argparse.ArgumentParser(prog="trikube explain-request")
    parser.add_argument("method", help="GET, POST ...")
    parser.add_argument("path", help="/api/v1/namespaces, with a query if there is one")
    parser.add_argument("--kubeconfig", type=Path, help="default: $KUBECONFIG, then .trikube/admin.kubeconfig")
    parsed = parser.parse_args(arguments)
    given = os.environ.get("KUBECONFIG", "").partition(os.pathsep)[0]
    path = parsed.kubeconfig or Path(given or ".trikube/admin.kubeconfig")
    try:
        lines = asyncio.run(_asked(path, parsed.method.upper(), parsed.path))
    except (kubeconfig.KubeconfigError, TransportError) as error:
        print(f"trikube: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


async def _asked(path: Path, method: str, target: str) -> list[str]:
    client = Client.connect(kubeconfig.load(path))
    url = urlsplit(target)
    query = dict(part.partition("=")[::2] for part in url.query.split("&") if part)
    try:
        reply = await client.request(method, url.path, query=query, headers={"trikube-trace": "1"}, check=False)
    finally:
        await client.aclose()
    trace = reply.headers.get("trikube-trace", "")
    return [*shown(trace), f"answer: {reply.status}, {len(reply.body)} bytes"]


def shown(trace: str) -> list[str]:
    """One line for each step of a trace header: microseconds since arrival, who, what."""
    if not trace:
        return ["the server told no trace: it is not trikube, or does not know who asks"]
    lines = []
    for step in trace.split(", "):
        hop, _, at = step.partition(";t=")
        component, _, decision = hop.partition("=")
        lines.append(f"{at:>8} us  {component:<16} {decision}")
    return lines
