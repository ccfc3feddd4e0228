"""Reads and writes the files of a PKI: atomically, for the owner's eyes only, with one-line errors.

Called by `trikube.pki.layout` and `trikube.kubeconfig`.
"""

import os
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


class PKIError(Exception):
    """The stored keys and certificates cannot be used; the message is one line and names the file."""


def private_directory(path: Path) -> None:
    """Make a directory that nobody else may enter. Raises PKIError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise PKIError(f"cannot make directory {path}: {error.strerror}") from error


def write(path: Path, data: bytes) -> None:
    """Replace a file whole, mode 0600: a reader sees the old bytes or the new, also after a power cut.

    Raises PKIError.
    """
    try:
        # mkstemp's files are 0600 from the start; a chmod after open would leave a gap.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PKIError(f"cannot write {path}: {error.strerror}") from error


def read(path: Path) -> bytes | None:
    """The file's bytes, None if there is no such file. Raises PKIError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise PKIError(f"cannot read {path}: {error.strerror}") from error


def read_key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """The ECDSA private key in a PEM file, None if there is no such file. Raises PKIError."""
    data = read(path)
    if data is None:
        return None
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise PKIError(f"{path} holds no readable private key") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PKIError(f"{path} holds a private key that is not ECDSA")
    return key


def read_cert(path: Path) -> x509.Certificate | None:
    """The first certificate in a PEM file, None if there is no such file. Raises PKIError."""
    data = read(path)
    if data is None:
        return None
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError as error:
        raise PKIError(f"{path} holds no readable certificate") from error
