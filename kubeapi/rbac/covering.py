"""Whether some rules cover others, and what is missing if not.

Called by `escalation.py`. Mirrors `component-helpers/auth/rbac/validation/policy_comparator.go` and the compact
printing of `pkg/apis/rbac/v1/helpers.go`.
"""

from collections.abc import Iterable, Iterator, Sequence

from generic.authorization.rbac_rules import FIELDS, PolicyRule
from generic.meta.go_text import quote
from generic.types import JSONObject

_ALL = "*"

MOST_COMPARISONS = 1_000_000
"""Of single permissions with rules held. A role of three megabytes can stand for billions of permissions."""

_LEAST_HELD = 10
"""Breaking a rule down costs as much as some comparisons, even if there is nothing to compare with."""


class TooMany(Exception):
    """Comparing would keep the server from everything else."""


def missing(held: Sequence[PolicyRule], wanted: Sequence[PolicyRule]) -> list[PolicyRule]:
    """The single permissions of `wanted` that no rule of `held` covers. Raises TooMany."""
    if sum(map(_singles, wanted)) * max(len(held), _LEAST_HELD) > MOST_COMPARISONS:
        raise TooMany
    singles = (single for rule in wanted for single in _broken_down(rule))
    return [single for single in singles if not any(_covers(rule, single) for rule in held)]


def _singles(rule: PolicyRule) -> int:
    """How many permissions a rule breaks down into."""
    source = rule.source
    verbs, groups, resources, names, urls = (len(source.get(key) or ()) for key in FIELDS)
    return verbs * (groups * resources * max(names, 1) + urls)


def _broken_down(rule: PolicyRule) -> Iterator[PolicyRule]:
    source = rule.source
    verbs: list[str] = source.get("verbs") or []
    for group in source.get("apiGroups") or ():
        for resource in source.get("resources") or ():
            for verb in verbs:
                single: JSONObject = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                if not rule.names:
                    yield PolicyRule.compile(single)
                for name in source.get("resourceNames") or ():
                    yield PolicyRule.compile({**single, "resourceNames": [name]})
    for url in source.get("nonResourceURLs") or ():
        for verb in verbs:
            yield PolicyRule.compile({"verbs": [verb], "nonResourceURLs": [url]})


def _covers(rule: PolicyRule, single: PolicyRule) -> bool:
    return (
        (_ALL in rule.verbs or single.verbs <= rule.verbs)
        and (_ALL in rule.groups or single.groups <= rule.groups)
        and all(_covers_resource(rule, resource) for resource in single.resources)
        and all(_covers_url(rule, url) for url in single.urls)
        # A rule for some names covers no rule for all of them.
        and (not rule.names or (bool(single.names) and single.names <= rule.names))
    )


def _covers_resource(rule: PolicyRule, resource: str) -> bool:
    if _ALL in rule.resources or resource in rule.resources:
        return True
    _, slash, subresource = resource.partition("/")
    return bool(slash) and f"*/{subresource}" in rule.resources


def _covers_url(rule: PolicyRule, url: str) -> bool:
    return url in rule.urls or (bool(rule.url_prefixes) and url.startswith(rule.url_prefixes))


def described(rules: Iterable[PolicyRule]) -> list[str]:
    """The permissions in words, those on one resource together, sorted."""
    together: dict[tuple[str, ...], JSONObject] = {}
    for rule in rules:
        source = rule.source
        key = tuple(str(source.get(k)) for k in ("apiGroups", "resources", "nonResourceURLs", "resourceNames"))
        # Only plain rules on one resource are put together: the others stay one by one, as in Kubernetes.
        plain = bool(source.get("resources")) and not source.get("resourceNames")
        if plain and key in together:
            together[key]["verbs"] = [*together[key]["verbs"], *source["verbs"]]
        else:
            together[key if plain else (*key, str(source["verbs"]))] = dict(source)
    return sorted(set(map(_compact, together.values())))


def _compact(rule: JSONObject) -> str:
    shown = (
        ("APIGroups", "apiGroups"),
        ("Resources", "resources"),
        ("NonResourceURLs", "nonResourceURLs"),
        ("ResourceNames", "resourceNames"),
        ("Verbs", "verbs"),
    )
    return f"{{{', '.join(f'{name}:{listed(rule[key])}' for name, key in shown if rule.get(key))}}}"


def listed(values: Iterable[str]) -> str:
    """Strings as Go's `%q` prints a slice of them."""
    return f"[{' '.join(map(quote, values))}]"
