"""The authorities of client certificates as files, for the TLS listener, which reads them again when they change.

Written by `delegated.py`; their paths are for `generic.serving.options.SecureServingOptions.client_ca_files`.
"""

import os
import tempfile
from pathlib import Path


class AuthorityFiles:
    """Two bundles in a directory, 0600, each replaced as a whole: a reader sees the old one or the new one."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.client_ca = directory / "client-ca.crt"
        self.request_header_ca = directory / "requestheader-client-ca.crt"

    @property
    def paths(self) -> tuple[Path, Path]:
        """Both, for the listener."""
        return self.client_ca, self.request_header_ca

    def write(self, client_ca: bytes, request_header_ca: bytes) -> None:
        """Make the files say this; one that does already is left alone. Raises OSError."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path, pem in zip(self.paths, (client_ca, request_header_ca), strict=True):
            if not path.is_file() or path.read_bytes() != pem:
                _replace(path, pem)


def _replace(path: Path, data: bytes) -> None:
    # mkstemp's files are 0600 from the start.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
