"""Calls to an etcd cluster: channels, TLS, deadlines, the next member when one is gone, errors translated.

Called by the etcd engine's other modules; no gRPC error leaves it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import grpc.aio

from generic.storage.etcd_protos import rpc
from generic.storage.interface import Compacted, OutcomeUnknown, StorageError

OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A member that comes back is used again within a second; a connection that died silently is noticed.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)
NEVER_SENT = ("failed to connect", "resolution failed")
"""In the details of UNAVAILABLE: there was no connection to send on."""
MAYBE_APPLIED = frozenset({
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
})
PASSING = MAYBE_APPLIED | {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED}
COMPACTED = "required revision has been compacted"
FUTURE = "required revision is a future revision"
LEASE_NOT_FOUND = "requested lease not found"
EVERY_KEY = b"\0"
"""As both ends of an etcd range."""
REQUIRE_LEADER = (("hasleader", "true"),)
"""A member cut off from the others ends the watch instead of staying silent."""


class EtcdError(StorageError):
    """What etcd refused. `details` is etcd's own wording."""

    def __init__(self, message: str, *, details: str, retriable: bool) -> None:
        super().__init__(message, retriable=retriable)
        self.details = details


@dataclass(frozen=True, slots=True)
class Tls:
    """Files, PEM. Without `ca_file` the system's authorities are trusted."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Read the files. Raises StorageError."""
        try:
            ca, cert, key = (Path(f).read_bytes() if f else None for f in (self.ca_file, self.cert_file, self.key_file))
        except OSError as error:
            raise StorageError(f"{error.filename}: {error.strerror}", retriable=False) from error
        return grpc.ssl_channel_credentials(ca, key, cert)


class Member:
    """One endpoint."""

    def __init__(self, endpoint: str, tls: Tls) -> None:
        scheme, separator, target = endpoint.rpartition("://")
        secure = scheme == "https" if separator else bool(tls.ca_file or tls.cert_file)
        if (separator and scheme not in {"http", "https"}) or not target:
            raise StorageError(f"not an etcd endpoint: {endpoint!r} (http://host:port or https://...)", retriable=False)
        self.channel: grpc.aio.Channel = (
            grpc.aio.secure_channel(target, tls.credentials(), options=OPTIONS)
            if secure
            else grpc.aio.insecure_channel(target, options=OPTIONS)
        )
        self.kv: Any = rpc.KVStub(self.channel)
        self.lease: Any = rpc.LeaseStub(self.channel)
        self.watch: Any = rpc.WatchStub(self.channel)


class Client:
    """The cluster. One member at a time is talked to; the next takes over when it is unavailable."""

    def __init__(self, endpoints: Sequence[str], *, tls: Tls, deadline: float) -> None:
        """`deadline` in seconds, for each attempt. Raises StorageError for bad endpoints or files."""
        if not endpoints:
            raise StorageError("no etcd endpoints given", retriable=False)
        self.deadline = deadline
        self._names = ", ".join(endpoints)
        self._members = [Member(endpoint, tls) for endpoint in endpoints]
        self._current = 0
        self._closed = False

    async def close(self) -> None:
        """Let calls under way finish, then hang up."""
        self._closed = True
        await asyncio.gather(*(member.channel.close(self.deadline) for member in self._members))

    async def call(self, method: Callable[[Member], Any], request: Any, *, writes: bool = False) -> Any:
        """The response. What `writes` is repeated only if it was certainly not applied.

        Raises OutcomeUnknown for such a one, EtcdError otherwise.
        """
        for _ in self._members[1:]:
            try:
                return await self._attempt(method, request, writes=writes)
            except _TryNext:
                pass
        try:
            return await self._attempt(method, request, writes=writes)
        except _TryNext as error:
            raise self._translated(error.reason, maybe_applied=False) from error.reason

    async def changes(self, *, after: int) -> AsyncGenerator[list[Any]]:
        """Every key's events after a revision, all those of one revision in one list; an empty one at the start.

        Ends only by an error: Compacted, or EtcdError when the member is lost.
        """
        member = self._member()
        call = member.watch.Watch(metadata=REQUIRE_LEADER)
        events: list[Any] = []
        try:
            await call.write(_everything(after + 1))
            async for response in call:
                if response.compact_revision:
                    raise Compacted(response.compact_revision)
                if response.canceled:
                    raise EtcdError(f"etcd ended the watch: {response.cancel_reason}", details="", retriable=True)
                events += response.events
                if not response.fragment:
                    yield events
                    events = []
            raise EtcdError("etcd ended the watch", details="", retriable=True)
        except grpc.aio.AioRpcError as error:
            self._pass_on(member)
            raise self._translated(error, maybe_applied=False) from error
        except asyncio.InvalidStateError as error:  # the call was over before it could be written to
            self._pass_on(member)
            raise EtcdError(f"etcd at {self._names} is unavailable", details="", retriable=True) from error
        finally:
            call.cancel()

    async def compact_revision(self) -> int:
        """The oldest revision that can be read, 0 if none was compacted. Raises StorageError."""
        try:
            async with asyncio.timeout(self.deadline), aclosing(self.changes(after=0)) as changes:
                async for events in changes:
                    if events:
                        break
        except Compacted as error:
            return error.compact_revision
        except TimeoutError:
            pass
        return 0

    async def _attempt(self, method: Callable[[Member], Any], request: Any, *, writes: bool) -> Any:
        member = self._member()
        try:
            return await method(member)(request, timeout=self.deadline)
        except grpc.aio.AioRpcError as error:
            unavailable = error.code() is grpc.StatusCode.UNAVAILABLE
            if unavailable:
                self._pass_on(member)
            never_sent = unavailable and any(text in (error.details() or "") for text in NEVER_SENT)
            if never_sent or (unavailable and not writes):
                raise _TryNext(error) from error
            raise self._translated(error, maybe_applied=writes) from error
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._closed and not (task and task.cancelling()):  # hung up on, rather than cancelled by the caller
                raise (OutcomeUnknown if writes else StorageError)("the connection to etcd was closed") from None
            raise

    def _member(self) -> Member:
        if self._closed:
            raise StorageError("the connection to etcd is closed", retriable=False)
        return self._members[self._current]

    def _pass_on(self, member: Member) -> None:
        # Several calls may fail together: only the first of them moves on.
        if self._members[self._current] is member:
            self._current = (self._current + 1) % len(self._members)

    def _translated(self, error: grpc.aio.AioRpcError, *, maybe_applied: bool) -> StorageError:
        details = " ".join((error.details() or error.code().name).split())
        message = f"etcd at {self._names}: {details}"
        if maybe_applied and error.code() in MAYBE_APPLIED:
            return OutcomeUnknown(message)
        return EtcdError(message, details=details, retriable=error.code() in PASSING)


class _TryNext(Exception):
    """Nothing was applied, and another member may be able to."""

    def __init__(self, reason: grpc.aio.AioRpcError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _everything(start: int) -> Any:
    create = rpc.WatchCreateRequest(key=EVERY_KEY, range_end=EVERY_KEY, start_revision=start, fragment=True)
    return rpc.WatchRequest(create_request=create)
