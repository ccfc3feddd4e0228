"""The ways to be allowed to act as somebody else, most narrow first, and the rights each of them takes.

Called by `impersonation.py`. Beside the right to be the other (`impersonate:<mode>`, for each of its parts), the
constrained modes take the right to do as the other what is asked (`impersonate-on:<mode>:<verb>`); the last one, the
old verb `impersonate`, takes the former alone. Mirrors
`apiserver/pkg/endpoints/filters/impersonation/{constrained_impersonation,mode}.go` and KEP-5284.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from generic.authorization import refusal
from generic.authorization.interface import AuthorizationAttributes, Authorizer, Decision
from generic.meta import names, validation
from generic.meta.errors import StatusError
from generic.meta.go_text import quote
from generic.request.info import RequestInfo
from generic.request.user import (
    ALL_AUTHENTICATED,
    ALL_UNAUTHENTICATED,
    ANONYMOUS,
    NODES_GROUP,
    PRIVILEGED_GROUP,
    UserInfo,
)

_NODE = "system:node:"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_SERVICE_ACCOUNTS = "system:serviceaccounts"
_NODE_NAME_KEY = "authentication.kubernetes.io/node-name"
_NODE_KEYS_KEY = "authentication.kubernetes.io/associated-node-keys"
_AUTHENTICATION = ("authentication.k8s.io", "v1")
_CORE = ("", "v1")
_MANY = 4
"""From so many on, one right to all is asked for before the right to each."""
_MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Impersonated:
    """Who acts from now on; `constraint`: the verb that allowed it, empty for the old one."""

    user: UserInfo
    constraint: str


class Modes:
    """Tries them; for each user first the one that went well the last time."""

    def __init__(self, authorizer: Authorizer, *, constrained: bool = True) -> None:
        """Without the `constrained` ones there is only the old one."""
        modes = _CONSTRAINED if constrained else ()
        self._modes = [_Mode(authorizer, name, applies) for name, applies in (*modes, ("", _is_anybody))]
        self._last: dict[str, _Mode] = {}

    async def impersonated(self, wanted: UserInfo, requestor: UserInfo, info: RequestInfo) -> Impersonated:
        """Raises the 403 of the first that applies, if none of them is allowed."""
        last = self._last.get(requestor.name)
        first: StatusError | None = None
        for mode in sorted(self._modes, key=lambda mode: mode is not last):
            if not mode.applies(wanted, requestor):
                continue
            try:
                found = await mode.check(wanted, requestor, info)
            except StatusError as refused:
                first = first or refused
                continue
            self._remember(requestor.name, mode)
            return found
        assert first is not None, "the last mode is for everybody"
        raise first

    def _remember(self, name: str, mode: "_Mode") -> None:
        if name not in self._last and len(self._last) >= _MOST_REMEMBERED:
            del self._last[next(iter(self._last))]
        self._last[name] = mode


class _Mode:
    """One of them. `applies`: whether it is for such a user at all."""

    def __init__(self, authorizer: Authorizer, name: str, applies: Callable[[UserInfo, UserInfo], bool]) -> None:
        self.applies = applies
        self._authorizer = authorizer
        self._name = name
        self._verb = f"impersonate:{name}" if name else "impersonate"
        self._of_names = _AUTHENTICATION if name else _CORE

    async def check(self, wanted: UserInfo, requestor: UserInfo, info: RequestInfo) -> Impersonated:
        """Raises 403."""
        if self._name == "associated-node":
            # So that what is decided for it once is so for any node, as the authorizer may remember.
            requestor = replace(requestor, extra={_NODE_KEYS_KEY: sorted(requestor.extra)})
        if self._name:
            asked = AuthorizationAttributes.of(requestor, info)
            await self._authorize(replace(asked, verb=f"impersonate-on:{self._name}:{info.verb}"))
        groups = await self._authorize_name(wanted, requestor)
        if wanted.uid:
            await self._authorize(self._part(requestor, "uids", _AUTHENTICATION, name=wanted.uid))
        await self._authorize_groups(wanted.groups, requestor)
        await self._authorize_extra(wanted, requestor)
        return Impersonated(_in_groups(wanted, groups), self._verb if self._name else "")

    async def _authorize_name(self, wanted: UserInfo, requestor: UserInfo) -> Sequence[str]:
        """Returns the groups such a user is in."""
        part, groups = self._part(requestor, "users", self._of_names, name=wanted.name), wanted.groups
        node, account = _node(wanted.name), _service_account(wanted.name)
        if node and self._name:
            part = replace(part, resource="nodes", name="*" if self._name == "associated-node" else node)
            groups = (NODES_GROUP,)
        elif account is not None:
            namespace, name = account
            part = replace(part, resource="serviceaccounts", namespace=namespace, name=name)
            # Groups that are named are the whole truth; only without any does an account get its own.
            groups = groups or (_SERVICE_ACCOUNTS, f"{_SERVICE_ACCOUNTS}:{namespace}")
        await self._authorize(part)
        return groups

    async def _authorize_groups(self, groups: Sequence[str], requestor: UserInfo) -> None:
        part = self._part(requestor, "groups", self._of_names)
        if self._name and "" in groups:
            raise refusal.forbidden(part, "impersonating the empty string group is not allowed")
        if self._name and PRIVILEGED_GROUP in groups:
            why = f"impersonating the {PRIVILEGED_GROUP} group is not allowed"
            raise refusal.forbidden(replace(part, name=PRIVILEGED_GROUP), why)
        if self._name and len(groups) >= _MANY and await self._allows(replace(part, name="*")):
            return
        for group in groups:
            await self._authorize(replace(part, name=group))

    async def _authorize_extra(self, wanted: UserInfo, requestor: UserInfo) -> None:
        part = self._part(requestor, "userextras", _AUTHENTICATION)
        if self._name:
            for why in _problems_of_extra(wanted):
                raise refusal.forbidden(part, why)
            many = len(wanted.extra) >= _MANY or sum(map(len, wanted.extra.values())) >= _MANY
            if many and await self._allows(replace(part, subresource="*", name="*")):
                return
        for key, values in wanted.extra.items():
            for value in values:
                await self._authorize(replace(part, subresource=key, name=value))

    def _part(
        self, requestor: UserInfo, resource: str, group_version: tuple[str, str], *, name: str = ""
    ) -> AuthorizationAttributes:
        group, version = group_version
        return AuthorizationAttributes(
            user=requestor,
            verb=self._verb,
            is_resource_request=True,
            group=group,
            version=version,
            resource=resource,
            name=name,
        )

    async def _allows(self, attributes: AuthorizationAttributes) -> bool:
        try:
            await self._authorize(attributes)
        except StatusError:
            return False
        return True

    async def _authorize(self, attributes: AuthorizationAttributes) -> None:
        try:
            verdict = await self._authorizer.authorize(attributes)
        except StatusError as error:
            # 403 and not 500, as in Kubernetes: who cannot be asked about may not be impersonated.
            raise refusal.forbidden(attributes, error.message) from error
        if verdict.decision is not Decision.ALLOW:
            raise refusal.forbidden(attributes, verdict.reason)


def _in_groups(wanted: UserInfo, groups: Sequence[str]) -> UserInfo:
    user = replace(wanted, groups=tuple(groups))
    if user.name == ANONYMOUS:
        return user.with_group(ALL_UNAUTHENTICATED)
    return user if ALL_UNAUTHENTICATED in user.groups else user.with_group(ALL_AUTHENTICATED)


def _is_own_node(wanted: UserInfo, requestor: UserInfo) -> bool:
    """The requestor's token is bound to a pod of that node."""
    node = _is_node(wanted, requestor) and _node(wanted.name)
    return bool(
        node
        and _service_account(requestor.name) is not None
        and list(requestor.extra.get(_NODE_NAME_KEY, ())) == [node]
    )


