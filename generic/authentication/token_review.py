"""Bearer tokens proved by the main server: TokenReview.

The last step of an aggregated server's delegated authentication; made in `delegated.py`, asked by the bearer
and the WebSocket authenticator. Mirrors `apiserver/plugin/pkg/authenticator/token/webhook` behind
`apiserver/pkg/authentication/token/cache`.
"""

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from typing import Any

from generic.authentication.interface import AuthenticationError
from generic.client import asking
from generic.client.asking import Answers, Persistence
from generic.client.rest import Client
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersion
from generic.request.user import UserInfo
from generic.types import JSONObject

_LOG = logging.getLogger(__name__)

_VERSION = GroupVersion("authentication.k8s.io", "v1")
_REVIEWS = _VERSION.with_resource("tokenreviews")
_REMEMBERED = 4096


class TokenReviewAuthenticator:
    """Asks whose a token is. A yes is believed for `cache_ttl` seconds, a no never."""

    def __init__(
        self,
        client: Client,
        *,
        cache_ttl: float = 10.0,
        persistence: Persistence | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._ttl = cache_ttl
        self._persistence = persistence
        self._answers: Answers[UserInfo | None] = Answers(_REMEMBERED, clock=clock)
        # Tokens themselves are not kept: what is found in this process's memory must not let anybody in.
        self._secret = secrets.token_bytes(32)

    async def authenticate_token(self, token: str) -> UserInfo | None:
        """The user the main server says it is; None if it knows no such token.

        Raises AuthenticationError if it knows the token for bad, or could not be asked.
        """
        key = hmac.digest(self._secret, token.encode("utf-8", "surrogateescape"), hashlib.sha256)
        return await self._answers.get(key, lambda: self._review(token), lambda user: self._ttl if user else 0)

    async def _review(self, token: str) -> UserInfo | None:
        review = {"apiVersion": str(_VERSION), "kind": "TokenReview", "spec": {"token": token}}
        try:
            status = await asking.ask(self._client, _REVIEWS, review, self._persistence)
        except StatusError as error:
            _LOG.warning("Failed to make webhook authenticator request: %s", error)
            raise AuthenticationError(str(error)) from None
        if not status.get("authenticated"):
            if status.get("error"):
                raise AuthenticationError(str(status["error"]))
            return None
        return _user(status.get("user") or {})


def _user(shown: JSONObject) -> UserInfo:
    name: Any = shown.get("username")
    if not name:
        raise AuthenticationError("the answer to TokenReview names no user")
    extra = {key: tuple(values or ()) for key, values in (shown.get("extra") or {}).items()}
    return UserInfo(str(name), tuple(shown.get("groups") or ()), shown.get("uid") or "", extra)
