"""Which servers answered: read off the control plane's request log (`--v=3`), shown below each step of the tour."""

import re
from collections import Counter
from pathlib import Path

_LINE = re.compile(
    r"HTTP verb='(?P<verb>[^']*)' URI='(?P<uri>[^']*)' .*userAgent='(?P<agent>[^']*)'.* "
    r"resp=(?P<code>\S+) hops=(?P<hops>\S*)"
)
_SERVERS = ("aggregator", "kubeapi", "extensions", "end-of-chain")
_LONGEST = 96


class Traffic:
    """The requests of kubectl since the last look."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = 0

    def skip(self) -> None:
        """Forget what has been so far."""
        self._offset = self._log.stat().st_size

    def take(self) -> list[str]:
        """One line for each kind of request, in order: verb, URI, status and the way it went."""
        with self._log.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        self._offset += len(data)
        seen: Counter[str] = Counter()
        for line in data.decode(errors="replace").splitlines():
            found = _LINE.search(line)
            if found and found["agent"].startswith("kubectl"):
                seen[f"{found['verb']} {_short(found['uri'])} {found['code']}  {way(found['hops'])}"] += 1
        return [line if count == 1 else f"{line}  ({count} times)" for line, count in seen.items()]


def way(hops: str) -> str:
    """`aggregator > kubeapi` out of the hops of a trace: the servers a request passed, the last one answered."""
    passed: list[str] = []
    for hop in hops.split(","):
        component, _, decision = hop.partition("=")
        if component in _SERVERS:
            # The aggregator says twice that it has a path: when it finds it, and when it asks who is behind it.
            if passed[-1:] != [component]:
                passed.append(component)
            if decision.startswith("proxy"):
                passed.append(f"AA behind {decision.removeprefix('proxy:')}")
    return " > ".join(passed)


def _short(uri: str) -> str:
    return uri if len(uri) <= _LONGEST else f"{uri[:_LONGEST]}..."