def _is_node(wanted: UserInfo, _requestor: UserInfo) -> bool:
    return _is_name_alone(wanted) and bool(_node(wanted.name))


def _is_service_account(wanted: UserInfo, _requestor: UserInfo) -> bool:
    return _is_name_alone(wanted) and _service_account(wanted.name) is not None


def _is_other(wanted: UserInfo, _requestor: UserInfo) -> bool:
    return not _node(wanted.name) and _service_account(wanted.name) is None


def _is_anybody(_wanted: UserInfo, _requestor: UserInfo) -> bool:
    return True


def _is_name_alone(wanted: UserInfo) -> bool:
    return not (wanted.uid or wanted.groups or wanted.extra)


def _node(user: str) -> str:
    """The name of the node whose user it is; empty: of none."""
    name = user.removeprefix(_NODE)
    return name if user.startswith(_NODE) and not names.dns1123_subdomain(name) else ""


def _service_account(user: str) -> tuple[str, str] | None:
    """Namespace and name of the service account whose user it is."""
    namespace, colon, name = user.removeprefix(_SERVICE_ACCOUNT).partition(":")
    if not user.startswith(_SERVICE_ACCOUNT) or not colon:
        return None
    return None if names.dns1123_label(namespace) or names.dns1123_subdomain(name) else (namespace, name)


def _problems_of_extra(wanted: UserInfo) -> Iterator[str]:
    for key, values in wanted.extra.items():
        if not key:
            yield "impersonating the empty string key in extra is not allowed"
        problems = validation.domain_prefixed_path(key, "extra.key")
        if problems:
            yield f"impersonating an invalid key in extra is not allowed: {problems[0]}"
        if key != key.lower():
            yield f"impersonating a non-lowercase key in extra is not allowed: {quote(key)}"
        if "" in values:
            yield "impersonating the empty string value in extra is not allowed"


_CONSTRAINED = (
    ("associated-node", _is_own_node),
    ("arbitrary-node", _is_node),
    ("serviceaccount", _is_service_account),
    ("user-info", _is_other),
)
