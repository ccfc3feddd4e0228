"""What service accounts need to be told. Made by `trikube.controlplane`; kube-apiserver's flags in brackets."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from kubeapi.serviceaccounts.jwt import SigningKey, VerificationKey

DEFAULT_ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True, slots=True)
class ServiceAccountOptions:
    """`audiences` () means the issuer alone."""

    signing_key: SigningKey
    """[--service-account-signing-key-file]"""
    issuer: str = DEFAULT_ISSUER
    """[--service-account-issuer]"""
    audiences: tuple[str, ...] = ()
    """Those this server answers to [--api-audiences]."""
    older_keys: tuple[VerificationKey, ...] = ()
    """Tokens signed with these are still good [--service-account-key-file]."""
    extends_expiration: bool = True
    """The token a pod is given by default lives on for a year [--service-account-extend-token-expiration]."""

    def __post_init__(self) -> None:
        if not self.issuer:
            raise ValueError("service-account-issuer is a required flag")
        if not self.audiences:
            object.__setattr__(self, "audiences", (self.issuer,))

    @property
    def keys(self) -> tuple[VerificationKey, ...]:
        """Every key whose signature counts."""
        return self.signing_key.public, *self.older_keys

    @property
    def is_discoverable(self) -> bool:
        """OpenID Connect discovery wants an issuer that is an https URL, without query or fragment."""
        parts = urlsplit(self.issuer)
        return parts.scheme == "https" and bool(parts.netloc) and not parts.query and not parts.fragment
