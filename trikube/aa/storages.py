"""Where a resource's objects live: the choices an author has beside the server's own storage.

Given to `APIServer.with_resource(..., storage=...)`; opened by `run.py`. The server's own is sqlite in its data
directory or, with `--etcd-servers`, etcd.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from generic.storage.files import FileStorage
from generic.storage.interface import Storage
from generic.storage.objects import StoredObject
from generic.storage.sqlite import SqliteStorage
from generic.types import JSONObject
from trikube.aa.options import Options


@dataclass(frozen=True, slots=True)
class StorageChoice:
    """An engine, made when the options are known. Resources given the same place share it."""

    place: str
    open: Callable[[Options], Storage] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class NotStored:
    """Objects of the kind are answers: POST runs the hooks and `answer`, and nothing is kept."""


NOT_STORED = NotStored()


def sqlite(path: Path | str) -> StorageChoice:
    """A database of its own."""
    return StorageChoice(f"sqlite {path}", lambda options: SqliteStorage(options.data_dir / path))


def files(path: Path | str) -> StorageChoice:
    """A folder with a JSON file for each object, for people to read and keep in version control; for small numbers."""
    return StorageChoice(f"files {path}", lambda options: FileStorage(options.data_dir / path))


def etcd(
    servers: Sequence[str], *, ca_file: str | None = None, cert_file: str | None = None, key_file: str | None = None
) -> StorageChoice:
    """An etcd cluster of its own; the files are PEM."""

    def make(options: Options) -> Storage:
        return _etcd(servers, ca_file, cert_file, key_file)

    return StorageChoice(f"etcd {','.join(servers)}", make)


def of_the_server(options: Options) -> Storage:
    """What the flags ask for."""
    if not options.etcd_servers:
        return SqliteStorage(options.data_dir / "store.db")
    files = (options.etcd_cafile, options.etcd_certfile, options.etcd_keyfile)
    return _etcd(options.etcd_servers, *(None if path is None else str(path) for path in files))


def _etcd(servers: Sequence[str], ca_file: str | None, cert_file: str | None, key_file: str | None) -> Storage:
    # gRPC takes 17 MB and a tenth of a second: only who uses etcd pays for it.
    from generic.storage.etcd import EtcdStorage  # noqa: PLC0415

    return EtcdStorage(servers, ca_file=ca_file, cert_file=cert_file, key_file=key_file)


def stored(obj: JSONObject, *, revision: int = 1) -> StoredObject:
    """An object as REST storage of an author's own hands it out."""
    metadata = {**obj["metadata"], "resourceVersion": str(revision)}
    return StoredObject(
        key=f"{metadata.get('namespace', '')}/{metadata['name']}",
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        revision=revision,
        raw=orjson.dumps({**obj, "metadata": metadata}),
        labels=metadata.get("labels") or {},
    )
