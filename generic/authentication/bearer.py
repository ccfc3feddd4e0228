"""Users by bearer token, in the Authorization header or, from browsers, as a WebSocket subprotocol.

Mirrors `apiserver/pkg/authentication/request/{bearertoken,websocket}` and `token/union`.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence

from generic.authentication.interface import AuthenticationError
from generic.authentication.interface import TokenAuthenticator as TokenAuthenticator
from generic.request import context
from generic.request.user import LOOPBACK_USER, UserInfo
from generic.types import Scope

SUBPROTOCOL_PREFIX = "base64url.bearer.authorization.k8s.io."

_INVALID = "invalid bearer token"
_SPACE_WARNING = "the provided Authorization header contains extra space before the bearer token, and is ignored"


class BearerAuthenticator:
    """Asks token authenticators in order: the first that knows the token decides."""

    name = "bearer"

    def __init__(self, tokens: Sequence[TokenAuthenticator]) -> None:
        self._tokens = tokens

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        token = bearer_token(scope)
        return await _authenticate(self._tokens, token) if token else None


class WebSocketAuthenticator:
    """The same for browsers, which cannot set headers on a WebSocket. The token is taken out of the subprotocols."""

    name = "websocket-bearer"

    def __init__(self, tokens: Sequence[TokenAuthenticator]) -> None:
        self._tokens = tokens

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        if scope["type"] != "websocket":
            return None
        offered: list[str] = scope.get("subprotocols", [])
        encoded = [protocol for protocol in offered if protocol.startswith(SUBPROTOCOL_PREFIX)]
        if not encoded:
            return None
        if len(encoded) > 1:
            raise AuthenticationError("multiple base64.bearer.authorization tokens specified")
        token = _decoded(encoded[0].removeprefix(SUBPROTOCOL_PREFIX))
        others = [protocol for protocol in offered if protocol not in encoded]
        if not others:
            # The server must select one of those offered, and the token must not be it.
            raise AuthenticationError("missing additional subprotocol")
        user = await _authenticate(self._tokens, token)
        scope["subprotocols"] = others
        kept = [header for header in scope["headers"] if header[0] != b"sec-websocket-protocol"]
        scope["headers"] = [*kept, (b"sec-websocket-protocol", ", ".join(others).encode())]
        return user


class LoopbackAuthenticator:
    """The server's own token, made at its start: whoever has it is the server itself."""

    name = "loopback"

    def __init__(self, token: str) -> None:
        """Raises ValueError on an empty token, which every client could present."""
        if not token:
            raise ValueError("the loopback token is empty")
        self._token = token.encode()

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        token = bearer_token(scope)
        # Compared in constant time: the time must not tell how much of a guess was right.
        if token and hmac.compare_digest(token.encode(), self._token):
            return LOOPBACK_USER
        return None


def bearer_token(scope: Scope) -> str:
    """The token in the Authorization header; empty if there is none."""
    given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    parts = str(given, "latin-1").strip().split(" ", 2)
    if len(parts) < 2 or parts[0].lower() != "bearer":
        return ""
    if not parts[1] and len(parts) == 3:
        context.ensure(scope).warn(_SPACE_WARNING)
    return parts[1]


async def _authenticate(tokens: Sequence[TokenAuthenticator], token: str) -> UserInfo:
    failures = []
    for authenticator in tokens:
        try:
            user = await authenticator.authenticate_token(token)
        except AuthenticationError as error:
            failures.append(str(error))
            continue
        if user is not None:
            return user
    raise AuthenticationError(", ".join(failures) or _INVALID)


def _decoded(encoded: str) -> str:
    try:
        # Unpadded base64url, as RFC 7515 has it.
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        return raw.decode()
    except (binascii.Error, ValueError):
        raise AuthenticationError("the bearer token among the subprotocols is not base64url of UTF-8")
