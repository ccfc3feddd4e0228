"""ProxyCredentials: the client certificate by which aggregated API servers know the front proxy.

Used by `connections.py` for every set of connections; `server.py` has it follow its files, and says what is to be done
when they change. Mirrors the dynamic certificate of `kube-aggregator/pkg/apiserver/apiserver.go`.
"""

import asyncio
import base64
import binascii
import logging
import os
import ssl
from collections.abc import Callable
from pathlib import Path

from aggregator.proxy.failures import BadTrust

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0

_Signature = tuple[tuple[int, int, int], ...]


class ProxyCredentials:
    """Certificate and key in PEM files. `generation` is another number when they hold another usable certificate."""

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self.generation = 0
        self._signature: _Signature = ()
        self._following: asyncio.Task[None] | None = None
        self.look()

    def start(self, on_change: Callable[[], None]) -> None:
        """Look again every second, and tell of each new certificate."""
        self._following = asyncio.create_task(self._follow(on_change), name="proxy client certificate")

    async def stop(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait((self._following,))

    async def _follow(self, on_change: Callable[[], None]) -> None:
        while True:
            if self.look():
                _LOG.info("the proxy client certificate was reloaded from %s", self._cert)
                on_change()
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self) -> bool:
        """Whether the files have changed, and hold a certificate that can be used."""
        try:
            signature = tuple(_signature(path) for path in (self._cert, self._key))
            if signature == self._signature:
                return False
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except (OSError, BadTrust) as error:
            # Half written, likely: the next look finds the rest.
            _LOG.warning("the proxy client certificate cannot be used: %s", error)
            return False
        self._signature = signature
        self.generation += 1
        return True

    def context(self, *, ca_bundle: str, insecure: bool) -> ssl.SSLContext:
        """A client's TLS settings that trust `ca_bundle` (PEM in base64; empty: the system). Raises BadTrust."""
        try:
            authorities = base64.b64decode(ca_bundle).decode("ascii") if ca_bundle else None
            context = ssl.create_default_context(cadata=authorities)
        except (ssl.SSLError, binascii.Error, ValueError) as error:
            raise BadTrust("unable to load root certificates: unable to parse bytes as PEM block") from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._cert, self._key)
        except ssl.SSLError as error:
            raise BadTrust(f"{self._cert}, {self._key}: {error.reason or error}") from error
        except OSError as error:
            raise BadTrust(f"{error.filename or self._cert}: {error.strerror or error}") from error


def _signature(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_mtime_ns, found.st_size, found.st_ino
