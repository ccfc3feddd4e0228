"""Tokens as bytes: what is signed is what is read, and nothing else passes."""

import base64

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from kubeapi.serviceaccounts import jwt
from kubeapi.serviceaccounts.jwt import SigningKey

KEY = SigningKey(ec.generate_private_key(ec.SECP256R1()))
TOKEN = KEY.sign({"iss": "us", "sub": "bob"})


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


def test_what_is_signed_can_be_read_and_verified() -> None:
    assert jwt.read(TOKEN) == ({"alg": "ES256", "kid": KEY.public.key_id}, {"iss": "us", "sub": "bob"})
    assert KEY.public.is_signed(TOKEN)


def test_a_token_whose_claims_were_changed_is_not_signed() -> None:
    header, _, signature = TOKEN.split(".")
    assert not KEY.public.is_signed(f"{header}.{_part({'iss': 'us', 'sub': 'root'})}.{signature}")


@pytest.mark.parametrize("signature", ["", "AAAA", "!!", "A" * 86, "A" * 87])
def test_a_broken_signature_is_none(signature: str) -> None:
    assert not KEY.public.is_signed(f"{TOKEN.rpartition('.')[0]}.{signature}")


def test_another_key_has_another_id_and_does_not_verify() -> None:
    other = SigningKey(ec.generate_private_key(ec.SECP256R1()))
    assert other.public.key_id != KEY.public.key_id
    assert not other.public.is_signed(TOKEN)


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c.d", "%.%.%", "ä.b.c", f"{_part([])}.{_part({})}.x"])
def test_what_is_no_token_is_not_read(text: str) -> None:
    assert jwt.read(text) is None


def test_a_public_key_is_published_as_numbers_and_the_hash_of_itself() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    shown = SigningKey(private).public.to_jwk()
    point = private.public_key().public_numbers()
    assert (shown["kty"], shown["crv"], shown["alg"], shown["use"]) == ("EC", "P-256", "ES256", "sig")
    for name, number in (("x", point.x), ("y", point.y)):
        raw = base64.urlsafe_b64decode(shown[name] + "=")
        assert (len(raw), int.from_bytes(raw)) == (32, number)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def test_only_keys_on_p256_sign() -> None:
    assert SigningKey.from_pem(_pem(ec.generate_private_key(ec.SECP256R1()))).sign({})
    with pytest.raises(ValueError, match="secp384r1"):
        SigningKey.from_pem(_pem(ec.generate_private_key(ec.SECP384R1())))
    with pytest.raises(ValueError, match="not an ECDSA key"):
        SigningKey.from_pem(_pem(rsa.generate_private_key(65537, 2048)))
