"""The bound on what a write may take, from the moment its handler has it. Called by the verb handlers.

Reads and the deletion of a collection have all the time of their request. Mirrors requestTimeoutUpperBound of
`apiserver/pkg/endpoints/handlers/rest.go` and FinishRequest of its `finisher`.
"""

import asyncio
from collections.abc import Awaitable
from time import monotonic
from typing import TypeVar

from generic.endpoints.installed import EndpointRequest
from generic.meta import errors

UPPER_BOUND = 34.0
"""Seconds."""

T = TypeVar("T")


async def finish(request: EndpointRequest, work: Awaitable[T]) -> T:
    """What the storage makes of the write. Raises 504 if it is late; then it may have been written or not."""
    timer = asyncio.timeout(request.opened_at + UPPER_BOUND - monotonic())
    try:
        async with timer:
            return await work
    except TimeoutError:
        if not timer.expired():
            raise
        raise errors.timeout("request did not complete within requested timeout - context deadline exceeded") from None
