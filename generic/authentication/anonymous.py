"""The user of requests without credentials. Mirrors `apiserver/pkg/authentication/request/anonymous`."""

from collections.abc import Collection

from generic.request.user import ANONYMOUS_USER, UserInfo
from generic.types import Scope


class AnonymousAuthenticator:
    """Everybody is system:anonymous; with `paths`, only on exactly these. What that user may do is authorization's."""

    name = "anonymous"

    def __init__(self, paths: Collection[str] = ()) -> None:
        self._paths = frozenset(paths)

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        if self._paths and scope["path"] not in self._paths:
            return None
        return ANONYMOUS_USER
