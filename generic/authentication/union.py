"""All ways to authenticate, in order. Mirrors `apiserver/pkg/authentication/{request/union,group}`."""

from collections.abc import Sequence

from generic.authentication.anonymous import AnonymousAuthenticator
from generic.authentication.interface import AuthenticationError, RequestAuthenticator
from generic.request import context
from generic.request.user import ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, ANONYMOUS, UserInfo
from generic.types import Scope


class UnionAuthenticator:
    """The first authenticator that knows the caller decides; bad credentials of one kind do not hide good of another.

    Kubernetes' order: loopback, request header, x509, bearer, WebSocket bearer. Anonymous comes last and
    only if nothing erred: a bad token is 401, never anonymous.
    """

    name = "union"

    def __init__(
        self, authenticators: Sequence[RequestAuthenticator], *, anonymous: AnonymousAuthenticator | None = None
    ) -> None:
        self._authenticators = authenticators
        self._anonymous = anonymous

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        failures: list[str] = []
        for authenticator in self._authenticators:
            try:
                user = await authenticator.authenticate(scope)
            except AuthenticationError as error:
                failures.append(str(error))
                continue
            if user is not None:
                context.ensure(scope).trace.add("authentication", authenticator.name)
                return _in_authenticated(user)
        if failures:
            raise AuthenticationError(failures[0] if len(failures) == 1 else f"[{', '.join(failures)}]")
        if self._anonymous is None:
            return None
        user = await self._anonymous.authenticate(scope)
        if user is not None:
            context.ensure(scope).trace.add("authentication", self._anonymous.name)
        return user


def _in_authenticated(user: UserInfo) -> UserInfo:
    if user.name == ANONYMOUS or ALL_UNAUTHENTICATED in user.groups:
        return user
    return user.with_group(ALL_AUTHENTICATED)
