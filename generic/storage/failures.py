"""From storage failures to refusals a client understands.

Called by the Cacher and the Store wherever they touch an engine; the engines themselves know nothing
of `Status`. Mirrors `apiserver/pkg/registry/generic/registry/storage/errors` and
`apiserver/pkg/storage/etcd3/errors.go`.
"""

from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.storage.interface import Compacted, FutureRevision, OutcomeUnknown, StorageError

LIST_EXPIRED = "The resourceVersion for the provided list is too old."
RETRY_SECONDS = 2


def status_of(error: StorageError, *, resource: GroupResource, verb: str, revision: int = 0) -> errors.StatusError:
    """The StatusError for a failed storage operation; `revision` is the one that was asked for, if any.

    500 ServerTimeout when the same request may succeed later, 500 InternalError when it will not, 504 when a
    write may have happened, 410 for a compacted revision, 504 ResourceVersionTooLarge for one to come.
    """
    match error:
        case Compacted():
            return errors.expired(LIST_EXPIRED)
        case FutureRevision():
            return errors.resource_version_too_large(revision, error.current_revision)
        case OutcomeUnknown():
            return errors.timeout("request did not complete within the allotted timeout")
        case StorageError(retriable=True):
            return server_timeout(resource, verb)
    return errors.internal_error(str(error))


def server_timeout(resource: GroupResource, verb: str) -> errors.StatusError:
    """500 ServerTimeout: a passing failure, the client should try again."""
    details = {"name": verb, "group": resource.group, "kind": resource.resource}
    return errors.StatusError(
        500,
        "ServerTimeout",
        f"The {verb} operation against {resource} could not be completed at this time, please try again.",
        details={key: value for key, value in details.items() if value},
        retry_after=RETRY_SECONDS,
    )


def reinitializing() -> errors.StatusError:
    """429 while the watch cache is (re)loading and the request cannot wait longer."""
    return errors.too_many_requests("storage is (re)initializing", 1)
