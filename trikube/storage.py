"""Which storage engine a control plane runs on. Called by `trikube/controlplane.py`."""

import os

from generic.storage.interface import StorageOpener
from generic.storage.sqlite import SqliteStorage
from trikube.options import ControlPlaneOptions

DATABASE = "trikube.db"


def opener(options: ControlPlaneOptions) -> StorageOpener:
    """Makes the engine the options ask for; it is not started."""
    if options.storage == "sqlite":
        return lambda: SqliteStorage(options.data_dir / DATABASE)
    # gRPC takes 17 MB and a tenth of a second: only who uses etcd pays for it.
    from generic.storage.etcd import EtcdStorage  # noqa: PLC0415

    return lambda: EtcdStorage(
        options.etcd_servers,
        ca_file=_text(options.etcd_cafile),
        cert_file=_text(options.etcd_certfile),
        key_file=_text(options.etcd_keyfile),
    )


def _text(path: os.PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)
