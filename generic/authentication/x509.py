"""Users by client certificate: CN is the name, O are the groups.

Mirrors `apiserver/pkg/authentication/request/x509/x509.go`.
"""

from collections.abc import Callable
from time import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from generic.authentication import client_certificate
from generic.authentication.authority import CertificateAuthority
from generic.authentication.interface import AuthenticationError
from generic.request.user import ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, ANONYMOUS, UserInfo
from generic.types import Scope

CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"

_UID = x509.ObjectIdentifier("1.3.6.1.4.1.57683.2")


class X509Authenticator:
    """Believes certificates of the cluster's client authority."""

    name = "x509"

    def __init__(self, authority: CertificateAuthority, *, seen: Callable[[float], None] | None = None) -> None:
        """`seen`: to be told of each certificate how many seconds it is still good."""
        self._authority = authority
        self._seen = seen

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        verified = client_certificate.verified(scope, self._authority)
        if verified is None:
            return None
        if verified.user is None:
            verified.user = user_of(verified.certificate)
        if self._seen is not None:
            self._seen(verified.expires - time())
        return verified.user


def user_of(certificate: x509.Certificate) -> UserInfo | None:
    """The user a certificate names; None without a CN. Raises AuthenticationError on an unusable UID."""
    names = _values(certificate, NameOID.COMMON_NAME)
    if not names or not names[-1]:
        return None
    uids = _values(certificate, _UID)
    if len(uids) > 1:
        raise AuthenticationError("expected 1 UID, but found multiple")
    if uids and not uids[0]:
        raise AuthenticationError("UID cannot be an empty string")
    groups = _values(certificate, NameOID.ORGANIZATION_NAME)
    if names[-1] != ANONYMOUS and not {ALL_AUTHENTICATED, ALL_UNAUTHENTICATED} & set(groups):
        # Here already, so that it is done once a connection and not once a request.
        groups.append(ALL_AUTHENTICATED)
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
    return UserInfo(names[-1], tuple(groups), "".join(uids), {CREDENTIAL_ID: (f"X509SHA256={fingerprint}",)})


def _values(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in certificate.subject.get_attributes_for_oid(oid)]
