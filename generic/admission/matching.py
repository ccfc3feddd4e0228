"""Which writes a webhook or a policy wants to see: rules, selectors, equivalent versions, and what is exempt.

Called by `webhook/` and `policy/` for every write there is one of them for. Made of validated, defaulted configuration
objects. Mirrors `apiserver/pkg/admission/plugin/webhook/predicates` and `plugin/policy/matching`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from generic.admission.interface import Attributes, Operation
from generic.meta import errors
from generic.meta.gvk import GroupResource, GroupVersionKind, GroupVersionResource
from generic.meta.selectors import EVERYTHING, LabelSelector
from generic.types import JSONObject

NAMESPACES = GroupVersionResource("", "v1", "namespaces")

_CONFIGURING_GROUP = "admissionregistration.k8s.io"
_CONFIGURING = frozenset({
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
})
REVIEWS = frozenset({
    GroupResource("authentication.k8s.io", "selfsubjectreviews"),
    GroupResource("authentication.k8s.io", "tokenreviews"),
    GroupResource("authorization.k8s.io", "localsubjectaccessreviews"),
    GroupResource("authorization.k8s.io", "selfsubjectaccessreviews"),
    GroupResource("authorization.k8s.io", "selfsubjectrulesreviews"),
    GroupResource("authorization.k8s.io", "subjectaccessreviews"),
})
"""What webhooks and policies could lock a cluster out with."""


class NamespaceSource(Protocol):
    """The namespaces there are, for selectors and expressions."""

    async def namespace(self, name: str) -> JSONObject | None:
        """The namespace of that name; not to be changed. Raises StatusError if it cannot be known."""


def is_exempt(attributes: Attributes) -> bool:
    """Whether no webhook and no policy sees the write: else one could keep itself from being mended."""
    kind = attributes.kind
    if kind.group == _CONFIGURING_GROUP and kind.kind in _CONFIGURING:
        return True
    return attributes.resource.group_resource in REVIEWS


def namespace_of(attributes: Attributes) -> str:
    """The namespace of the write; of one to a namespace itself, its own name."""
    if not attributes.namespace and attributes.resource == NAMESPACES:
        return attributes.name
    return attributes.namespace


@dataclass(frozen=True, slots=True)
class Rule:
    """One RuleWithOperations. `names`: of policies, empty for all."""

    operations: frozenset[str]
    groups: frozenset[str]
    versions: frozenset[str]
    resources: tuple[tuple[str, str], ...]
    """Resource and subresource, each perhaps `*`."""

    scope: str = "*"
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rule: JSONObject) -> Self:
        resources = (str(entry).partition("/") for entry in rule.get("resources") or ())
        return cls(
            operations=frozenset(rule.get("operations") or ()),
            groups=frozenset(rule.get("apiGroups") or ()),
            versions=frozenset(rule.get("apiVersions") or ()),
            resources=tuple((resource, subresource) for resource, _, subresource in resources),
            scope=rule.get("scope") or "*",
            names=frozenset(rule.get("resourceNames") or ()),
        )

    def matches(self, attributes: Attributes, resource: GroupVersionResource) -> bool:
        """Whether it asks for the write, taken as one to `resource`, which may be an equivalent of the written one."""
        return (
            _in(attributes.operation, self.operations)
            and _in(resource.group, self.groups)
            and _in(resource.version, self.versions)
            and any(
                wanted in ("*", resource.resource) and part in ("*", attributes.subresource)
                for wanted, part in self.resources
            )
            and self._in_scope(attributes, resource)
            and (not self.names or attributes.name in self.names)
        )

    def _in_scope(self, attributes: Attributes, resource: GroupVersionResource) -> bool:
        if self.scope == "*":
            return True
        namespaced = bool(attributes.namespace) and resource != NAMESPACES
        return namespaced if self.scope == "Namespaced" else not namespaced


def _in(value: Operation | str, wanted: frozenset[str]) -> bool:
    return value in wanted or "*" in wanted


@dataclass(frozen=True, slots=True)
class Match:
    """As what a webhook or policy sees the write: in the version its rule asks for."""

    resource: GroupVersionResource
    kind: GroupVersionKind


@dataclass(frozen=True, slots=True)
class Constraints:
    """Rules, selectors and match policy of one webhook, policy or binding.

    `everything`: without any rule all is matched (bindings).
    """

    rules: tuple[Rule, ...]
    excluded: tuple[Rule, ...] = ()
    namespaces: LabelSelector = EVERYTHING
    objects: LabelSelector = EVERYTHING
    equivalent: bool = True
    everything: bool = False

    @classmethod
    def of(cls, config: JSONObject, *, rules: str = "rules", everything: bool = False) -> Self:
        """From a webhook, or from `matchConstraints` and `matchResources` with `rules` "resourceRules"."""
        return cls(
            rules=_rules(config.get(rules)),
            excluded=_rules(config.get("excludeResourceRules")),
            namespaces=LabelSelector.from_object(config.get("namespaceSelector") or {}),
            objects=LabelSelector.from_object(config.get("objectSelector") or {}),
            equivalent=config.get("matchPolicy") != "Exact",
            everything=everything,
        )

    async def match(self, attributes: Attributes, namespaces: NamespaceSource) -> Match | None:
        """How the write is matched; None: it is not. Raises StatusError if the namespace cannot be known."""
        if not self.objects.empty and not _selects(self.objects, attributes):
            return None
        if self.excluded and self._by_rules(self.excluded, attributes) is not None:
            return None
        if self.everything and not self.rules:
            found: Match | None = Match(attributes.resource, attributes.kind)
        else:
            found = self._by_rules(self.rules, attributes)
        if found is None or not await self._in_selected_namespace(attributes, namespaces):
            return None
        return found

    def _by_rules(self, rules: Sequence[Rule], attributes: Attributes) -> Match | None:
        if any(rule.matches(attributes, attributes.resource) for rule in rules):
            return Match(attributes.resource, attributes.kind)
        if not self.equivalent or attributes.versions is None:
            return None
        others = attributes.versions.equivalents(attributes.resource, attributes.kind)
        for rule in rules:
            for resource, kind in others:
                if rule.matches(attributes, resource):
                    return Match(resource, kind)
        return None

    async def _in_selected_namespace(self, attributes: Attributes, namespaces: NamespaceSource) -> bool:
        if self.namespaces.empty:
            return True
        name, is_namespace = namespace_of(attributes), attributes.resource == NAMESPACES
        if not name and not is_namespace:
            return True
        if is_namespace and not attributes.subresource and attributes.operation in ("CREATE", "UPDATE"):
            # What is stored may not be the newest, and what is created is not stored at all.
            return self.namespaces.matches(_labels(attributes.object))
        found = await namespaces.namespace(name)
        if found is None:
            raise errors.not_found(NAMESPACES.group_resource, name)
        return self.namespaces.matches(_labels(found))


def _rules(rules: Sequence[JSONObject] | None) -> tuple[Rule, ...]:
    return tuple(Rule.of(rule) for rule in rules or ())


def _selects(selector: LabelSelector, attributes: Attributes) -> bool:
    """Of an update the old object may be the one that is meant."""
    found = (obj for obj in (attributes.object, attributes.old_object) if obj is not None and "metadata" in obj)
    return any(selector.matches(_labels(obj)) for obj in found)


def _labels(obj: JSONObject | None) -> Mapping[str, str]:
    labels: Mapping[str, str] = ((obj or {}).get("metadata") or {}).get("labels") or {}
    return labels
