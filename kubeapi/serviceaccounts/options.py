"""What service accounts need to be told. Made by `trikube.controlplane`; kube-apiserver's flags in brackets."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from kubeapi.serviceaccounts.jwt import SigningKey, VerificationKey

DEFAULT_ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True, slots=True)
class ServiceAccountOptions:
    """`audiences` () means the issuers. Times in seconds."""

    signing_key: SigningKey
    """[--service-account-signing-key-file]"""
    issuer: str = DEFAULT_ISSUER
    """[--service-account-issuer, the first]"""
    older_issuers: tuple[str, ...] = ()
    """Tokens of these are still good [--service-account-issuer, the others]."""
    audiences: tuple[str, ...] = ()
    """Those this server answers to [--api-audiences]."""
    older_keys: tuple[VerificationKey, ...] = ()
    """Tokens signed with these are still good [--service-account-key-file]."""
    extends_expiration: bool = True
    """The token a pod is given by default lives on for a year [--service-account-extend-token-expiration]."""
    most_seconds: int = 0
    """What is asked for beyond this is shortened to it; 0: nothing is [--service-account-max-token-expiration]."""
    lookup: bool = True
    """Whether a token that lies in a Secret is only good as long as it lies there [--service-account-lookup]."""
    jwks_uri: str = ""
    """Where others find the keys, if not here [--service-account-jwks-uri]."""

    def __post_init__(self) -> None:
        if not self.issuer:
            raise ValueError("service-account-issuer is a required flag")
        if not self.audiences:
            object.__setattr__(self, "audiences", self.issuers)

    @property
    def issuers(self) -> tuple[str, ...]:
        """Everybody whose tokens count."""
        return self.issuer, *self.older_issuers

    @property
    def keys(self) -> tuple[VerificationKey, ...]:
        """Every key whose signature counts."""
        own = self.signing_key.public
        return own, *(key for key in self.older_keys if key.key_id != own.key_id)

    @property
    def is_discoverable(self) -> bool:
        """OpenID Connect discovery wants an issuer that is an https URL, without query or fragment."""
        parts = urlsplit(self.issuer)
        return parts.scheme == "https" and bool(parts.netloc) and not parts.query and not parts.fragment
