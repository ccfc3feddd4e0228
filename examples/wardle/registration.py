"""Prints what makes the aggregator find and trust this server: `... registration ... | kubectl apply -f -`.

`python -m examples.wardle.registration --address 192.0.2.1 --port 9443 --ca-file ca.crt`. The fixed parts are the
files in `manifests/wardle`; address, port and the authority of the serving certificate are filled in here. Called by
the tour and by tests through `render`.
"""

import argparse
import base64
import ipaddress
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from generic.types import JSONObject

MANIFESTS = Path(__file__).resolve().parents[2] / "manifests" / "wardle"

_FILES = ("namespace.yaml", "rbac.yaml", "service.yaml", "endpointslice.yaml", "apiservice.yaml")
"""In an order in which they can be applied."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def objects(*, address: str, port: int, ca: bytes) -> list[JSONObject]:
    """The objects to apply, in order. `ca` is PEM. Raises ValueError if `address` is no IP address."""
    version = ipaddress.ip_address(address).version
    made: list[JSONObject] = []
    for name in _FILES:
        made += yaml.load_all((MANIFESTS / name).read_text(), Loader=_Loader)
    for obj in made:
        if obj["kind"] == "Service":
            obj["spec"]["ports"][0]["targetPort"] = port
        elif obj["kind"] == "EndpointSlice":
            obj["addressType"] = f"IPv{version}"
            obj["ports"][0]["port"] = port
            obj["endpoints"][0]["addresses"] = [address]
        elif obj["kind"] == "APIService":
            obj["spec"]["caBundle"] = base64.b64encode(ca).decode()
    return made


def render(*, address: str, port: int, ca: bytes) -> str:
    """The same as YAML."""
    return yaml.safe_dump_all(objects(address=address, port=port, ca=ca), sort_keys=False)


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="registration", description="Print what registers wardle.")
    parser.add_argument("--address", required=True, metavar="IP", help="where the aggregator reaches the server")
    parser.add_argument("--port", type=int, default=9443, help="the server's --secure-port")
    parser.add_argument("--ca-file", type=Path, required=True, help="authority of the server's certificate")
    given = parser.parse_args(arguments)
    try:
        print(render(address=given.address, port=given.port, ca=given.ca_file.read_bytes()), end="")
    except OSError as error:
        print(f"registration: error: cannot read {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"registration: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
