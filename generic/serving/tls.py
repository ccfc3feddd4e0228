"""Certificates: the server's own and its clients', read again when their files change.

Called by `server` at start and by OpenSSL at every handshake; gives `connection` the peer's certificate in
the form of the ASGI TLS extension. Mirrors `apiserver/pkg/server/dynamiccertificates`.
"""

import functools
import os
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from generic.serving.errors import ServingError
from generic.serving.link import log
from generic.serving.options import SecureServingOptions

_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""For TLS 1.2; what HTTP/2 allows (RFC 9113, appendix A)."""

_DER = 2
"""The ssl module's private name for an encoding."""

_VERSIONS = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}

_SHORT_NAMES = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "streetAddress": "STREET",
    "domainComponent": "DC",
    "userId": "UID",
}

_Signature = tuple[tuple[int, int, int], ...]


class Certificates:
    """The TLS settings of the next connection.

    `context` is what the listener is given once and for all; at each handshake it hands over to the newest
    one. So a removed authority is forgotten as well, which a context that is only added to cannot do.
    """

    def __init__(self, options: SecureServingOptions) -> None:
        """Raises ServingError, with one line, when a file cannot be used."""
        self._options = options
        self._files = (options.cert_file, options.key_file, *options.client_ca_files)
        self._signature = self._look()
        self.context = self._load()
        self.context.sni_callback = self._at_handshake
        self._current = self.context

    def refresh(self) -> None:
        """Load the files again if they changed. Bad ones are logged and the old go on serving."""
        signature = self._look()
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self._current = self._load()
        except ServingError as error:
            log.warning("certificates not reloaded, the old ones go on: %s", error)
        else:
            log.info("certificates reloaded from %s", self._options.cert_file)

    def _at_handshake(self, connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
        # OpenSSL calls this whether or not the client named a server.
        self.refresh()
        if self._current is not self.context:
            connection.context = self._current

    def _look(self) -> _Signature:
        return tuple(_stat(path) for path in self._files)

    def _load(self) -> ssl.SSLContext:
        options = self._options
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = options.min_tls_version
        context.set_ciphers(_CIPHERS)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        # A resumed session would skip the check of its certificate against today's authorities.
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        context.set_alpn_protocols(["h2", "http/1.1"])
        for path in (options.cert_file, options.key_file):
            _read(path)
        try:
            context.load_cert_chain(options.cert_file, options.key_file, password=_no_password)
        except (ssl.SSLError, OSError, ValueError) as error:
            why = _why(error)
            raise ServingError(
                f"cannot use certificate {options.cert_file} with key {options.key_file}: {why}"
            ) from error
        for path in options.client_ca_files:
            try:
                context.load_verify_locations(cadata=_read(path).decode("ascii"))
            except (ssl.SSLError, ValueError) as error:
                raise ServingError(f"{path} holds no readable certificate of an authority") from error
        if options.client_ca_files:
            # A certificate of an authority not named here ends the handshake: the client sees a TLS error, not a 401.
            context.verify_mode = ssl.CERT_OPTIONAL
        return context


def extension(connection: ssl.SSLObject) -> dict[str, Any]:
    """The ASGI `tls` extension of a connection.

    Every request of the connection gets the same dict, so whoever derives something from the certificate
    (an identity) may keep it there under a key of its own: it lives exactly as long as it is true.
    `client_cert_chain` is PEM, the client's own first; empty without a certificate.
    """
    cipher = connection.cipher()
    chain = [ssl.DER_cert_to_PEM_cert(der) for der in _peer_chain(connection)]
    return {
        "server_cert": None,
        "client_cert_chain": chain,
        "client_cert_name": _subject(connection) if chain else None,
        "client_cert_error": None,
        "tls_version": _VERSIONS.get(connection.version() or ""),
        "cipher_suite": _cipher_suites().get(cipher[0]) if cipher is not None else None,
    }


def _peer_chain(connection: ssl.SSLObject) -> Sequence[bytes]:
    leaf = connection.getpeercert(binary_form=True)
    if leaf is None:
        return ()
    # Python 3.13 has this in public; before, only the object underneath does.
    inner: Any = getattr(connection, "_sslobj", connection)
    chain = inner.get_unverified_chain()
    rest = [each.public_bytes(_DER) for each in chain or ()]
    return [leaf, *(each for each in rest if each != leaf)]


def _subject(connection: ssl.SSLObject) -> str:
    """The subject as RFC 4514 writes it: last part first."""
    certificate = connection.getpeercert() or {}
    names: Any = certificate.get("subject", ())
    return ",".join(
        "+".join(f"{_SHORT_NAMES.get(key, key)}={_escape(value)}" for key, value in part) for part in reversed(names)
    )


def _escape(value: str) -> str:
    escaped = "".join(f"\\{char}" if char in ',+"\\<>;=' else char for char in value).replace("\0", "\\00")
    if escaped.startswith(("#", " ")):
        escaped = f"\\{escaped}"
    if escaped.endswith(" ") and len(value) > 1:
        escaped = f"{escaped[:-1]}\\ "
    return escaped


@functools.cache
def _cipher_suites() -> dict[str, int]:
    """The two bytes a cipher suite has on the wire, by OpenSSL's name."""
    ciphers: Sequence[Any] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).get_ciphers()
    return {cipher["name"]: cipher["id"] & 0xFFFF for cipher in ciphers}


def _stat(path: Path) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ServingError(f"cannot read {path}: {error.strerror}") from error


def _no_password() -> str:
    # Otherwise OpenSSL asks on the terminal.
    raise ValueError("the key is encrypted")


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return str(error) or "not readable"
