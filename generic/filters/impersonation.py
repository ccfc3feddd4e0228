"""Lets a caller act as somebody else, if the authorizer allows the caller every part of it.

Which rights that takes is in `impersonation_modes.py`. Mirrors
`apiserver/pkg/endpoints/filters/impersonation/constrained_impersonation.go`.
"""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote

from generic.authorization.interface import Authorizer
from generic.filters.impersonation_modes import Modes
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.go_text import quote
from generic.request import context
from generic.request.user import UserInfo
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_PREFIX = b"impersonate-"
_USER = b"impersonate-user"
_GROUP = b"impersonate-group"
_UID = b"impersonate-uid"
_EXTRA = b"impersonate-extra-"


def with_impersonation(authorizer: Authorizer, *, constrained: bool = True) -> Filter:
    """Replace `context.user` by whom `Impersonate-User` names. 400 without one, 403 if any part is not allowed."""
    modes = Modes(authorizer, constrained=constrained)

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            if any(name.startswith(_PREFIX) for name, _ in scope["headers"]):
                await _impersonate(scope, modes)
            await app(scope, receive, send)

        return handle

    return wrap


async def _impersonate(scope: Scope, modes: Modes) -> None:
    wanted = _wanted(scope["headers"])
    if wanted is None:
        return
    request = context.of(scope)
    requestor = request.user
    if requestor is None:
        raise RuntimeError("impersonation stands before authentication in the chain")
    try:
        found = await modes.impersonated(wanted, requestor, request.info)
    except StatusError:
        request.trace.add("impersonation", "forbidden")
        raise
    request.impersonator = requestor
    request.impersonation_constraint = found.constraint
    request.user = found.user
    request.trace.add("impersonation", "allowed")
    scope["headers"] = [header for header in scope["headers"] if not _is_impersonation(header[0])]


def _is_impersonation(name: bytes) -> bool:
    return name in (_USER, _GROUP, _UID) or name.startswith(_EXTRA)


def _wanted(headers: Iterable[tuple[bytes, bytes]]) -> UserInfo | None:
    """Whom the headers name, without what they do not say; None: nobody. Raises 400 if it has no name."""
    users, uids, groups = [], [], []
    extra: dict[str, list[str]] = {}
    for name, raw in headers:
        if not name.startswith(_PREFIX):
            continue
        # Not kept as they are: bytes that are no text could be written into no answer and no review.
        value = raw.decode("utf-8", "replace")
        if name == _USER:
            users.append(value)
        elif name == _UID:
            uids.append(value)
        elif name == _GROUP:
            groups.append(value)
        elif name.startswith(_EXTRA):
            key = unquote(name[len(_EXTRA) :].decode("latin-1").lower())
            extra.setdefault(key, []).append(value)
    wanted = UserInfo(users[0] if users else "", tuple(groups), uids[0] if uids else "", extra)
    if wanted.name:
        return wanted
    if wanted.uid or groups or extra:
        raise errors.bad_request(f"requested {_as_go_prints(wanted)} without impersonating a user name")
    return None


def _as_go_prints(user: UserInfo) -> str:
    """With `%#v`."""
    groups = _strings(user.groups) if user.groups else "[]string(nil)"
    return f'&user.DefaultInfo{{Name:"", UID:{quote(user.uid)}, Groups:{groups}, Extra:{_lists(user.extra)}}}'


def _lists(extra: Mapping[str, Sequence[str]]) -> str:
    held = ", ".join(f"{quote(key)}:{_strings(extra[key])}" for key in sorted(extra))
    return f"map[string][]string{{{held}}}" if extra else "map[string][]string(nil)"


def _strings(values: Sequence[str]) -> str:
    return f"[]string{{{', '.join(map(quote, values))}}}"
