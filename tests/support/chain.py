"""A handler chain with stand-ins for what a test is not about."""

from collections.abc import Callable
from typing import Any

from generic.authorization.interface import AuthorizationAttributes, Decision, Verdict
from generic.endpoints import responses
from generic.filters.chain import ChainConfig, build_handler_chain
from generic.filters.in_flight import InFlight
from generic.request.user import ALL_AUTHENTICATED, UserInfo
from generic.types import ASGIApp, Receive, Scope, Send

BOB = UserInfo("bob", ("dev", ALL_AUTHENTICATED))


class Always:
    """An authenticator that always finds the same user."""

    name = "always"

    def __init__(self, user: UserInfo | None = BOB) -> None:
        self.user = user

    async def authenticate(self, scope: Scope) -> UserInfo | None:
        return self.user


class Rules:
    """An authorizer that decides by a function and remembers what it was asked."""

    def __init__(self, decide: Callable[[AuthorizationAttributes], bool] = lambda _: True) -> None:
        self._decide = decide
        self.asked: list[AuthorizationAttributes] = []

    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        self.asked.append(attributes)
        return Verdict(Decision.ALLOW if self._decide(attributes) else Decision.NO_OPINION)


async def ok(scope: Scope, receive: Receive, send: Send) -> None:
    """An app that answers 200."""
    await responses.send_bytes(scope, send, b"{}")


def chain(app: ASGIApp = ok, **changes: Any) -> ASGIApp:
    """`app` behind the chain; `changes` are fields of ChainConfig."""
    settings: dict[str, Any] = {
        "authenticator": Always(),
        "authorizer": Rules(),
        "in_flight": InFlight(),
        "is_mux_complete": lambda: True,
        **changes,
    }
    return build_handler_chain(app, ChainConfig(**settings))
