"""What aggregated servers need to know whom they serve: the data of one ConfigMap, and how two servers' parts combine.

Pure functions, called by `kubeapi/controllers/authentication_info.py`. Mirrors the lower half of
`pkg/controlplane/controller/clusterauthenticationtrust/cluster_authentication_trust_controller.go`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from generic.authentication.authority import CertificateAuthority
from generic.authentication.request_header import RequestHeaderOptions

CLIENT_CA = "client-ca-file"
FRONT_PROXY_CA = "requestheader-client-ca-file"
_SLACK = timedelta(minutes=5)
"""How long a certificate stays after it has expired: clocks differ."""


@dataclass(frozen=True, slots=True)
class AuthenticationInfo:
    """Whom this server believes: the live authorities, and the names in the front proxy's headers."""

    client_ca: CertificateAuthority
    front_proxy_ca: CertificateAuthority
    front_proxy: RequestHeaderOptions

    def reload(self) -> None:
        """Read the files of the authorities again, if they changed."""
        self.client_ca.reload_if_changed()
        self.front_proxy_ca.reload_if_changed()

    def lists(self) -> Mapping[str, Sequence[str]]:
        """The keys that hold JSON lists."""
        names = self.front_proxy
        return {
            "requestheader-username-headers": names.username_headers,
            "requestheader-uid-headers": names.uid_headers,
            "requestheader-group-headers": names.group_headers,
            "requestheader-extra-headers-prefix": names.extra_header_prefixes,
            "requestheader-allowed-names": names.allowed_names,
        }


def combined(info: AuthenticationInfo, found: Mapping[str, str]) -> dict[str, str]:
    """The data that says what `found` says and what this server adds; several servers may serve one store.

    A part of `found` that cannot be read is left out, where Kubernetes gives up, and so is a key that has no place
    there. Of an authority that was replaced, the old certificates stay until they expire: there may be servers that
    still use them.
    """
    now = datetime.now(UTC)
    data = {key: _both_lists(found.get(key, ""), own) for key, own in info.lists().items()}
    for key, authority in ((CLIENT_CA, info.client_ca), (FRONT_PROXY_CA, info.front_proxy_ca)):
        data[key] = _both_bundles(found.get(key, ""), authority.pem.decode("ascii", "ignore"), now)
    return data


def _both_lists(found: str, own: Sequence[str]) -> str:
    try:
        listed = orjson.loads(found) if found else []
    except orjson.JSONDecodeError:
        listed = []
    if not isinstance(listed, list) or not all(isinstance(entry, str) for entry in listed):
        listed = []
    return orjson.dumps(list(dict.fromkeys([*listed, *own]))).decode()


def _both_bundles(found: str, own: str, now: datetime) -> str:
    certificates = [*_certificates(found), *_certificates(own)]
    # Certificates compare equal by their bytes.
    kept = dict.fromkeys(cert for cert in certificates if cert.not_valid_after_utc > now - _SLACK)
    return "".join(cert.public_bytes(Encoding.PEM).decode() for cert in kept)


def _certificates(pem: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        return []
