"""Fetcher: what the aggregator itself asks aggregated API servers, for availability, discovery and OpenAPI.

Used by the controllers. Small answers, read whole and bounded in size and time; redirects are not followed.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aggregator.apiservices.registration import Registration
from aggregator.proxy import headers
from aggregator.proxy.backends import Answer, Backends
from aggregator.proxy.call import Call
from aggregator.proxy.failures import BadTrust, Unreachable
from generic.client.resolving import ResolveError
from generic.request.user import UserInfo

SECONDS = 5.0
_MOST_BYTES = 32 << 20
_TIMED_OUT = "(Client.Timeout exceeded while awaiting headers)"


class FetchError(Exception):
    """There is no answer. `url` says where it was looked for; empty if nobody knew where to."""

    def __init__(self, message: str, url: str = "") -> None:
        super().__init__(message)
        self.url = url


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Fetcher:
    """Asks as whom it is told, with the front proxy's certificate."""

    def __init__(self, backends: Backends) -> None:
        self._backends = backends

    async def get(
        self,
        registration: Registration,
        target: str,
        *,
        user: UserInfo,
        more: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
    ) -> Fetched:
        """The answer to a GET, whatever its status; `more` are further headers. Raises FetchError."""
        sent = [(name.lower().encode(), value.encode()) for name, value in (more or {}).items()]
        call = Call("GET", target.encode(), [(b"user-agent", b"trikube-aggregator"), *sent, *headers.identity(user)])
        try:
            async with asyncio.timeout(seconds), self._backends.answer(registration, call) as answer:
                return await whole(answer, target)
        except (ResolveError, BadTrust) as error:
            raise FetchError(str(error)) from error
        except Unreachable as error:
            url = f"https://{error.address}{target}"
            raise FetchError(f'Get "{url}": {error}', url) from error
        except TimeoutError:
            url = f"https://{self._backends.addresses(registration)[0]}{target}"
            raise FetchError(f'Get "{url}": context deadline exceeded {_TIMED_OUT}', url) from None


async def whole(answer: Answer, target: str) -> Fetched:
    """Read an answer to its end. Raises FetchError on one that is too large, Unreachable."""
    url = f"https://{answer.address}{target}"
    chunks, size = [], 0
    async for chunk in answer.body:
        size += len(chunk)
        if size > _MOST_BYTES:
            raise FetchError(f'Get "{url}": the answer is larger than {_MOST_BYTES} bytes', url)
        chunks.append(chunk)
    found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
    return Fetched(answer.status, found, b"".join(chunks), url)
