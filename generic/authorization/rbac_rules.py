"""PolicyRule: one RBAC rule, compiled for matching, and roles made of them.

Used by `rbac_index`, which compiles each role once, and by the escalation checks. Mirrors
`pkg/apis/rbac/v1/evaluation_helpers.go`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from generic.authorization.interface import AuthorizationAttributes
from generic.types import JSONObject

_ALL = "*"
FIELDS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
"""The members of a rule, in the order it is written."""


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """What a rule grants. Sets hold the literal entries; `*` and prefixes are worked out beforehand."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    urls: frozenset[str]
    url_prefixes: tuple[str, ...]
    """Of URLs with a trailing `*`."""
    source: JSONObject = field(compare=False)

    @staticmethod
    def compile(rule: JSONObject) -> "PolicyRule":
        """From the JSON of a rule; null lists are empty ones."""
        urls: list[str] = rule.get("nonResourceURLs") or []
        return PolicyRule(
            verbs=frozenset(rule.get("verbs") or ()),
            groups=frozenset(rule.get("apiGroups") or ()),
            resources=frozenset(rule.get("resources") or ()),
            names=frozenset(rule.get("resourceNames") or ()),
            urls=frozenset(urls),
            url_prefixes=tuple(url.rstrip("*") for url in urls if url.endswith("*")),
            source=rule,
        )

    def allows(self, attributes: AuthorizationAttributes) -> bool:
        verbs = self.verbs
        if attributes.verb not in verbs and _ALL not in verbs:
            return False
        if not attributes.is_resource_request:
            return attributes.path in self.urls or attributes.path.startswith(self.url_prefixes)
        groups = self.groups
        if attributes.group not in groups and _ALL not in groups:
            return False
        if not self._covers(attributes.resource, attributes.subresource):
            return False
        return not self.names or attributes.name in self.names

    def _covers(self, resource: str, subresource: str) -> bool:
        resources = self.resources
        if _ALL in resources:
            return True
        if not subresource:
            return resource in resources
        return f"{resource}/{subresource}" in resources or f"*/{subresource}" in resources

    def to_object(self) -> JSONObject:
        """The rule as JSON, in the order it was written, for rule reviews."""
        return {key: self.source[key] for key in FIELDS if self.source.get(key)}


def compile_rules(rules: Iterable[JSONObject] | None) -> tuple[PolicyRule, ...]:
    """The rules of a Role or ClusterRole; null is none."""
    return tuple(map(PolicyRule.compile, rules or ()))
