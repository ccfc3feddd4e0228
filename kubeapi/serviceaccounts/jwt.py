"""JSON Web Tokens signed with ECDSA on P-256: ES256, and nothing else.

Called by `issuer.py` and `authenticator.py`. A token that names another algorithm is none of ours: which one counts is
not the sender's to say. Mirrors `pkg/serviceaccount/jwt.go`; RFC 7515, 7518 section 3.4, 7638.
"""

import base64
import binascii
import hashlib
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from generic.types import JSONObject

ALGORITHM = "ES256"
_NUMBER = 32
"""Bytes of one of the two numbers of a signature, or of a coordinate."""
_ECDSA = ec.ECDSA(hashes.SHA256())


class SigningKey:
    """The private key tokens are signed with."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        """Raises ValueError for a key on another curve."""
        self._key = key
        self.public = VerificationKey(key.public_key())

    @classmethod
    def from_pem(cls, pem: bytes) -> "SigningKey":
        """Raises ValueError if it is no such key."""
        key = serialization.load_pem_private_key(pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the service-account key is not an ECDSA key")
        return cls(key)

    def sign(self, claims: JSONObject) -> str:
        """The token that says this."""
        header = {"alg": ALGORITHM, "kid": self.public.key_id}
        signed = f"{_encode(orjson.dumps(header))}.{_encode(orjson.dumps(claims, option=orjson.OPT_SORT_KEYS))}"
        first, second = decode_dss_signature(self._key.sign(signed.encode(), _ECDSA))
        return f"{signed}.{_encode(first.to_bytes(_NUMBER) + second.to_bytes(_NUMBER))}"


class VerificationKey:
    """A public key, known by the hash of what it is."""

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        """Raises ValueError for a key on another curve."""
        if not isinstance(key.curve, ec.SECP256R1):
            raise ValueError(f"service-account tokens are signed on P-256, the key is on {key.curve.name}")
        self._key = key
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.key_id = _encode(hashlib.sha256(der).digest())

    def is_signed(self, token: str) -> bool:
        """Whether the token was signed with the private half of this key."""
        signed, _, encoded = token.rpartition(".")
        try:
            signature = _decode(encoded)
        except ValueError:
            return False
        if len(signature) != 2 * _NUMBER:
            return False
        numbers = int.from_bytes(signature[:_NUMBER]), int.from_bytes(signature[_NUMBER:])
        try:
            self._key.verify(encode_dss_signature(*numbers), signed.encode(), _ECDSA)
        except InvalidSignature:
            return False
        return True

    def to_jwk(self) -> JSONObject:
        """As a JSON Web Key."""
        point = self._key.public_numbers()
        return {
            "use": "sig",
            "kty": "EC",
            "kid": self.key_id,
            "crv": "P-256",
            "alg": ALGORITHM,
            "x": _encode(point.x.to_bytes(_NUMBER)),
            "y": _encode(point.y.to_bytes(_NUMBER)),
        }


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


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
