"""CertificateAuthority: which chains lead to it, and that no chain keeps it busy."""

from collections.abc import Iterator, Sequence
from unittest import mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from generic.authentication import authority
from generic.authentication.authority import CertificateAuthority
from generic.authentication.interface import AuthenticationError
from trikube.pki import issue
from trikube.pki.issue import Authority


def intermediate(parent: Authority, name: str, *, path_length: int | None = None) -> Authority:
    """An authority that `parent` vouches for."""
    own = issue.new_authority(name)
    builder = (
        x509
        .CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(parent.cert.subject)
        .public_key(own.key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(parent.cert.not_valid_before_utc)
        .not_valid_after(parent.cert.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.key.public_key()), critical=False)
    )
    return Authority(builder.sign(parent.key, hashes.SHA256()), own.key)


def chain(signer: Authority, *others: Authority) -> list[str]:
    return [signer.issue_client("bob").cert.decode(), *(other.pem.decode() for other in others)]


@pytest.fixture
def checked() -> Iterator[mock.Mock]:
    """Every check of a signature."""
    with mock.patch.object(authority, "_issued", side_effect=authority._issued) as spy:
        yield spy


def is_trusted(root: Authority, shown: Sequence[str]) -> bool:
    try:
        CertificateAuthority(root.pem).verify_client(shown)
    except AuthenticationError:
        return False
    return True


def test_a_chain_over_intermediates_leads_to_the_root_in_any_order() -> None:
    root = issue.new_authority("root")
    first = intermediate(root, "first")
    second = intermediate(first, "second")

    assert is_trusted(root, chain(second, second, first))
    assert is_trusted(root, chain(second, first, second))
    assert not is_trusted(root, chain(second, second))
    assert not is_trusted(issue.new_authority("root"), chain(second, second, first))


def test_an_authority_that_may_have_no_authorities_below_has_none() -> None:
    root = issue.new_authority("root")
    first = intermediate(root, "first", path_length=0)

    assert is_trusted(root, chain(first, first))
    second = intermediate(first, "second")
    assert not is_trusted(root, chain(second, second, first))


def test_authorities_that_vouch_for_one_another_are_looked_at_once_each(checked: mock.Mock) -> None:
    """A client may send what it likes behind its certificate; every order of nine authorities is too much to try."""
    signer = issue.new_authority("signer")
    same_name_and_key = [Authority(issue.self_signed("signer", signer.key), signer.key) for _ in range(4)]
    shown = chain(signer, *same_name_and_key, *[signer] * 4)

    assert not is_trusted(issue.new_authority("another"), shown)
    assert checked.call_count < 100


def test_what_cannot_be_parsed_is_refused() -> None:
    with pytest.raises(AuthenticationError, match="cannot be parsed"):
        CertificateAuthority(issue.new_authority("root").pem).verify_client(["nonsense"])


def test_a_bundle_without_a_certificate_is_refused_and_the_old_one_stays() -> None:
    root = issue.new_authority("root")
    trusted = CertificateAuthority(root.pem)
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    with pytest.raises(ValueError, match="no certificate found"):
        trusted.replace(pem)
    assert trusted.pem == root.pem
