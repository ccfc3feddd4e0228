"""EtcdStorage: the storage engine for several replicas, on an etcd cluster (3.4 or newer).

Built by whoever composes a server, which is also who imports it: gRPC is loaded only then. Called through
`Storage` by the Cacher and the Store. Keys and values are as Kubernetes keeps them, so is every request: see
`apiserver/pkg/storage/etcd3/store.go`.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

from generic.storage.etcd_client import COMPACTED, EVERY_KEY, FUTURE, LEASE_NOT_FOUND, Client, EtcdError, Tls
from generic.storage.etcd_leases import Leases
from generic.storage.etcd_protos import rpc
from generic.storage.etcd_watch import Watcher
from generic.storage.interface import (
    Compacted,
    CompareFailed,
    FutureRevision,
    GetResult,
    KeyValue,
    RangeResult,
    StorageError,
    WatchHandle,
    WatchSink,
)
from generic.storage.keys import prefix_end


class EtcdStorage:
    """A `Storage` in etcd. Endpoints are `https://host:port` or `http://host:port`; the files are PEM.

    `deadline` in seconds is how long etcd may take for one request.
    """

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        ca_file: str | None = None,
        cert_file: str | None = None,
        key_file: str | None = None,
        deadline: float = 10.0,
    ) -> None:
        self._endpoints = list(endpoints)
        self._tls = Tls(ca_file, cert_file, key_file)
        self._deadline = deadline
        self._connected: _Connected | None = None

    async def start(self) -> None:
        """Connect. Raises StorageError if no endpoint answers."""
        if self._connected is not None:
            return
        client = Client(self._endpoints, tls=self._tls, deadline=self._deadline)
        try:
            await _revision(client)
        except BaseException:
            await client.close()
            raise
        self._connected = _Connected(client)

    async def close(self) -> None:
        """Finish the calls under way, end all watches, hang up. Idempotent."""
        connected, self._connected = self._connected, None
        if connected is not None:
            await connected.watcher.close(_closed())
            await connected.client.close()

    async def revision(self) -> int:
        """See `Storage.revision`."""
        return await _revision(self._client())

    async def get(self, key: str, *, revision: int = 0) -> GetResult:
        """See `Storage.get`."""
        response = await self._read(rpc.RangeRequest(key=key.encode(), revision=revision))
        item = _item(response.kvs[0]) if response.kvs else None
        return GetResult(item, response.header.revision)

    async def range(self, prefix: str, *, start: str = "", limit: int = 0, revision: int = 0) -> RangeResult:
        """See `Storage.range`."""
        end = prefix_end(prefix)
        request = rpc.RangeRequest(
            key=max(start, prefix).encode() or EVERY_KEY,
            range_end=EVERY_KEY if end is None else end.encode(),
            limit=limit,
            revision=revision,
        )
        response = await self._read(request)
        items = [_item(kv) for kv in response.kvs]
        return RangeResult(items, response.header.revision, response.more, response.count)

    async def put(self, key: str, value: bytes, *, expected_revision: int, ttl: float | None = None) -> KeyValue:
        """See `Storage.put`. etcd rounds a TTL up, to two seconds at least."""
        if ttl is None:
            return await self._put(key, value, expected_revision=expected_revision, lease=0)
        leases = self._open().leases
        lease = await leases.lease(ttl)
        try:
            return await self._put(key, value, expected_revision=expected_revision, lease=lease)
        except EtcdError as error:
            if LEASE_NOT_FOUND not in error.details:
                raise
        # It ended earlier than our clock says. Nothing was written.
        leases.forget(lease)
        return await self._put(key, value, expected_revision=expected_revision, lease=await leases.lease(ttl))

    async def delete(self, key: str, *, expected_revision: int) -> int:
        """See `Storage.delete`."""
        name = key.encode()
        deletion = rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=name))
        response = await self._transact(name, expected_revision, [deletion])
        if not response.responses[0].response_delete_range.deleted:
            raise CompareFailed(None)
        revision: int = response.header.revision
        return revision

    async def watch(self, prefix: str, *, after_revision: int, sink: WatchSink) -> WatchHandle:
        """See `Storage.watch`."""
        return await self._open().watcher.watch(prefix, after_revision=after_revision, sink=sink)

    async def compact(self, revision: int) -> None:
        """See `Storage.compact`. Raises FutureRevision. Other replicas may have compacted further: that is fine."""
        try:
            await self._client().call(lambda m: m.kv.Compact, rpc.CompactionRequest(revision=revision))
        except EtcdError as error:
            if COMPACTED not in error.details:
                await self._explain(error)

    async def _put(self, key: str, value: bytes, *, expected_revision: int, lease: int) -> KeyValue:
        name = key.encode()
        steps = [rpc.RequestOp(request_put=rpc.PutRequest(key=name, value=value, lease=lease))]
        if expected_revision:  # a put does not say when the key was created
            steps.append(_reading(name, keys_only=True))
        response = await self._transact(name, expected_revision, steps)
        revision: int = response.header.revision
        created: int = response.responses[1].response_range.kvs[0].create_revision if expected_revision else revision
        return KeyValue(key, value, created, revision)

    async def _transact(self, name: bytes, expected_revision: int, steps: list[Any]) -> Any:
        """The response if the key is at `expected_revision`; raises CompareFailed if it is not."""
        compare = rpc.Compare(
            key=name, target=rpc.Compare.MOD, result=rpc.Compare.EQUAL, mod_revision=expected_revision
        )
        request = rpc.TxnRequest(compare=[compare], success=steps, failure=[_reading(name)])
        response = await self._client().call(lambda m: m.kv.Txn, request, writes=True)
        if not response.succeeded:
            found = response.responses[0].response_range.kvs
            raise CompareFailed(_item(found[0]) if found else None)
        return response

    async def _read(self, request: Any) -> Any:
        try:
            return await self._client().call(lambda m: m.kv.Range, request)
        except EtcdError as error:
            await self._explain(error)

    async def _explain(self, error: EtcdError) -> NoReturn:
        """Raise what etcd's refusal of a revision means; etcd does not say which revision it would accept."""
        if COMPACTED in error.details:
            raise Compacted(await self._client().compact_revision()) from error
        if FUTURE in error.details:
            raise FutureRevision(await self.revision()) from error
        raise error

    def _client(self) -> Client:
        return self._open().client

    def _open(self) -> "_Connected":
        if self._connected is None:
            raise _closed()
        return self._connected


class _Connected:
    """What a started engine holds."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.leases = Leases(client)
        self.watcher = Watcher(client, lambda: _revision(client))


async def _revision(client: Client) -> int:
    # A linearizable read of a key that cannot be: only the header is wanted.
    response = await client.call(lambda m: m.kv.Range, rpc.RangeRequest(key=EVERY_KEY, keys_only=True))
    revision: int = response.header.revision
    return revision


def _reading(name: bytes, *, keys_only: bool = False) -> Any:
    return rpc.RequestOp(request_range=rpc.RangeRequest(key=name, keys_only=keys_only))


def _item(kv: Any) -> KeyValue:
    return KeyValue(kv.key.decode(errors="surrogateescape"), kv.value, kv.create_revision, kv.mod_revision)


def _closed() -> StorageError:
    return StorageError("the connection to etcd is closed", retriable=False)
