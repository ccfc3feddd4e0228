"""Which requests a FlowSchema is for: its rules, compiled once to sets.

Made by `control.FlowControl.digest`, asked for each new kind of request. Mirrors
`apiserver/pkg/util/flowcontrol/rule.go`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from generic.request.info import RequestInfo
from generic.request.user import UserInfo
from generic.types import JSONObject

_ALL = "*"
_SERVICE_ACCOUNT = "system:serviceaccount:"

Names = frozenset[str] | None
"""None: all there are."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """Users by name, by the beginning of their name (all service accounts of a namespace), or by group."""

    everybody: bool
    users: frozenset[str]
    prefixes: tuple[str, ...]
    groups: frozenset[str]

    @classmethod
    def of(cls, subjects: Iterable[JSONObject]) -> "Subjects":
        users, prefixes, groups = set(), [], set()
        for subject in subjects:
            kind = subject.get("kind")
            if kind == "User":
                users.add((subject.get("user") or {}).get("name", ""))
            elif kind == "Group":
                groups.add((subject.get("group") or {}).get("name", ""))
            elif kind == "ServiceAccount":
                account = subject.get("serviceAccount") or {}
                prefix = f"{_SERVICE_ACCOUNT}{account.get('namespace', '')}:"
                if account.get("name") == _ALL:
                    prefixes.append(prefix)
                else:
                    users.add(f"{prefix}{account.get('name', '')}")
        return cls(_ALL in users or _ALL in groups, frozenset(users), tuple(prefixes), frozenset(groups))

    def match(self, user: UserInfo) -> bool:
        return (
            self.everybody
            or user.name in self.users
            or not self.groups.isdisjoint(user.groups)
            or user.name.startswith(self.prefixes)
        )


@dataclass(frozen=True, slots=True)
class ResourceRule:
    """Requests for resources."""

    verbs: Names
    groups: Names
    resources: Names
    namespaces: Names
    cluster_scope: bool
    """Also those in no namespace."""

    @classmethod
    def of(cls, rule: JSONObject) -> "ResourceRule":
        return cls(
            _names(rule.get("verbs")),
            _names(rule.get("apiGroups")),
            _names(rule.get("resources")),
            _names(rule.get("namespaces")),
            bool(rule.get("clusterScope")),
        )

    def match(self, info: RequestInfo) -> bool:
        resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
        if not (_in(info.verb, self.verbs) and _in(resource, self.resources) and _in(info.group, self.groups)):
            return False
        return _in(info.namespace, self.namespaces) if info.namespace else self.cluster_scope


@dataclass(frozen=True, slots=True)
class PathRule:
    """Requests for anything else, by path: the path itself and all below it."""

    verbs: Names
    paths: Names
    prefixes: tuple[str, ...]

    @classmethod
    def of(cls, rule: JSONObject) -> "PathRule":
        paths = rule.get("nonResourceURLs") or ()
        prefixes = tuple(path.removesuffix(_ALL).removesuffix("/") + "/" for path in paths)
        return cls(_names(rule.get("verbs")), None if _ALL in paths else frozenset(paths), prefixes)

    def match(self, info: RequestInfo) -> bool:
        return _in(info.verb, self.verbs) and (_in(info.path, self.paths) or info.path.startswith(self.prefixes))


@dataclass(frozen=True, slots=True)
class Rule:
    """Some subjects and what they ask for."""

    subjects: Subjects
    resources: tuple[ResourceRule, ...]
    paths: tuple[PathRule, ...]

    @classmethod
    def of(cls, rule: JSONObject) -> "Rule":
        return cls(
            Subjects.of(rule.get("subjects") or ()),
            tuple(ResourceRule.of(each) for each in rule.get("resourceRules") or ()),
            tuple(PathRule.of(each) for each in rule.get("nonResourceRules") or ()),
        )

    def match(self, user: UserInfo, info: RequestInfo) -> bool:
        if not self.subjects.match(user):
            return False
        if info.is_resource_request:
            return any(rule.match(info) for rule in self.resources)
        return any(rule.match(info) for rule in self.paths)


@dataclass(frozen=True, slots=True)
class FlowSchema:
    """A FlowSchema: of those that match a request, the one of least precedence counts, then of least name."""

    name: str
    uid: str
    precedence: int
    level: str
    distinguisher: str
    """`ByUser`, `ByNamespace`, or empty: all its requests are one flow."""
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, obj: JSONObject) -> "FlowSchema":
        metadata, spec = obj["metadata"], obj.get("spec") or {}
        return cls(
            metadata["name"],
            metadata.get("uid", ""),
            spec.get("matchingPrecedence") or 1000,
            (spec.get("priorityLevelConfiguration") or {}).get("name", ""),
            (spec.get("distinguisherMethod") or {}).get("type", ""),
            tuple(Rule.of(rule) for rule in spec.get("rules") or ()),
        )

    def match(self, user: UserInfo, info: RequestInfo) -> bool:
        return any(rule.match(user, info) for rule in self.rules)

    def flow(self, user: UserInfo, info: RequestInfo) -> str:
        """What tells the flows of this schema apart."""
        if self.distinguisher == "ByUser":
            return user.name
        return info.namespace if self.distinguisher == "ByNamespace" else ""


def _names(listed: Sequence[str] | None) -> Names:
    found = listed or ()
    # A wildcard stands alone: validation sees to that, and beside others it is a name like any other.
    return None if tuple(found) == (_ALL,) else frozenset(found)


def _in(name: str, names: Names) -> bool:
    return names is None or name in names
