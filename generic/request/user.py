"""Who is asking. Mirrors `apiserver/pkg/authentication/user`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ANONYMOUS = "system:anonymous"
LOOPBACK = "system:apiserver"
AGGREGATOR = "system:aggregator"
KUBE_AGGREGATOR = "system:kube-aggregator"

ALL_AUTHENTICATED = "system:authenticated"
ALL_UNAUTHENTICATED = "system:unauthenticated"
NODES_GROUP = "system:nodes"
PRIVILEGED_GROUP = "system:masters"


@dataclass(frozen=True, slots=True)
class UserInfo:
    """An identity: name, groups, and what the authenticator added."""

    name: str
    groups: Sequence[str] = ()
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def with_group(self, group: str) -> "UserInfo":
        """The same user, in one more group."""
        if group in self.groups:
            return self
        return UserInfo(self.name, (*self.groups, group), self.uid, self.extra)


ANONYMOUS_USER = UserInfo(ANONYMOUS, (ALL_UNAUTHENTICATED,))
LOOPBACK_USER = UserInfo(LOOPBACK, (PRIVILEGED_GROUP, ALL_AUTHENTICATED))
