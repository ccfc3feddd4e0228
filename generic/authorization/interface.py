"""How a user's request is decided. Mirrors `apiserver/pkg/authorization/authorizer`."""

import enum
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from generic.request.info import RequestInfo
from generic.request.user import UserInfo


class Decision(enum.Enum):
    ALLOW = "allow"
    DENY = "deny"
    NO_OPINION = "no opinion"


class Verdict(NamedTuple):
    """A decision and, for people, its reason."""

    decision: Decision
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AuthorizationAttributes:
    """What is asked to be allowed: a verb on a resource, or on a path."""

    user: UserInfo
    verb: str
    is_resource_request: bool
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @staticmethod
    def of(user: UserInfo, info: RequestInfo) -> "AuthorizationAttributes":
        return AuthorizationAttributes(
            user=user,
            verb=info.verb,
            is_resource_request=info.is_resource_request,
            group=info.group,
            version=info.version,
            resource=info.resource,
            subresource=info.subresource,
            namespace=info.namespace,
            name=info.name,
            path=info.path,
        )


class Authorizer(Protocol):
    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        """Decide. Raises StatusError (500) only if it could not."""
