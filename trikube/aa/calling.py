"""Calls what an AA author wrote: async things are awaited, plain ones run in a worker thread.

The one place where the author's exceptions are met: a StatusError is the answer, anything else is a 500 with one line
in the log. Called by everything here that reaches a hook.
"""

import asyncio
import contextvars
import inspect
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from generic.meta import errors
from generic.meta.errors import StatusError

_LOG = logging.getLogger(__name__)

_WORKERS = ThreadPoolExecutor(32, thread_name_prefix="aa-hook")
"""Apart from the loop's own threads: hooks that block must not keep storage and compression from theirs."""


async def call(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """The result; the values of a generator, also of an async one, as a list. `what` is its name in the log.

    Raises StatusError.
    """
    try:
        if inspect.iscoroutinefunction(function):
            found = await function(*arguments)
        else:
            own = contextvars.copy_context()
            found = await asyncio.get_running_loop().run_in_executor(_WORKERS, own.run, _finish, function, arguments)
        if inspect.isawaitable(found):
            found = await found
        if inspect.isasyncgen(found):
            found = [each async for each in found]
    except StatusError:
        raise
    except Exception as error:
        raise failed(what, error) from error
    return found


def call_now(what: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """The same at once, on the event loop: for what is quick and touches nothing but its arguments."""
    try:
        return function(*arguments)
    except StatusError:
        raise
    except Exception as error:
        raise failed(what, error) from error


def _finish(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    found = function(*arguments)
    # A generator does its work when it is read, so that has to be here.
    return list(found) if isinstance(found, Iterator) else found


def failed(what: str, error: Exception) -> StatusError:
    """The 500 for something that went wrong in an author's code, which is logged."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = f" ({where.tb_frame.f_code.co_filename}:{where.tb_lineno})" if where is not None else ""
    why = f"{what} raised {type(error).__name__}: {' '.join(str(error).split())}"
    _LOG.error("%s%s", why, place)
    return errors.internal_error(why)
