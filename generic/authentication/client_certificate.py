"""The client certificate of a connection, checked once per authority and kept with the connection.

Called by the x509 and the front-proxy authenticator for every request. The ASGI `tls` extension is one
dict per connection, so what was found lives there exactly as long as it can be true; expiry and a
change of the authority end it earlier.
"""

from time import time
from typing import Any

from cryptography import x509

from generic.authentication.authority import CertificateAuthority
from generic.authentication.interface import AuthenticationError
from generic.request.user import UserInfo
from generic.types import Scope

_KEY = "trikube.verified"


class Verified:
    """What one authority said of a connection's certificate, good until `expires` (Unix time).

    `user` is for who derives an identity from it.
    """

    __slots__ = ("_certificate", "_failure", "_generation", "expires", "user")

    def __init__(self, authority: CertificateAuthority, chain: list[str]) -> None:
        self.user: UserInfo | None = None
        self._failure = ""
        self._certificate: x509.Certificate | None = None
        self.expires = float("inf")
        try:
            self._certificate = authority.verify_client(chain)
            self.expires = self._certificate.not_valid_after_utc.timestamp()
        except AuthenticationError as error:
            self._failure = str(error)
        self._generation = authority.generation

    def holds(self, authority: CertificateAuthority) -> bool:
        return self._generation == authority.generation and time() < self.expires

    @property
    def certificate(self) -> x509.Certificate:
        """Raises AuthenticationError if the authority does not vouch for it."""
        if self._certificate is None:
            raise AuthenticationError(self._failure)
        return self._certificate


def verified(scope: Scope, authority: CertificateAuthority) -> Verified | None:
    """What `authority` says of the client's certificate; None if the client sent none."""
    tls: dict[Any, Any] | None = scope.get("extensions", {}).get("tls")
    if tls is None:
        return None
    chain: list[str] = tls.get("client_cert_chain") or []
    if not chain:
        return None
    known: dict[CertificateAuthority, Verified] = tls.setdefault(_KEY, {})
    found = known.get(authority)
    if found is None or not found.holds(authority):
        # A connection's first request, or a change: the time to look at the file as well.
        authority.reload_if_changed()
        found = known[authority] = Verified(authority, chain)
    return found
