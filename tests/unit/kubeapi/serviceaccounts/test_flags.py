"""The flags of service accounts: what they make of keys and issuers, and what they refuse."""

import argparse
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kubeapi.serviceaccounts import flags, jwt
from kubeapi.serviceaccounts.authenticator import ServiceAccountAuthenticator
from kubeapi.serviceaccounts.flags import ServiceAccountFlags
from kubeapi.serviceaccounts.jwt import SigningKey
from kubeapi.serviceaccounts.openid import configuration_of
from kubeapi.serviceaccounts.options import DEFAULT_ISSUER


def parse(*given: str) -> ServiceAccountFlags:
    parser = argparse.ArgumentParser()
    flags.add_flags(parser)
    found = flags.from_arguments(parser.parse_args(given))
    found.check()
    return found


def write_key(file: Path) -> SigningKey:
    key = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return SigningKey(key)


def test_without_flags_the_key_of_the_data_directory_signs_for_the_cluster(tmp_path: Path) -> None:
    own = write_key(tmp_path / "own.key")
    options = parse().load(tmp_path / "own.key")
    assert [key.key_id for key in options.keys] == [own.public.key_id]
    assert (options.issuers, options.audiences) == ((DEFAULT_ISSUER,), (DEFAULT_ISSUER,))
    assert (options.most_seconds, options.lookup, options.extends_expiration) == (0, True, True)


def test_the_first_issuer_signs_and_the_keys_and_issuers_of_old_stay_good(tmp_path: Path) -> None:
    new, old = write_key(tmp_path / "new.key"), write_key(tmp_path / "old.key")
    options = parse(
        *("--service-account-issuer", "https://new.example.com", "--service-account-issuer", "https://old.example.com"),
        *("--service-account-signing-key-file", str(tmp_path / "new.key")),
        *("--service-account-key-file", str(tmp_path / "old.key"), "--service-account-key-file", f"{tmp_path}/new.key"),
        *("--service-account-jwks-uri", "https://keys.example.com/jwks"),
        *("--service-account-max-token-expiration", "2h"),
        *("--service-account-lookup=false", "--service-account-extend-token-expiration=false"),
    ).load(tmp_path / "absent.key")
    assert [key.key_id for key in options.keys] == [new.public.key_id, old.public.key_id]
    assert options.issuer == "https://new.example.com"
    assert options.audiences == ("https://new.example.com", "https://old.example.com")
    assert (options.most_seconds, options.lookup, options.extends_expiration) == (7200, False, False)
    assert configuration_of(options, "here:6443")["jwks_uri"] == "https://keys.example.com/jwks"
    assert jwt.read(options.signing_key.sign({})) == ({"alg": "ES256", "kid": new.public.key_id}, {})


def test_whom_tokens_are_for_may_be_said(tmp_path: Path) -> None:
    write_key(tmp_path / "own.key")
    assert parse("--api-audiences", "a, b").load(tmp_path / "own.key").audiences == ("a", "b")


@pytest.mark.anyio
@pytest.mark.parametrize(("issuer", "known"), [("https://old.example.com", True), ("https://other.example.com", False)])
async def test_a_token_of_an_issuer_of_old_is_ours(tmp_path: Path, issuer: str, known: bool) -> None:
    write_key(tmp_path / "own.key")
    given = [f"--service-account-issuer={url}" for url in ("https://new.example.com", "https://old.example.com")]
    options = parse(*given).load(tmp_path / "own.key")
    nobody: Any = None
    authenticator = ServiceAccountAuthenticator(options, nobody)
    token = SigningKey(ec.generate_private_key(ec.SECP256R1())).sign({"iss": issuer})
    if known:
        with pytest.raises(Exception, match="no keys found"):
            await authenticator.authenticate_token(token)
    else:
        assert await authenticator.authenticate_token(token) is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["--service-account-issuer="], "service-account-issuer should not be an empty string"),
        (
            ["--service-account-issuer=a", "--service-account-issuer=a"],
            'service-account-issuer "a" is already specified',
        ),
        (["--service-account-issuer=http://[a"], "contained a ':' but was not a valid URL: "),
        (
            ["--service-account-jwks-uri=http://a/b"],
            "service-account-jwks-uri requires https scheme, parsed as: http://a/b",
        ),
        (["--service-account-max-token-expiration=59m"], "must be between 1 hour and 2^32 seconds"),
    ],
)
def test_what_cannot_be_is_refused(given: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        parse(*given)


def test_a_key_that_cannot_be_read_is_told_by_its_file(tmp_path: Path) -> None:
    write_key(tmp_path / "own.key")
    (tmp_path / "bad.key").write_text("nothing")
    with pytest.raises(ValueError, match=r"error reading public key file .*bad.key: data does not contain any valid"):
        parse(f"--service-account-key-file={tmp_path}/bad.key").load(tmp_path / "own.key")
    with pytest.raises(ValueError, match=r"failed to parse service-account-issuer-key-file: .*No such file"):
        parse(f"--service-account-signing-key-file={tmp_path}/none.key").load(tmp_path / "own.key")
