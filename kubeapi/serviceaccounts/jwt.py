"""JSON Web Tokens signed with RSA (RS256) or ECDSA (ES256, ES384, ES512), as the key is.

Called by `issuer.py` and `authenticator.py`. A key has one algorithm: a token that names another is none of its, for
which one counts is not the sender's to say. Mirrors `pkg/serviceaccount/jwt.go` and ParsePublicKeysPEM of
`client-go/util/keyutil`; RFC 7515, 7518 sections 3.3 and 3.4, 7638.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from generic.types import JSONObject

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class _Curve(NamedTuple):
    """`size`: bytes of one of the two numbers of a signature, or of a coordinate."""

    algorithm: str
    name: str
    hash: hashes.HashAlgorithm
    size: int


_CURVES = {
    "secp256r1": _Curve("ES256", "P-256", hashes.SHA256(), 32),
    "secp384r1": _Curve("ES384", "P-384", hashes.SHA384(), 48),
    "secp521r1": _Curve("ES512", "P-521", hashes.SHA512(), 66),
}
_RSA = "RS256"
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


class SigningKey:
    """The private key tokens are signed with."""

    def __init__(self, key: PrivateKey) -> None:
        """Raises ValueError for a key on a curve that has no algorithm."""
        self._key = key
        self.public = VerificationKey(key.public_key())

    @classmethod
    def from_pem(cls, pem: bytes) -> "SigningKey":
        """Raises ValueError if it holds no such key."""
        for label, block in _blocks(pem):
            if label.endswith("PRIVATE KEY"):
                return cls(_private(block))
        raise ValueError("data does not contain a valid RSA or ECDSA private key")

    def sign(self, claims: JSONObject) -> str:
        """The token that says this."""
        header = {"alg": self.public.algorithm, "kid": self.public.key_id}
        signed = f"{_encode(orjson.dumps(header))}.{_encode(orjson.dumps(claims, option=orjson.OPT_SORT_KEYS))}"
        return f"{signed}.{_encode(self._signature(signed.encode()))}"

    def _signature(self, signed: bytes) -> bytes:
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(signed, PKCS1v15(), hashes.SHA256())
        curve = _CURVES[self._key.curve.name]
        first, second = decode_dss_signature(self._key.sign(signed, ec.ECDSA(curve.hash)))
        return first.to_bytes(curve.size) + second.to_bytes(curve.size)


class VerificationKey:
    """A public key, known by the hash of what it is."""

    def __init__(self, key: PublicKey) -> None:
        """Raises ValueError for a key on a curve that has no algorithm."""
        if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
            raise ValueError(f"unknown private key curve {key.curve.name}, must be 256, 384, or 521")
        self._key = key
        self.algorithm = _RSA if isinstance(key, rsa.RSAPublicKey) else _CURVES[key.curve.name].algorithm
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.key_id = _encode(hashlib.sha256(der).digest())

    def is_signed(self, token: str) -> bool:
        """Whether the token was signed with the private half of this key."""
        signed, _, encoded = token.rpartition(".")
        try:
            self._verify(_decode(encoded), signed.encode())
        except (ValueError, InvalidSignature):
            return False
        return True

    def _verify(self, signature: bytes, signed: bytes) -> None:
        if isinstance(self._key, rsa.RSAPublicKey):
            self._key.verify(signature, signed, PKCS1v15(), hashes.SHA256())
            return
        curve = _CURVES[self._key.curve.name]
        if len(signature) != 2 * curve.size:
            raise ValueError("a signature of another length")
        numbers = int.from_bytes(signature[: curve.size]), int.from_bytes(signature[curve.size :])
        self._key.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(curve.hash))

    def to_jwk(self) -> JSONObject:
        """As a JSON Web Key."""
        shown = {"use": "sig", "kid": self.key_id, "alg": self.algorithm}
        if isinstance(self._key, rsa.RSAPublicKey):
            numbers = self._key.public_numbers()
            return {**shown, "kty": "RSA", "n": _number(numbers.n), "e": _number(numbers.e)}
        curve, point = _CURVES[self._key.curve.name], self._key.public_numbers()
        x, y = (_encode(number.to_bytes(curve.size)) for number in (point.x, point.y))
        return {**shown, "kty": "EC", "crv": curve.name, "x": x, "y": y}


def public_keys(pem: bytes) -> list[VerificationKey]:
    """Every key of a file, be it public, private or in a certificate. Raises ValueError if there is none."""
    found = [VerificationKey(key) for label, block in _blocks(pem) if (key := _public(label, block)) is not None]
    if not found:
        raise ValueError("data does not contain any valid RSA or ECDSA public keys")
    return found


def is_signed_by(keys: Iterable[VerificationKey], header: JSONObject, token: str) -> bool:
    """Whether one of the keys signed the token, in the way the key signs."""
    algorithm = header.get("alg")
    return any(key.algorithm == algorithm and key.is_signed(token) for key in keys)


def read(token: str) -> tuple[JSONObject, JSONObject] | None:
    """Header and claims of what looks like a token, not to be believed before its signature is checked."""
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        return None
    try:
        header, claims = (_object(part) for part in parts[:2])
    except ValueError:
        return None
    return header, claims


def _object(part: str) -> JSONObject:
    value: Any = orjson.loads(_decode(part))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def _blocks(pem: bytes) -> list[tuple[str, bytes]]:
    return [(match[1].decode(), match[0]) for match in _BLOCK.finditer(pem)]


def _private(block: bytes) -> PrivateKey:
    key = serialization.load_pem_private_key(block, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("data does not contain a valid RSA or ECDSA private key")
    return key


def _public(label: str, block: bytes) -> PublicKey | None:
    """None: the block is of something else, such as the parameters of a curve."""
    key: Any = None
    if label.endswith("PRIVATE KEY"):
        return _private(block).public_key()
    if label.endswith("PUBLIC KEY"):
        key = serialization.load_pem_public_key(block)
    elif label == "CERTIFICATE":
        key = x509.load_pem_x509_certificate(block).public_key()
    return key if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) else None


def _number(value: int) -> str:
    return _encode(value.to_bytes((value.bit_length() + 7) // 8))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
