"""AllocationError: why an address or a port cannot be had, in the words clients know.

Raised by `addresses.py` and `ports.py`, turned into a StatusError by `services.py`. Mirrors the errors of
`pkg/registry/core/service/{ipallocator,portallocator}`.
"""


class AllocationError(Exception):
    """Nothing was taken."""


def taken(what: str) -> AllocationError:
    """Somebody else has the very one that was asked for."""
    return AllocationError(f"provided {what} is already allocated")


def full() -> AllocationError:
    """Any would have done, but there is none left."""
    return AllocationError("range is full")
