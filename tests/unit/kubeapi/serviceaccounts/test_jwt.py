"""Tokens as bytes: what is signed is what is read, and nothing else passes."""

import base64

import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from kubeapi.serviceaccounts import jwt
from kubeapi.serviceaccounts.jwt import SigningKey
from tests.support.certificates import Authority

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


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


RSA = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("private", "algorithm", "shown"),
    [
        (RSA, "RS256", {"kty": "RSA", "e": "AQAB"}),
        (ec.generate_private_key(ec.SECP256R1()), "ES256", {"kty": "EC", "crv": "P-256"}),
        (ec.generate_private_key(ec.SECP384R1()), "ES384", {"kty": "EC", "crv": "P-384"}),
        (ec.generate_private_key(ec.SECP521R1()), "ES512", {"kty": "EC", "crv": "P-521"}),
    ],
    ids=["rsa", "p256", "p384", "p521"],
)
def test_a_key_signs_in_its_own_way_and_in_no_other(
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, algorithm: str, shown: dict[str, str]
) -> None:
    key = SigningKey.from_pem(_pem(private))
    token = key.sign({"sub": "bob"})
    header, _ = jwt.read(token) or ({}, {})
    assert header == {"alg": algorithm, "kid": key.public.key_id}
    assert jwt.is_signed_by([key.public], header, token)
    assert not jwt.is_signed_by([key.public], {**header, "alg": "HS256"}, token)
    assert not key.public.is_signed(token[:-8] + "AAAAAAAA")
    published = key.public.to_jwk()
    assert shown.items() <= published.items()
    assert (published["alg"], published["kid"]) == (algorithm, key.public.key_id)


def test_a_file_may_hold_several_keys_in_several_forms() -> None:
    first, second = ec.generate_private_key(ec.SECP256R1()), RSA
    public = second.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    certified = Authority("some")
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    found = jwt.public_keys(b"text\n" + parameters + _pem(first) + public + certified.pem)
    assert [key.key_id for key in found[:2]] == [SigningKey(key).public.key_id for key in (first, second)]
    assert len(found) == 3
    for useless in (b"", b"text", parameters, _pem(ed25519.Ed25519PrivateKey.generate())):
        with pytest.raises(ValueError, match="does not contain"):
            jwt.public_keys(useless)
    assert SigningKey.from_pem(parameters + _pem(first)).public.key_id == found[0].key_id
    with pytest.raises(ValueError, match="does not contain a valid RSA or ECDSA private key"):
        SigningKey.from_pem(public)
