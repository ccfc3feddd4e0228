"""Lets a caller act as somebody else, if the authorizer allows the caller every part of it.

Mirrors `apiserver/pkg/endpoints/filters/impersonation/impersonation.go`. Constrained impersonation
(KEP-5284) is a later piece of work.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from generic.authorization import refusal
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision, Verdict
from generic.meta import errors
from generic.request import context
from generic.request.user import ALL_AUTHENTICATED, ALL_UNAUTHENTICATED, ANONYMOUS, UserInfo
from generic.types import ASGIApp, Filter, Receive, Scope, Send

_LOG = logging.getLogger(__name__)

_PREFIX = b"impersonate-"
_USER = b"impersonate-user"
_GROUP = b"impersonate-group"
_UID = b"impersonate-uid"
_EXTRA = b"impersonate-extra-"

_AUTHENTICATION_V1 = "authentication.k8s.io/v1"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_SERVICE_ACCOUNTS = "system:serviceaccounts"


@dataclass(frozen=True, slots=True)
class _Wish:
    """One thing the caller wants to be. `key` is that of an extra value."""

    kind: str
    name: str
    namespace: str = ""
    key: str = ""

    def __str__(self) -> str:
        # As Go prints a v1.ObjectReference: kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath.
        version = _AUTHENTICATION_V1 if self.kind in ("UserExtra", "UID") else ""
        return "{" + " ".join((self.kind, self.namespace, self.name, "", version, "", self.key)) + "}"

    def attributes(self, user: UserInfo) -> AuthorizationAttributes:
        resource, group, version = _RESOURCE_OF_KIND[self.kind]
        return AuthorizationAttributes(
            user=user,
            verb="impersonate",
            is_resource_request=True,
            group=group,
            version=version,
            resource=resource,
            subresource=self.key,
            namespace=self.namespace,
            name=self.name,
        )


_RESOURCE_OF_KIND = {
    "ServiceAccount": ("serviceaccounts", "", ""),
    "User": ("users", "", ""),
    "Group": ("groups", "", ""),
    "UserExtra": ("userextras", "authentication.k8s.io", "v1"),
    "UID": ("uids", "authentication.k8s.io", "v1"),
}


def with_impersonation(authorizer: Authorizer) -> Filter:
    """Replace `context.user` by whom `Impersonate-User` names. 400 without one, 403 if any part is not allowed."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def handle(scope: Scope, receive: Receive, send: Send) -> None:
            if any(name.startswith(_PREFIX) for name, _ in scope["headers"]):
                await _impersonate(scope, authorizer)
            await app(scope, receive, send)

        return handle

    return wrap


async def _impersonate(scope: Scope, authorizer: Authorizer) -> None:
    wishes = _wishes(scope["headers"])
    if not wishes:
        return
    request = context.of(scope)
    requestor = request.user
    if requestor is None:
        raise RuntimeError("impersonation stands before authentication in the chain")
    for wish in wishes:
        attributes = wish.attributes(requestor)
        try:
            verdict = await authorizer.authorize(attributes)
        except errors.StatusError as error:
            # 403 and not 500, as in Kubernetes: who cannot be asked about may not be impersonated.
            _LOG.warning("authorization of an impersonation failed: %s", error)
            verdict = Verdict(Decision.NO_OPINION)
        if verdict.decision is not Decision.ALLOW:
            request.trace.add("impersonation", "forbidden")
            raise refusal.forbidden(attributes, verdict.reason)
    request.impersonator = requestor
    request.user = _user(wishes)
    request.trace.add("impersonation", "allowed")
    scope["headers"] = [header for header in scope["headers"] if not _is_impersonation(header[0])]


def _is_impersonation(name: bytes) -> bool:
    return name in (_USER, _GROUP, _UID) or name.startswith(_EXTRA)


def _wishes(headers: Iterable[tuple[bytes, bytes]]) -> list[_Wish]:
    """What the headers ask for, each to be authorized by itself. Raises 400 if the user is missing."""
    user = uid = ""
    groups, extras = [], []
    for name, raw in headers:
        if not name.startswith(_PREFIX):
            continue
        # Not kept as they are: bytes that are no text could be written into no answer and no review.
        value = raw.decode("utf-8", "replace")
        if name == _USER:
            user = user or value
        elif name == _UID:
            uid = uid or value
        elif name == _GROUP:
            groups.append(_Wish("Group", value))
        elif name.startswith(_EXTRA):
            key = unquote(name[len(_EXTRA) :].decode("latin-1").lower())
            extras.append(_Wish("UserExtra", value, key=key))
    wishes = [_wish_for_user(user)] if user else []
    wishes += [*groups, *extras]
    if uid:
        wishes.append(_Wish("UID", uid))
    if wishes and not user:
        raise errors.bad_request(f"requested [{' '.join(map(str, wishes))}] without impersonating a user")
    return wishes


def _wish_for_user(name: str) -> _Wish:
    namespace, colon, account = name.removeprefix(_SERVICE_ACCOUNT).partition(":")
    if name.startswith(_SERVICE_ACCOUNT) and colon and namespace and account and ":" not in account:
        return _Wish("ServiceAccount", account, namespace)
    return _Wish("User", name)


def _user(wishes: Iterable[_Wish]) -> UserInfo:
    name = uid = ""
    groups: list[str] = []
    implied: list[str] = []
    extra: dict[str, list[str]] = {}
    for wish in wishes:
        match wish.kind:
            case "ServiceAccount":
                name = f"{_SERVICE_ACCOUNT}{wish.namespace}:{wish.name}"
                implied = [_SERVICE_ACCOUNTS, f"{_SERVICE_ACCOUNTS}:{wish.namespace}"]
            case "User":
                name = wish.name
            case "Group":
                groups.append(wish.name)
            case "UID":
                uid = wish.name
            case _:
                extra.setdefault(wish.key, []).append(wish.name)
    # Groups that are named are the whole truth; only without any does an account get its own.
    groups = groups or implied
    if name == ANONYMOUS:
        if ALL_UNAUTHENTICATED not in groups:
            groups.append(ALL_UNAUTHENTICATED)
    elif ALL_AUTHENTICATED not in groups and ALL_UNAUTHENTICATED not in groups:
        groups.append(ALL_AUTHENTICATED)
    return UserInfo(name, tuple(groups), uid, extra)
