"""Client certificates of every kind, made on the spot."""

import datetime
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from generic.types import JSONObject

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_DAY = datetime.timedelta(days=1)


class Authority:
    """A certificate authority; `under` makes it an intermediate of another."""

    def __init__(
        self, name: str = "ca", *, under: "Authority | None" = None, ca: bool = True, path_length: int | None = None
    ) -> None:
        self.key: Key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = under or self
        builder = _builder(self.name, self.key, issuer.name, days=(-1, 1))
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length if ca else None), critical=True)
        self.certificate = _sign(builder, issuer.key)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def client(
        self,
        name: str = "bob",
        groups: Sequence[str] = (),
        *,
        uids: Sequence[str] = (),
        usages: Sequence[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.CLIENT_AUTH,),
        days: tuple[float, float] = (-1, 1),
        edwards: bool = False,
    ) -> str:
        """A client certificate, PEM. `days`: validity from now."""
        key: Key = ed25519.Ed25519PrivateKey.generate() if edwards else ec.generate_private_key(ec.SECP256R1())
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        parts += [x509.NameAttribute(x509.ObjectIdentifier("1.3.6.1.4.1.57683.2"), uid) for uid in uids]
        if name:
            parts.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
        builder = _builder(x509.Name(parts), key, self.name, days=days)
        if usages is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return _sign(builder, self.key).public_bytes(serialization.Encoding.PEM).decode()


def tls(*chain: str) -> JSONObject:
    """The ASGI tls extension of one connection."""
    return {"client_cert_chain": list(chain)}


def _builder(subject: x509.Name, key: Key, issuer: x509.Name, *, days: tuple[float, float]) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509
        .CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + days[0] * _DAY)
        .not_valid_after(now + days[1] * _DAY)
    )


def _sign(builder: x509.CertificateBuilder, key: Key) -> x509.Certificate:
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
