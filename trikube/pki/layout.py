"""Which keys and certificates a control plane has, under kubeadm's file names, and keeping them valid.

Called by the control plane at start. Makes what is missing, renews a leaf near its end or with other
names, keeps everything else; refuses to go on with files that do not fit together, rather than replace an
authority that others trust. Mirrors `cmd/kubeadm/app/phases/certs`.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from trikube.pki import files, issue

FIRST_SERVICE_IP = "10.96.0.1"
SERVING_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
    "127.0.0.1",
    "::1",
    FIRST_SERVICE_IP,
)
"""What every client may call the server, as kubeadm has it (and ::1)."""

ADMIN_USER = "kubernetes-admin"
ADMIN_GROUPS = ("system:masters",)
FRONT_PROXY_USER = "front-proxy-client"

RENEW_BEFORE = datetime.timedelta(days=30)
"""A leaf with less than this left is renewed at the next start."""


@dataclass(frozen=True)
class Layout:
    """The paths of a PKI, and its two authorities, loaded."""

    directory: Path
    cluster: issue.Authority
    front_proxy: issue.Authority

    @property
    def ca_cert(self) -> Path:
        return self.directory / "ca.crt"

    @property
    def serving_cert(self) -> Path:
        return self.directory / "apiserver.crt"

    @property
    def serving_key(self) -> Path:
        return self.directory / "apiserver.key"

    @property
    def admin_cert(self) -> Path:
        return self.directory / "admin.crt"

    @property
    def admin_key(self) -> Path:
        return self.directory / "admin.key"

    @property
    def front_proxy_ca_cert(self) -> Path:
        return self.directory / "front-proxy-ca.crt"

    @property
    def front_proxy_client_cert(self) -> Path:
        return self.directory / "front-proxy-client.crt"

    @property
    def front_proxy_client_key(self) -> Path:
        return self.directory / "front-proxy-client.key"

    @property
    def service_account_key(self) -> Path:
        """Signs service-account tokens (ECDSA P-256, so ES256)."""
        return self.directory / "sa.key"

    @property
    def service_account_public_key(self) -> Path:
        return self.directory / "sa.pub"


def ensure(directory: Path, *, names: Iterable[str] = ()) -> Layout:
    """Make or load the PKI in `directory`; `names` are further DNS names and addresses of the server.

    Raises PKIError, with one line, on files that cannot be read or do not belong together.
    """
    files.private_directory(directory)
    layout = Layout(
        directory,
        cluster=_authority(directory, "ca", "kubernetes"),
        front_proxy=_authority(directory, "front-proxy-ca", "front-proxy-ca"),
    )
    serving = issue.serving_subject("kube-apiserver", [*SERVING_NAMES, *(name for name in names if name)])
    _leaf(layout.serving_cert, layout.cluster, serving)
    _leaf(layout.admin_cert, layout.cluster, issue.client_subject(ADMIN_USER, ADMIN_GROUPS))
    _leaf(layout.front_proxy_client_cert, layout.front_proxy, issue.client_subject(FRONT_PROXY_USER))
    _signing_key(layout)
    return layout


def load_authority(cert_file: Path, key_file: Path) -> issue.Authority:
    """An authority that exists already. Raises PKIError."""
    cert, key = files.read_cert(cert_file), files.read_key(key_file)
    if cert is None or key is None:
        raise files.PKIError(f"{cert_file if cert is None else key_file} does not exist")
    if cert.public_key() != key.public_key():
        raise files.PKIError(f"{cert_file} and {key_file} do not belong together")
    if not _is_authority(cert):
        raise files.PKIError(f"{cert_file} is not a certificate of an authority")
    if cert.not_valid_after_utc <= _now():
        raise files.PKIError(f"{cert_file} expired at {cert.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}")
    return issue.Authority(cert, key)


def _authority(directory: Path, stem: str, common_name: str) -> issue.Authority:
    cert_file, key_file = directory / f"{stem}.crt", directory / f"{stem}.key"
    if files.read_cert(cert_file) is None:
        # A key alone is a first start that was interrupted: nothing is signed with it yet, so it will do.
        key = files.read_key(key_file)
        if key is None:
            key = issue.new_key()
            files.write(key_file, issue.key_pem(key))
        files.write(cert_file, _pem(issue.self_signed(common_name, key)))
    return load_authority(cert_file, key_file)


def _leaf(cert_file: Path, authority: issue.Authority, subject: issue.Subject) -> None:
    """Keep a leaf, or renew it. Its key stays, so that a renewal replaces one file and cannot be half done."""
    key_file = cert_file.with_suffix(".key")
    key, cert = files.read_key(key_file), files.read_cert(cert_file)
    if key is None:
        key = issue.new_key()
        # Gone before the new key is there: a certificate beside another's key would be refused below.
        cert_file.unlink(missing_ok=True)
        cert = None
        files.write(key_file, issue.key_pem(key))
    if cert is not None:
        if cert.public_key() != key.public_key():
            raise files.PKIError(f"{cert_file} and {key_file} do not belong together")
        if not _signed_by(cert, authority):
            raise files.PKIError(f"{cert_file} is not signed by {authority.cert.subject.rfc4514_string()}")
        if cert.not_valid_after_utc - _now() > RENEW_BEFORE and _says(cert, subject):
            return
    files.write(cert_file, _pem(authority.sign(subject, key.public_key())))


def _signing_key(layout: Layout) -> None:
    key = files.read_key(layout.service_account_key)
    if key is None:
        key = issue.new_key()
        files.write(layout.service_account_key, issue.key_pem(key))
    # Written again when it differs: it follows from the key, whatever became of the file.
    if files.read(layout.service_account_public_key) != issue.public_pem(key):
        files.write(layout.service_account_public_key, issue.public_pem(key))


def _says(cert: x509.Certificate, subject: issue.Subject) -> bool:
    common = [str(each.value) for each in cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    organizations = [str(each.value) for each in cert.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    if common != [subject.common_name] or organizations != list(subject.organizations):
        return False
    wanted: Sequence[x509.GeneralName] = [issue.general_name(name) for name in subject.names]
    try:
        present = list(cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        present = []
    return set(present) == set(wanted)


def _signed_by(cert: x509.Certificate, authority: issue.Authority) -> bool:
    try:
        cert.verify_directly_issued_by(authority.cert)
    except Exception:  # the library's own, ValueError or TypeError: whichever, it is not ours
        return False
    return True


def _is_authority(cert: x509.Certificate) -> bool:
    try:
        return cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
