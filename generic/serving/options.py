"""How to listen. Mirrors `apiserver/pkg/server/options/serving.go` and the limits of `secure_serving.go`."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SecureServingOptions:
    """Where to listen, as whom, whom to ask for a certificate, and how patient to be. Times are seconds."""

    bind_address: str = "0.0.0.0"
    """An IP address; `::` takes IPv4 as well."""
    port: int = 6443
    """0 lets the system choose."""
    cert_file: Path
    key_file: Path
    client_ca_files: Sequence[Path] = ()
    """Authorities of client certificates: the cluster's and the front proxy's. None: no client is asked for one."""
    min_tls_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2

    http2_max_streams_per_connection: int = 250
    max_header_bytes: int = 1 << 20
    header_timeout: float = 32.0
    """For a handshake, and for the head of a request once it began."""
    idle_timeout: float = 90.0
    """For a connection without a request."""
    linger_timeout: float = 5.0
    """How long to go on reading from a client that was answered before it had sent its whole body."""
    abandoned_timeout: float = 60.0
    """How long a handler may go on after its client left, before it is cancelled."""
