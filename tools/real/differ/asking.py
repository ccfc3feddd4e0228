"""Asking both servers the same and keeping what differs. Every scenario holds one `Pair`."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.real.differ.comparing import differences
from tools.real.differ.servers import Answer, Server

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"
_SHOWN = 300
_MOST = 25


class Pair:
    """The two servers. `ask` prints the differences of two answers and returns the real one.

    What differs in the same way is printed once; all of it goes to `differences.jsonl` in the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._servers = [Server(folder / f"{name}.kubeconfig") for name in ("real", "ours")]
        self._strangers = [Server(folder / f"{name}.kubeconfig", anonymous=True) for name in ("real", "ours")]
        self.seen: dict[tuple[str, str, str], int] = {}
        self.folder = folder
        self._record = (folder / "differences.jsonl").open("w")
        self.asked = 0
        self.differing = 0

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        what: str = "",
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
        ignore: str = "",
        anonymous: bool = False,
    ) -> Answer:
        """`body`: bytes as they are, anything else as JSON. `ignore`: a pattern of paths that may differ."""
        content = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Accept": "application/json", **({"Content-Type": content_type} if body is not None else {})}
        sent |= headers or {}
        servers = self._strangers if anonymous else self._servers
        real, ours = (server.ask(method, path, content, sent) for server in servers)
        self.asked += 1
        found = [each for each in differences(real, ours) if not (ignore and re.search(ignore, each[0]))]
        fresh = []
        for where, one, other in found:
            key = (re.sub(r"\[\d+\]", "[]", where), _short(one), _short(other))
            self.seen[key] = self.seen.get(key, 0) + 1
            if self.seen[key] == 1:
                fresh.append((where, one, other))
        self.differing += bool(found)
        if found:
            record = {"what": what, "method": method, "path": path, "body": _sent(content), "found": found}
            self._record.write(json.dumps({**record, "real": real.body, "ours": ours.body}) + "\n")
        if fresh:
            fresh, more = fresh[:_MOST], len(fresh) - _MOST
            sys.stdout.write(f"\n{what or method} {path}\n")
            for where, one, other in fresh:
                sys.stdout.write(f"    {where}\n        real: {_short(one)}\n        ours: {_short(other)}\n")
            if more > 0:
                sys.stdout.write(f"    and {more} more\n")
            sys.stdout.flush()
        return real

    def both(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> list[Answer]:
        """Preparation: not compared."""
        content = None if body is None else json.dumps(body).encode()
        sent = {"Accept": "application/json", "Content-Type": content_type}
        return [server.ask(method, path, content, sent) for server in self._servers]


def _sent(content: bytes | None) -> str:
    return (content or b"")[:20_000].decode(errors="replace")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]} ... {text[-_SHOWN // 2 :]}"
