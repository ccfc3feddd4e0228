"""The flags of service accounts, and what they make of the key in the PKI.

Part of the options of `trikube up`. Mirrors `pkg/kubeapiserver/options/authentication.go` and
completeServiceAccountOptions of `pkg/controlplane/apiserver/options/options.go`.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from generic import flags
from generic.meta.go_text import quote
from kubeapi.serviceaccounts import jwt
from kubeapi.serviceaccounts.jwt import SigningKey
from kubeapi.serviceaccounts.options import DEFAULT_ISSUER, ServiceAccountOptions

_LEAST_MAXIMUM, _MOST_MAXIMUM = 3600, 2**32


@dataclass(frozen=True, slots=True)
class ServiceAccountFlags:
    """As given. `max_token_expiration` in seconds; 0: no limit."""

    issuers: tuple[str, ...] = (DEFAULT_ISSUER,)
    api_audiences: tuple[str, ...] = ()
    key_files: tuple[Path, ...] = ()
    signing_key_file: Path | None = None
    max_token_expiration: float = 0.0
    lookup: bool = True
    extend_token_expiration: bool = True
    jwks_uri: str = ""

    def check(self) -> None:
        """Raises ValueError, in one line for the user."""
        seen: set[str] = set()
        for issuer in self.issuers:
            if not issuer:
                raise ValueError("service-account-issuer should not be an empty string")
            if issuer in seen:
                raise ValueError(f"service-account-issuer {quote(issuer)} is already specified")
            seen.add(issuer)
            _parsed(issuer, f"service-account-issuer {quote(issuer)} contained a ':' but was not a valid URL")
        if self.jwks_uri and _parsed(self.jwks_uri, "service-account-jwks-uri must be a valid URL") != "https":
            raise ValueError(f"service-account-jwks-uri requires https scheme, parsed as: {self.jwks_uri}")
        if self.max_token_expiration and not _LEAST_MAXIMUM <= self.max_token_expiration <= _MOST_MAXIMUM:
            raise ValueError("the service-account-max-token-expiration must be between 1 hour and 2^32 seconds")

    def load(self, key_file: Path) -> ServiceAccountOptions:
        """The options, with their keys read. `key_file` signs unless the flags name another. Raises ValueError."""
        signing_file = self.signing_key_file or key_file
        try:
            signing_key = SigningKey.from_pem(signing_file.read_bytes())
        except (OSError, ValueError) as error:
            raise ValueError(f"failed to parse service-account-issuer-key-file: {error}") from error
        older = []
        for file in self.key_files:
            try:
                older += jwt.public_keys(file.read_bytes())
            except (OSError, ValueError) as error:
                raise ValueError(f"error reading public key file {file}: {error}") from error
        return ServiceAccountOptions(
            signing_key,
            issuer=self.issuers[0],
            older_issuers=self.issuers[1:],
            audiences=self.api_audiences,
            older_keys=tuple(older),
            extends_expiration=self.extend_token_expiration,
            most_seconds=int(self.max_token_expiration),
            lookup=self.lookup,
            jwks_uri=self.jwks_uri,
        )


def _parsed(url: str, otherwise: str) -> str:
    """The scheme. Raises ValueError."""
    try:
        return urlsplit(url).scheme
    except ValueError as error:
        raise ValueError(f"{otherwise}: {error}") from None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """With kube-apiserver's names."""
    parser.add_argument(
        "--service-account-issuer",
        action="append",
        metavar="ISSUER",
        help="who issues service-account tokens; of several the first, the tokens of the others stay good",
    )
    parser.add_argument(
        "--api-audiences",
        type=flags.listed,
        default=(),
        help="whom tokens are for, comma separated; default: the issuers",
    )
    parser.add_argument(
        "--service-account-key-file",
        action="append",
        type=Path,
        metavar="FILE",
        help="PEM of keys, or certificates, whose service-account tokens are good; may be repeated",
    )
    parser.add_argument(
        "--service-account-signing-key-file",
        type=Path,
        metavar="FILE",
        help="private key that signs service-account tokens, RSA or ECDSA; default: the one of the data directory",
    )
    parser.add_argument(
        "--service-account-max-token-expiration",
        type=flags.duration,
        default=0.0,
        metavar="DURATION",
        help="service-account tokens that are to be good for longer are shortened to this",
    )
    flags.add_boolean(
        parser,
        "--service-account-lookup",
        default=True,
        help="tokens of Secrets are only good as long as the Secret holds them",
    )
    flags.add_boolean(
        parser,
        "--service-account-extend-token-expiration",
        default=True,
        help="the token a pod is given is good for a year, for clients that read it once",
    )
    parser.add_argument(
        "--service-account-jwks-uri", default="", metavar="URI", help="where others find the keys; default: here"
    )


def from_arguments(parsed: argparse.Namespace) -> ServiceAccountFlags:
    """What was given. Not checked yet."""
    return ServiceAccountFlags(
        issuers=tuple(parsed.service_account_issuer or (DEFAULT_ISSUER,)),
        api_audiences=parsed.api_audiences,
        key_files=tuple(parsed.service_account_key_file or ()),
        signing_key_file=parsed.service_account_signing_key_file,
        max_token_expiration=parsed.service_account_max_token_expiration,
        lookup=parsed.service_account_lookup,
        extend_token_expiration=parsed.service_account_extend_token_expiration,
        jwks_uri=parsed.service_account_jwks_uri,
    )
