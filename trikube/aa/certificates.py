"""Certificates for a server that was given none, and for trying it out: an authority, a server, an administrator.

Called by `run.py`. Kept in the data directory, so that a kubeconfig stays good over restarts. Mirrors what
`apiserver/pkg/server/options/serving.go` makes in `--cert-dir`.
"""

import datetime
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from generic.request.user import PRIVILEGED_GROUP
from trikube import kubeconfig
from trikube.aa.options import OptionsError
from trikube.pki import files, issue

_LEFT = datetime.timedelta(days=30)
"""With less than this to live, they are made anew at the next start."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in one directory; keys are readable by their owner alone."""

    directory: Path

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
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    def write_kubeconfig(self, server: str) -> None:
        """The administrator's, everything embedded. Raises OptionsError."""
        try:
            kubeconfig.write(
                self.kubeconfig,
                server=server,
                ca=self.ca_cert.read_bytes(),
                client_cert=self.admin_cert.read_bytes(),
                client_key=self.admin_key.read_bytes(),
                user="admin",
                cluster="aa",
            )
        except files.PKIError as error:
            raise OptionsError(str(error)) from error


def ensure(directory: Path, names: Sequence[str]) -> Certificates:
    """Make what is not there, or about to expire; `names` are the server's. Raises OptionsError."""
    found = Certificates(directory)
    try:
        if not _lives(found):
            _make(found, names)
    except files.PKIError as error:
        raise OptionsError(str(error)) from error
    return found


def _make(wanted: Certificates, names: Sequence[str]) -> None:
    files.private_directory(wanted.directory)
    authority = issue.new_authority(f"aa-ca-{secrets.token_hex(4)}")
    serving, admin = authority.issue_serving(names), authority.issue_client("admin", (PRIVILEGED_GROUP,))
    for path, data in (
        (wanted.ca_cert, authority.pem),
        (wanted.serving_cert, serving.cert),
        (wanted.serving_key, serving.key),
        (wanted.admin_cert, admin.cert),
        (wanted.admin_key, admin.key),
    ):
        files.write(path, data)


def _lives(found: Certificates) -> bool:
    """Everything is there, and for some time yet."""
    paths = (found.ca_cert, found.serving_cert, found.serving_key, found.admin_cert, found.admin_key)
    if not all(path.is_file() for path in paths):
        return False
    try:
        serving = files.read_cert(found.serving_cert)
    except files.PKIError:
        # Nobody else has signed anything with it: a damaged one is made anew.
        return False
    return serving is not None and serving.not_valid_after_utc - datetime.datetime.now(datetime.UTC) > _LEFT


def own_names(name: str) -> tuple[str, ...]:
    """What clients may call a server: on this machine, and the aggregator by the Service of its registration."""
    return tuple(dict.fromkeys((f"{name}.{name}.svc", "localhost", "127.0.0.1", "::1", socket.gethostname())))
