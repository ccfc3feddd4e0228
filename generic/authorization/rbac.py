"""RBACAuthorizer: allows what a role bound to the user grants; it never denies.

Mirrors `plugin/pkg/auth/authorizer/rbac/rbac.go` and `pkg/registry/rbac/validation/rule.go`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from generic.authorization.interface import AuthorizationAttributes, Decision, Verdict
from generic.authorization.rbac_index import Grant, RBACIndex
from generic.authorization.rbac_rules import PolicyRule
from generic.meta import errors
from generic.meta.gvk import GroupResource
from generic.request.user import UserInfo

_GROUP = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class HeldRules:
    """All a user may do in a namespace. `errors`: roles that are bound but do not exist, so the list may be short."""

    rules: tuple[PolicyRule, ...]
    errors: tuple[str, ...]


class RBACAuthorizer:
    """Decides by an RBACIndex."""

    def __init__(self, index: RBACIndex) -> None:
        self._index = index

    async def authorize(self, attributes: AuthorizationAttributes) -> Verdict:
        missing: list[str] = []
        for grant in self._index.grants(attributes.user, attributes.namespace):
            rules = self._index.role(grant.role)
            if rules is None:
                missing.append(_not_found(grant))
                continue
            for rule in rules:
                if rule.allows(attributes):
                    return Verdict(Decision.ALLOW, grant.because)
        return Verdict(Decision.NO_OPINION, f"RBAC: {_aggregate(missing)}" if missing else "")

    def rules_for(self, user: UserInfo, namespace: str) -> HeldRules:
        """Every rule the user holds: cluster-wide, and in the namespace if one is given."""
        missing: list[str] = []
        held = tuple(self._rules(user, namespace, missing))
        return HeldRules(held, tuple(dict.fromkeys(missing)))

    def _rules(self, user: UserInfo, namespace: str, missing: list[str]) -> Iterator[PolicyRule]:
        for grant in self._index.grants(user, namespace):
            rules = self._index.role(grant.role)
            if rules is None:
                missing.append(_not_found(grant))
            else:
                yield from rules


def _not_found(grant: Grant) -> str:
    return errors.not_found(GroupResource(_GROUP, grant.role_kind.lower()), grant.role[1]).message


def _aggregate(messages: list[str]) -> str:
    """Several errors as Kubernetes prints them together, each once."""
    distinct = list(dict.fromkeys(messages))
    return distinct[0] if len(distinct) == 1 else f"[{', '.join(distinct)}]"
