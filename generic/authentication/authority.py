"""CertificateAuthority: the certificates clients are trusted by, and the check of a client's against them.

The TLS listener has already checked the whole path, but against every authority it knows at once (the
cluster's and the front proxy's). Which of them vouches for a client decides what the client may claim,
so each authenticator asks its own. Mirrors `apiserver/pkg/server/dynamiccertificates` and the use of
`x509.Certificate.Verify` in `apiserver/pkg/authentication/request/x509`.
"""

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID

from generic.authentication.interface import AuthenticationError

_LOG = logging.getLogger(__name__)

_CLIENT_USAGES = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_LONGEST_CHAIN = 10


class CertificateAuthority:
    """A bundle of trusted certificates, from a PEM file or from memory, replaceable while serving."""

    def __init__(self, pem: bytes, *, path: Path | None = None) -> None:
        """Raises ValueError if there is no certificate in `pem`."""
        self.path = path
        self.generation = 0
        """Grows with every replacement: what was verified before must be verified again."""
        self._pem = pem
        self._certificates = _load(pem)
        self._signature = _stat(path)

    @staticmethod
    def from_file(path: Path) -> "CertificateAuthority":
        """Raises OSError or ValueError if the file cannot be read or holds no certificate."""
        return CertificateAuthority(path.read_bytes(), path=path)

    @property
    def pem(self) -> bytes:
        """The bundle as it is now."""
        return self._pem

    def replace(self, pem: bytes) -> None:
        """Trust these from now on, and only these. Raises ValueError if there is no certificate in `pem`."""
        if pem == self._pem:
            return
        self._certificates = _load(pem)
        self._pem = pem
        self.generation += 1

    def reload_if_changed(self) -> bool:
        """Read the file again if it changed. A bad one is logged and the old certificates stay."""
        signature = _stat(self.path)
        if self.path is None or signature == self._signature:
            return False
        self._signature = signature
        before = self.generation
        try:
            self.replace(self.path.read_bytes())
        except (OSError, ValueError) as error:
            _LOG.warning("%s not reloaded, the old certificates stay: %s", self.path, error)
        return self.generation != before

    def verify_client(self, chain: Sequence[str]) -> x509.Certificate:
        """The client's own certificate, if a path leads from it to this authority now.

        `chain` is PEM, the client's own first, then what it sent besides. Raises AuthenticationError.
        """
        try:
            leaf, *others = (x509.load_pem_x509_certificate(pem.encode("ascii")) for pem in chain[:_LONGEST_CHAIN])
        except ValueError:
            raise AuthenticationError("the client certificate cannot be parsed")
        now = datetime.now(UTC)
        if not _valid_at(leaf, now):
            raise AuthenticationError(f"certificate {_describe(leaf)} has expired or is not yet valid")
        if not _for_clients(leaf):
            raise AuthenticationError(f"certificate {_describe(leaf)} specifies an incompatible key usage")
        if not self._reaches(leaf, others, now):
            raise AuthenticationError(f"certificate {_describe(leaf)} is signed by unknown authority")
        return leaf

    def _reaches(self, leaf: x509.Certificate, others: Sequence[x509.Certificate], now: datetime) -> bool:
        """Whether the leaf leads here, over any of the others.

        Each of them is reached once, by its shortest way: the client chose them, and every order of nine authorities
        that vouch for one another would keep the server busy for minutes. `depth` counts the intermediates so far.
        """
        reached, left, depth = [leaf], [other for other in dict.fromkeys(others) if _for_clients(other)], 0
        while reached:
            if any(_issued(one, root, now, depth=depth, root=True) for one in reached for root in self._certificates):
                return True
            reached = [other for other in left if any(_issued(one, other, now, depth=depth) for one in reached)]
            left = [other for other in left if other not in reached]
            depth += 1
        return False


def _issued(
    certificate: x509.Certificate, issuer: x509.Certificate, now: datetime, *, depth: int, root: bool = False
) -> bool:
    if certificate.issuer != issuer.subject or not _valid_at(issuer, now):
        return False
    constraints = _basic_constraints(issuer)
    if constraints is None:
        # Roots of version 1 certificates have none; an intermediate must say that it is an authority.
        if not root:
            return False
    elif not constraints.ca or (constraints.path_length is not None and constraints.path_length < depth):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _basic_constraints(certificate: x509.Certificate) -> x509.BasicConstraints | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return None


def _for_clients(certificate: x509.Certificate) -> bool:
    """Whether it may be used by a client: it says so, or does not restrict its use."""
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not _CLIENT_USAGES.isdisjoint(usages)


def _valid_at(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _describe(certificate: x509.Certificate) -> str:
    return f"[subject={certificate.subject.rfc4514_string()!r} serial={certificate.serial_number}]"


def _load(pem: bytes) -> list[x509.Certificate]:
    if b"-----BEGIN CERTIFICATE-----" not in pem:
        raise ValueError("no certificate found")
    return x509.load_pem_x509_certificates(pem)


def _stat(path: Path | None) -> tuple[int, int, int]:
    if path is None:
        return (0, 0, 0)
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)
