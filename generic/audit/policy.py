"""Policy: at which level a request is audited: the first rule that matches it says so.

Read from its file by `policy_file`, asked by `auditor` once a request. Mirrors `apiserver/pkg/audit/policy/checker.go`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from generic.request.info import RequestInfo
from generic.request.user import UserInfo

LEVELS = ("None", "Metadata", "Request", "RequestResponse")
NONE = LEVELS[0]

RECEIVED, STARTED, COMPLETE, PANIC = "RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"
STAGES = (RECEIVED, STARTED, COMPLETE, PANIC)

_ANY = "*"


class Verdict(NamedTuple):
    """What the policy says of a request."""

    level: str = NONE
    omitted_stages: frozenset[str] = frozenset()
    omits_managed_fields: bool = False


class GroupResources(NamedTuple):
    """Resources of one group, or of all. Empty members match everything."""

    group: str = ""
    resources: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    def matches(self, info: RequestInfo) -> bool:
        if self.group not in (info.group, _ANY):
            return False
        if not self.resources:
            return True
        if self.names and info.name not in self.names:
            return False
        resource, subresource = info.resource, info.subresource
        wanted = self.resources
        if _ANY in wanted or f"{resource}/*" in wanted:
            return True
        if not subresource:
            return resource in wanted
        return f"{resource}/{subresource}" in wanted or f"*/{subresource}" in wanted


class Rule(NamedTuple):
    """Matches if every member that is not empty does."""

    verdict: Verdict
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset()
    resources: Sequence[GroupResources] = ()
    namespaces: frozenset[str] = frozenset()
    paths: Sequence[str] = ()

    def matches(self, user: UserInfo | None, info: RequestInfo) -> bool:
        if self.verbs and info.verb not in self.verbs:
            return False
        if self.users and (user is None or user.name not in self.users):
            return False
        if self.groups and (user is None or self.groups.isdisjoint(user.groups)):
            return False
        if self.namespaces or self.resources:
            return info.is_resource_request and self._matches_resource(info)
        if self.paths:
            return not info.is_resource_request and any(_covers(each, info.path) for each in self.paths)
        return True

    def _matches_resource(self, info: RequestInfo) -> bool:
        if self.namespaces and info.namespace not in self.namespaces:
            return False
        return not self.resources or any(each.matches(info) for each in self.resources)


class Policy(NamedTuple):
    """Rules in their order, and what holds where none matches."""

    rules: Sequence[Rule]
    otherwise: Verdict = Verdict()

    def evaluate(self, user: UserInfo | None, info: RequestInfo) -> Verdict:
        """`user`: None for whom authentication refused."""
        for rule in self.rules:
            if rule.matches(user, info):
                return rule.verdict
        return self.otherwise


def _covers(pattern: str, path: str) -> bool:
    return pattern == path or (pattern.endswith(_ANY) and path.startswith(pattern.rstrip(_ANY)))
