"""What an aggregated server is told about its clients: the ConfigMap extension-apiserver-authentication, parsed.

Called by `delegated.py`, which reads the ConfigMap and follows it. Mirrors
`apiserver/pkg/authentication/request/headerrequest/requestheader_controller.go` and
`apiserver/pkg/server/dynamiccertificates/configmap_cafile_content.go`.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from generic.authentication.request_header import RequestHeaderOptions
from generic.types import JSONObject

NAMESPACE = "kube-system"
NAME = "extension-apiserver-authentication"

CLIENT_CA = "client-ca-file"
REQUEST_HEADER_CA = "requestheader-client-ca-file"

NO_FRONT_PROXY = RequestHeaderOptions((), (), (), ())
"""No header names a user: nobody is believed as a front proxy."""


@dataclass(frozen=True, slots=True)
class ClientTrust:
    """Whom to believe. A bundle is PEM of certificates alone; None where the ConfigMap has none."""

    client_ca: bytes | None = None
    request_header_ca: bytes | None = None
    request_header: RequestHeaderOptions = NO_FRONT_PROXY


def parse(config_map: JSONObject) -> ClientTrust:
    """Raises ValueError, with one line, on a member that cannot be read."""
    data = config_map.get("data") or {}
    return ClientTrust(
        client_ca=_bundle(data, CLIENT_CA),
        request_header_ca=_bundle(data, REQUEST_HEADER_CA),
        request_header=RequestHeaderOptions(
            username_headers=_names(data, "requestheader-username-headers"),
            uid_headers=_names(data, "requestheader-uid-headers"),
            group_headers=_names(data, "requestheader-group-headers"),
            extra_header_prefixes=_names(data, "requestheader-extra-headers-prefix"),
            allowed_names=_names(data, "requestheader-allowed-names"),
        ),
    )


def nobody() -> bytes:
    """The certificate of an authority whose key is gone: who trusts it trusts nobody.

    It keeps the place of an authority not known yet. A listener that starts with it asks clients for certificates
    from its first connection on, and needs no restart when the real one comes.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509
        .CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _bundle(data: JSONObject, key: str) -> bytes | None:
    pem: Any = data.get(key)
    if not pem:
        return None
    try:
        found = x509.load_pem_x509_certificates(str(pem).encode())
    except ValueError:
        raise ValueError(f"{key} holds no readable certificate") from None
    # Encoded again: what else the file held, such as comments, is nothing for OpenSSL.
    return b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in found)


def _names(data: JSONObject, key: str) -> Sequence[str]:
    text: Any = data.get(key)
    if not text:
        return ()
    try:
        names = orjson.loads(text)
    except orjson.JSONDecodeError:
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{key} is not a JSON list of strings")
    return tuple(names)
