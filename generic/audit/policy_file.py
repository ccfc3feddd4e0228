"""Reads and checks the file of `--audit-policy-file`. Called once at the start, by `setup`.

Unknown fields are warned of and left alone, as everything else is an error: a policy that is misread writes too much
or too little. Mirrors `apiserver/pkg/audit/policy/reader.go` and `apiserver/pkg/apis/audit/validation`.
"""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from generic.audit.options import VERSION
from generic.audit.policy import LEVELS, STAGES, GroupResources, Policy, Rule, Verdict
from generic.meta import fields, names
from generic.meta.fields import FieldError
from generic.types import JSONObject

_KIND = "Policy"

_POLICY_FIELDS = ("apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields")
_RULE_FIELDS = (
    "level",
    "users",
    "userGroups",
    "verbs",
    "resources",
    "namespaces",
    "nonResourceURLs",
    "omitStages",
    "omitManagedFields",
)
_RESOURCE_FIELDS = ("group", "resources", "resourceNames")

_LOG = logging.getLogger(__name__)


def load(path: Path) -> Policy:
    """Raises ValueError with one line for the person who wrote the file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f'failed to read file path "{path}": {error.strerror}') from None
    try:
        return parse(content)
    except ValueError as error:
        raise ValueError(f"{error}: from file {path}") from None


def parse(content: bytes) -> Policy:
    """The policy a YAML or JSON document says. Raises ValueError."""
    reader = _Reader()
    document = _document(content)
    rules = [_Rule(each, at, reader) for each, at in reader.objects(document, "rules", "")]
    omitted = reader.strings(document, "omitStages", "")
    omits_managed_fields = bool(reader.boolean(document, "omitManagedFields", ""))
    reader.only(document, _POLICY_FIELDS, "")
    if reader.unknown:
        _LOG.warning("audit policy contains errors, falling back to lenient decoding: %s", ", ".join(reader.unknown))
    problems = [*_stage_problems(omitted, "omitStages")]
    for rule in rules:
        problems += rule.problems()
    if problems:
        texts = list(map(str, problems))
        raise ValueError(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
    if not rules:
        raise ValueError("loaded illegal policy with 0 rules")
    otherwise = Verdict(omitted_stages=frozenset(omitted), omits_managed_fields=omits_managed_fields)
    return Policy([rule.made(otherwise) for rule in rules], otherwise)


def _document(content: bytes) -> JSONObject:
    try:
        document = yaml.load(content, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"failed decoding: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise ValueError("failed decoding: couldn't get version/kind; the document is not an object")
    kind, version = document.get("kind"), document.get("apiVersion")
    for name, value in (("Kind", kind), ("apiVersion", version)):
        if not value:
            raise ValueError(f"failed decoding: Object '{name}' is missing")
    if (version, kind) != (VERSION, _KIND):
        raise ValueError(f'failed decoding: no kind "{kind}" is registered for version "{version}"')
    return document


class _Reader:
    """Typed access to a decoded document; keeps what it does not know."""

    def __init__(self) -> None:
        self.unknown: list[str] = []

    def only(self, obj: JSONObject, known: Iterable[str], at: str) -> None:
        self.unknown += [f'unknown field "{at}{name}"' for name in obj if name not in known]

    def text(self, obj: JSONObject, name: str, at: str) -> str:
        return self._typed(obj.get(name, ""), str, f"{at}{name}", "string") or ""

    def boolean(self, obj: JSONObject, name: str, at: str) -> bool | None:
        """None: not given."""
        found: bool | None = self._typed(obj.get(name), bool, f"{at}{name}", "bool")
        return found

    def strings(self, obj: JSONObject, name: str, at: str) -> list[str]:
        values = self._typed(obj.get(name), list, f"{at}{name}", "[]string") or []
        return [self._typed(value, str, f"{at}{name}", "string") or "" for value in values]

    def objects(self, obj: JSONObject, name: str, at: str) -> Iterator[tuple[JSONObject, str]]:
        """Each with its path, to put names after."""
        for number, value in enumerate(self._typed(obj.get(name), list, f"{at}{name}", "list") or []):
            path = f"{at}{name}[{number}]"
            yield self._typed(value, dict, path, "object") or {}, f"{path}."

    @staticmethod
    def _typed(value: Any, wanted: type, at: str, shown: str) -> Any:
        if value is not None and not isinstance(value, wanted):
            raise ValueError(
                f"failed decoding: cannot unmarshal {type(value).__name__} into field {at} of type {shown}"
            )
        return value


class _Rule:
    """A rule as it stands in the file. `at`: its path, with a dot behind."""

    def __init__(self, obj: JSONObject, at: str, reader: _Reader) -> None:
        self._at = at
        self._level = reader.text(obj, "level", at)
        self._users, self._groups, self._verbs, self._namespaces, self._paths, self._omitted = (
            reader.strings(obj, name, at)
            for name in ("users", "userGroups", "verbs", "namespaces", "nonResourceURLs", "omitStages")
        )
        self._omits_managed_fields = reader.boolean(obj, "omitManagedFields", at)
        self._resources = []
        for each, path in reader.objects(obj, "resources", at):
            group = reader.text(each, "group", path)
            named, resources = (reader.strings(each, name, path) for name in ("resourceNames", "resources"))
            self._resources.append(GroupResources(group, frozenset(resources), frozenset(named)))
            reader.only(each, _RESOURCE_FIELDS, path)
        reader.only(obj, _RULE_FIELDS, at)

    def problems(self) -> list[FieldError]:
        at = self._at
        found = []
        if not self._level:
            found.append(fields.required(f"{at}level"))
        elif self._level not in LEVELS:
            found.append(fields.not_supported(f"{at}level", self._level, LEVELS))
        found += _path_problems(self._paths, f"{at}nonResourceURLs")
        for each in self._resources:
            found += _resource_problems(each, f"{at}resources")
        found += _stage_problems(self._omitted, f"{at}omitStages")
        if self._paths and (self._resources or self._namespaces):
            why = "rules cannot apply to both regular resources and non-resource URLs"
            found.append(fields.invalid(f"{at}nonResourceURLs", self._paths, why))
        return found

    def made(self, otherwise: Verdict) -> Rule:
        """`otherwise`: what the policy says for all rules."""
        omits = otherwise.omits_managed_fields if self._omits_managed_fields is None else self._omits_managed_fields
        return Rule(
            Verdict(self._level, otherwise.omitted_stages | frozenset(self._omitted), omits),
            users=frozenset(self._users),
            groups=frozenset(self._groups),
            verbs=frozenset(self._verbs),
            resources=tuple(self._resources),
            namespaces=frozenset(self._namespaces),
            paths=tuple(self._paths),
        )


def _path_problems(paths: Iterable[str], at: str) -> Iterator[FieldError]:
    for number, path in enumerate(paths):
        if path == "*":
            continue
        if not path.startswith("/"):
            why = "non-resource URL rules must begin with a '/' character"
            yield fields.invalid(f"{at}[{number}]", path, why)
        if "*" in path[:-1]:
            why = "non-resource URL wildcards '*' must be the final character of the rule"
            yield fields.invalid(f"{at}[{number}]", path, why)


def _resource_problems(found: GroupResources, at: str) -> Iterator[FieldError]:
    problems = names.dns1123_subdomain(found.group) if found.group not in ("", "*") else []
    if problems:
        yield fields.invalid(f"{at}.group", found.group, ",".join(problems))
    if found.names and not found.resources:
        why = "using resourceNames requires at least one resource"
        yield fields.invalid(f"{at}.resourceNames", sorted(found.names), why)


def _stage_problems(stages: Iterable[str], at: str) -> Iterator[FieldError]:
    for number, stage in enumerate(stages):
        if stage not in STAGES:
            yield fields.invalid(f"{at}[{number}]", stage, f"allowed stages are {','.join(STAGES)}")
