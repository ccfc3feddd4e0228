"""The strategy of CustomResourceDefinitions: zero values, defaults, status by controllers only, the cleanup finalizer.

Called by the Store. Mirrors `apiextensions-apiserver/pkg/registry/customresourcedefinition/{strategy,etcd}.go` and the
defaults of `apiextensions/v1/defaults.go`.
"""

import asyncio
from collections.abc import Sequence

from extensions.definitions import conditions, schema_props
from extensions.definitions.conditions import Condition
from extensions.definitions.validation import definition as rules
from generic.meta import errors
from generic.meta.fields import FieldError
from generic.registry.strategy import HasStatusRules
from generic.request.context import RequestContext
from generic.schema import formats
from generic.types import JSONObject

FINALIZER = "customresourcecleanup.apiextensions.k8s.io"

_PENDING = Condition(
    conditions.TERMINATING,
    "True",
    "InstanceDeletionPending",
    "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
)
_NEVER_CHECKED = frozenset({"int32", "int64", "float", "double", "password", "isbn"})
"""Formats everybody knows all the same."""


class DefinitionStrategy(HasStatusRules):
    """How definitions are written."""

    allow_unconditional_update = False
    has_status = True
    deletes_in_two_steps = True
    # Their first DELETE has no ear for it.
    dependents = "unsupported"

    def default(self, obj: JSONObject) -> None:
        """Raises 400 for a schema that Go could not decode."""
        _zero_values(obj)
        spec, names = obj["spec"], obj["spec"]["names"]
        names["singular"] = names["singular"] or names["kind"].lower()
        if names["kind"]:
            names["listKind"] = names["listKind"] or f"{names['kind']}List"
        if spec.get("conversion") is None:
            spec["conversion"] = {"strategy": "None"}
        service = ((spec["conversion"].get("webhook") or {}).get("clientConfig") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)
        try:
            for schema in schema_props.schemas_of(spec):
                schema_props.tidy(schema, "spec.versions.schema.openAPIV3Schema")
        except schema_props.Mismatch as error:
            kind = "CustomResourceDefinition"
            raise errors.bad_request(f'{kind} in version "v1" cannot be handled as a {kind}: {error}') from None

    def prepare_for_create(self, request: RequestContext, obj: JSONObject) -> None:
        obj["status"] = {"conditions": [], "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": []}
        _remember_storage_version(obj)

    def prepare_for_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> None:
        status = old.get("status") or {}
        obj["status"] = {**status, "storedVersions": list(status.get("storedVersions") or ())}
        _remember_storage_version(obj)

    def validate(self, request: RequestContext, obj: JSONObject) -> Sequence[FieldError]:
        found = rules.problems(obj)
        if not found:
            _warn(request, obj, None)
        return found

    def validate_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        found = rules.update_problems(obj, old)
        if not found:
            _warn(request, obj, old)
        return found

    def validate_status_update(self, request: RequestContext, obj: JSONObject, old: JSONObject) -> Sequence[FieldError]:
        return rules.status_problems(obj)

    async def validate_rules(
        self, request: RequestContext, obj: JSONObject, old: JSONObject | None, found: Sequence[FieldError]
    ) -> Sequence[FieldError]:
        spec = obj["spec"]
        if old is not None and spec["versions"] == old["spec"]["versions"]:
            return ()
        if not schema_props.has(spec, lambda part: bool(part.get(schema_props.RULES))):
            return ()
        # Hundreds of rules take their time to compile: elsewhere, so that nobody waits for it.
        return await asyncio.to_thread(rules.rule_problems, obj, old, found)

    def after_delete_marked(self, obj: JSONObject) -> None:
        finalizers = obj["metadata"].setdefault("finalizers", [])
        if FINALIZER not in finalizers:
            finalizers.append(FINALIZER)
        conditions.put(obj, _PENDING)


STRATEGY = DefinitionStrategy()


def storage_version(definition: JSONObject) -> str:
    """The name of the version objects are stored in; empty if none is marked."""
    versions: list[JSONObject] = definition["spec"].get("versions") or []
    return next((version["name"] for version in versions if version.get("storage")), "")


def _zero_values(obj: JSONObject) -> None:
    """What Go has where nothing was sent, so that what reads a definition need not ask."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("group", "")
    spec.setdefault("scope", "")
    names = spec.setdefault("names", {})
    for key in ("plural", "singular", "kind", "listKind"):
        names.setdefault(key, "")
    for version in spec.setdefault("versions", []):
        version.setdefault("name", "")
        version.setdefault("served", False)
        version.setdefault("storage", False)
    for condition in (obj.get("status") or {}).get("conditions") or ():
        for key in ("type", "status"):
            condition.setdefault(key, "")


def _remember_storage_version(obj: JSONObject) -> None:
    name, stored = storage_version(obj), obj["status"]["storedVersions"]
    if name and name not in stored:
        stored.append(name)


def _warn(request: RequestContext, obj: JSONObject, old: JSONObject | None) -> None:
    spec, before = obj["spec"], _formats(old["spec"]) if old is not None else set()
    for name in sorted(_formats(spec) - before):
        request.warn(f'unrecognized format "{name}"')


def _formats(spec: JSONObject) -> set[str]:
    """The formats nobody checks."""
    return {
        part["format"]
        for schema in schema_props.schemas_of(spec)
        for _, part in schema_props.walk(schema, "")
        if part.get("format") and part["format"] not in formats.CHECKS and part["format"] not in _NEVER_CHECKED
    }
