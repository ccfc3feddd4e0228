import datetime
import os
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trikube.pki import files, issue, layout

NAMES = {
    "ca.crt",
    "ca.key",
    "apiserver.crt",
    "apiserver.key",
    "admin.crt",
    "admin.key",
    "front-proxy-ca.crt",
    "front-proxy-ca.key",
    "front-proxy-client.crt",
    "front-proxy-client.key",
    "sa.key",
    "sa.pub",
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data" / "pki"


def cert(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(each.value) for each in certificate.subject.get_attributes_for_oid(oid)]


def test_first_start_makes_kubeadm_s_files_and_nothing_else(directory: Path) -> None:
    layout.ensure(directory)
    assert set(contents(directory)) == NAMES


def test_only_the_owner_can_read_them(directory: Path) -> None:
    layout.ensure(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_restart_keeps_every_byte(directory: Path) -> None:
    layout.ensure(directory, names=["api.example.com"])
    before = contents(directory)
    layout.ensure(directory, names=["api.example.com"])
    assert contents(directory) == before


def test_serving_certificate_names_what_clients_call_the_server(directory: Path) -> None:
    made = layout.ensure(directory, names=["api.example.com", "192.0.2.7"])
    san = cert(made.serving_cert).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"localhost", "kubernetes.default.svc.cluster.local", "api.example.com"} <= set(
        san.get_values_for_type(x509.DNSName)
    )
    assert {str(each) for each in san.get_values_for_type(x509.IPAddress)} == {
        "127.0.0.1",
        "::1",
        "10.96.0.1",
        "192.0.2.7",
    }


def test_client_certificates_carry_user_and_groups(directory: Path) -> None:
    made = layout.ensure(directory)
    admin = cert(made.admin_cert)
    assert attribute(admin, NameOID.COMMON_NAME) == ["kubernetes-admin"]
    assert attribute(admin, NameOID.ORGANIZATION_NAME) == ["system:masters"]
    usage = admin.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert attribute(cert(made.front_proxy_client_cert), NameOID.COMMON_NAME) == ["front-proxy-client"]


def test_each_leaf_is_signed_by_its_own_authority(directory: Path) -> None:
    made = layout.ensure(directory)
    for leaf, authority, other in (
        (made.serving_cert, made.cluster, made.front_proxy),
        (made.admin_cert, made.cluster, made.front_proxy),
        (made.front_proxy_client_cert, made.front_proxy, made.cluster),
    ):
        cert(leaf).verify_directly_issued_by(authority.cert)
        with pytest.raises(ValueError, match="Issuer"):
            cert(leaf).verify_directly_issued_by(other.cert)


def test_other_names_renew_the_serving_certificate_alone(directory: Path) -> None:
    layout.ensure(directory)
    before = contents(directory)
    layout.ensure(directory, names=["new.example.com"])
    after = contents(directory)
    assert {name for name in after if after[name] != before[name]} == {"apiserver.crt"}


def test_a_leaf_near_its_end_is_renewed_with_the_same_key(directory: Path) -> None:
    made = layout.ensure(directory)
    key = files.read_key(made.admin_key)
    assert key is not None
    subject = issue.client_subject(layout.ADMIN_USER, layout.ADMIN_GROUPS)
    old = made.cluster.sign(subject, key.public_key(), lifetime=datetime.timedelta(days=3))
    files.write(made.admin_cert, layout._pem(old))
    layout.ensure(directory)
    assert cert(made.admin_cert).not_valid_after_utc > old.not_valid_after_utc
    assert cert(made.admin_cert).public_key() == key.public_key()


@pytest.mark.parametrize("lost", sorted(NAMES - {"ca.key", "ca.crt", "front-proxy-ca.key", "front-proxy-ca.crt"}))
def test_a_lost_leaf_file_is_made_again(directory: Path, lost: str) -> None:
    layout.ensure(directory)
    (directory / lost).unlink()
    made = layout.ensure(directory)
    assert set(contents(directory)) == NAMES
    ssl.create_default_context().load_cert_chain(made.serving_cert, made.serving_key)
    ssl.create_default_context().load_cert_chain(made.admin_cert, made.admin_key)


def test_an_interrupted_first_start_goes_on_with_the_key_it_made(directory: Path) -> None:
    layout.ensure(directory)
    key = (directory / "ca.key").read_bytes()
    for path in directory.iterdir():
        if path.name != "ca.key":
            path.unlink()
    layout.ensure(directory)
    assert (directory / "ca.key").read_bytes() == key
    assert set(contents(directory)) == NAMES


@pytest.mark.parametrize("name", sorted(NAMES - {"sa.pub"}))
def test_a_broken_file_is_refused_by_name_in_one_line(directory: Path, name: str) -> None:
    layout.ensure(directory)
    (directory / name).write_bytes(b"garbage\n")
    with pytest.raises(files.PKIError) as raised:
        layout.ensure(directory)
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)
    assert (directory / name).read_bytes() == b"garbage\n"


def test_a_lost_authority_key_is_refused_and_not_replaced(directory: Path) -> None:
    layout.ensure(directory)
    (directory / "ca.key").unlink()
    with pytest.raises(files.PKIError, match=r"ca\.key does not exist"):
        layout.ensure(directory)
    assert not (directory / "ca.key").exists()


@pytest.mark.parametrize("stem", ["ca", "apiserver"])
def test_certificate_and_key_of_different_pairs_are_refused(directory: Path, stem: str) -> None:
    layout.ensure(directory)
    files.write(directory / f"{stem}.key", issue.key_pem(issue.new_key()))
    with pytest.raises(files.PKIError, match="do not belong together"):
        layout.ensure(directory)


def test_a_leaf_of_another_authority_is_refused(directory: Path) -> None:
    layout.ensure(directory)
    stranger = issue.new_authority("stranger").issue_client("kubernetes-admin", ["system:masters"])
    files.write(directory / "admin.crt", stranger.cert)
    files.write(directory / "admin.key", stranger.key)
    with pytest.raises(files.PKIError, match="is not signed by CN=kubernetes"):
        layout.ensure(directory)


def test_a_leaf_in_the_authority_s_place_is_refused(directory: Path) -> None:
    made = layout.ensure(directory)
    files.write(directory / "ca.crt", made.serving_cert.read_bytes())
    files.write(directory / "ca.key", made.serving_key.read_bytes())
    with pytest.raises(files.PKIError, match="is not a certificate of an authority"):
        layout.ensure(directory)


def test_a_directory_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(files.PKIError, match=r"cannot make directory .*: Not a directory"):
        layout.ensure(tmp_path / "file" / "pki")


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ca.crt"
    files.write(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(files.PKIError, match=r"cannot write .*ca\.crt: No space left on device"):
        files.write(path, b"new")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"ca.crt": b"old"}


def test_an_aa_s_serving_certificate_is_for_its_service_name() -> None:
    authority = issue.new_authority("aa")
    issued = authority.issue_serving(["wardle.wardle-system.svc"])
    san = (
        x509
        .load_pem_x509_certificate(issued.cert)
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert san.get_values_for_type(x509.DNSName) == ["wardle.wardle-system.svc"]
