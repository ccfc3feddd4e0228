"""Work on an object that takes its time where the object is large: on a thread then, for others want to be served.

Called by `create.py` and `update.py` around what walks whole objects. Python runs one thread at a time, so it is not
done sooner; but nobody waits for more than a moment of it.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

LARGE = 256 * 1024
"""Bytes of JSON. One in so many bytes is a value, so this is some ten milliseconds of work."""

T = TypeVar("T")


async def run(size: int, work: Callable[[], T]) -> T:
    """What `work` makes of an object of `size` bytes. It may touch nothing that others use meanwhile."""
    return await asyncio.to_thread(work) if size > LARGE else work()
