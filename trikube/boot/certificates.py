"""The certificates of a deployed server: an authority of its own, and a serving certificate kept while it lasts.

Called by `deploying`. Nothing is written here: what is new goes with the other files of the command.
"""

import datetime
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from trikube.boot.errors import BootError
from trikube.pki import files, issue, layout


@dataclass(frozen=True, slots=True)
class Certificates:
    """`new` maps file names to what is to be written into them."""

    ca: bytes
    serving: issue.Issued
    new: dict[str, str] = field(default_factory=dict)


def ensure(folder: Path, service: str, namespace: str, *, rotate: bool) -> Certificates:
    """Those in `folder`; what is missing, of another name, near its end or to be rotated, anew. Raises BootError."""
    name = f"{service}.{namespace}.svc"
    new: dict[str, str] = {}
    try:
        if (folder / "ca.crt").exists() or (folder / "ca.key").exists():
            authority = layout.load_authority(folder / "ca.crt", folder / "ca.key")
        else:
            authority = issue.new_authority(f"{service}-ca")
            new |= {"ca.crt": authority.pem.decode(), "ca.key": issue.key_pem(authority.key).decode()}
        serving = None if rotate or new else _kept(folder, authority, name)
    except files.PKIError as error:
        raise BootError(str(error)) from error
    if serving is None:
        serving = authority.issue_serving([name, f"{name}.cluster.local"])
        new |= {"tls.crt": serving.cert.decode(), "tls.key": serving.key.decode()}
    return Certificates(authority.pem, serving, new)


def _kept(folder: Path, authority: issue.Authority, name: str) -> issue.Issued | None:
    cert, key = files.read_cert(folder / "tls.crt"), files.read_key(folder / "tls.key")
    if cert is None or key is None or cert.public_key() != key.public_key():
        return None
    try:
        cert.verify_directly_issued_by(authority.cert)
        said = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # the library's own, ValueError or TypeError: whichever, it will not do
        return None
    left = cert.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    if name not in said.get_values_for_type(x509.DNSName) or left < layout.RENEW_BEFORE:
        return None
    return issue.Issued((folder / "tls.crt").read_bytes(), (folder / "tls.key").read_bytes())
