"""ProxyCredentials: the client certificate by which aggregated API servers know the front proxy.

Used by `connections.py` for every set of connections. Looks at its files again at most once a second, when asked.
Mirrors the dynamic certificate of `kube-aggregator/pkg/apiserver/apiserver.go`.
"""

import base64
import binascii
import logging
import os
import ssl
import time
from pathlib import Path

from aggregator.proxy.failures import BadTrust

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0

_Signature = tuple[tuple[int, int, int], ...]


class ProxyCredentials:
    """Certificate and key in PEM files."""

    def __init__(self, cert: Path, key: Path) -> None:
        self._cert = cert
        self._key = key
        self._signature: _Signature = ()
        self._looked = float("-inf")
        self._generation = 0

    @property
    def generation(self) -> int:
        """Another number as soon as the files hold another certificate that can be used."""
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._look()
        return self._generation

    def _look(self) -> None:
        try:
            signature = tuple(_signature(path) for path in (self._cert, self._key))
            if signature == self._signature:
                return
            self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except (OSError, BadTrust) as error:
            # Half written, likely: the next look finds the rest.
            _LOG.warning("the proxy client certificate cannot be used: %s", error)
            return
        self._signature = signature
        self._generation += 1

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
