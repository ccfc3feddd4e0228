"""One of the two servers, as a blocking HTTP client sees it. Used by `asking.py`; reads what `up.sh` left."""

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is decoded where it is JSON, text elsewhere."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Any


class Server:
    """One kept connection to a server, with the administrator's certificate unless `anonymous`."""

    def __init__(self, kubeconfig: Path, *, anonymous: bool = False) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        if not anonymous:
            context.load_cert_chain(user["client-certificate"], user["client-key"])
        self._address = urlsplit(cluster["server"])
        self._context = context
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPSConnection:
        host, port = self._address.hostname, self._address.port
        return http.client.HTTPSConnection(host or "", port, context=self._context, timeout=8)

    def ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        """One request; a connection that was closed meanwhile is made anew. Status 0: no answer."""
        try:
            return self._ask(method, path, body, headers)
        except TimeoutError:
            self._connection = self._connect()
            return Answer(0, (), "TimeoutError")
        except (http.client.HTTPException, ConnectionError, ssl.SSLError):
            self._connection = self._connect()
        try:
            return self._ask(method, path, body, headers)
        except (http.client.HTTPException, OSError) as error:
            # The real one ends the connection where its handler panics.
            self._connection = self._connect()
            return Answer(0, (), f"{type(error).__name__}")

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        self._connection.request(method, path, body=body, headers=headers)
        response = self._connection.getresponse()
        content = response.read()
        return Answer(response.status, tuple(response.getheaders()), _decoded(content))


def _decoded(content: bytes) -> Any:
    text = content.decode(errors="replace")
    try:
        return json.loads(text)
    except ValueError:
        pass
    lines = text.strip().splitlines()
    if lines and all(line.startswith("{") for line in lines):
        # A watch: one event a line.
        try:
            return [json.loads(line) for line in lines]
        except ValueError:
            pass
    return text
