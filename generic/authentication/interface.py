"""How a request becomes a user. Mirrors `apiserver/pkg/authentication/authenticator`."""

from typing import Protocol

from generic.request.user import UserInfo
from generic.types import Scope


class AuthenticationError(Exception):
    """Credentials were presented and are bad: the request is 401, never anonymous."""


class RequestAuthenticator(Protocol):
    """Proves who sent a request, by one kind of credentials."""

    @property
    def name(self) -> str:
        """The kind of credentials, as the request's trace shows it."""

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        """The user these credentials prove; None if there are none of the kind this authenticator knows.

        Raises AuthenticationError on bad credentials.
        """


class TokenAuthenticator(Protocol):
    """Proves whose a bearer token is: a token file, service accounts, bootstrap tokens, a webhook."""

    async def authenticate_token(self, token: str) -> UserInfo | None:
        """The user the token stands for; None if it is not of this authenticator's kind.

        Raises AuthenticationError on a token of its kind that is bad (expired, revoked, forged).
        """
