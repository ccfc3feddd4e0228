"""How a request becomes a user. Mirrors `apiserver/pkg/authentication/authenticator`."""

from typing import Protocol

from generic.request.user import UserInfo
from generic.types import Scope


class AuthenticationError(Exception):
    """Credentials were presented and are bad: the request is 401, never anonymous."""


class RequestAuthenticator(Protocol):
    async def authenticate(self, scope: Scope) -> UserInfo | None:
        """The user these credentials prove; None if there are none of the kind this authenticator knows.

        Raises AuthenticationError on bad credentials.
        """
