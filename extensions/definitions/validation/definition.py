"""What is wrong with a definition: its names, versions and schemas, and what a change of it may not do.

Called by the strategy with definitions whose zero values are filled in. Where all versions say the same (one always
does), Kubernetes speaks of `spec.validation` and so on as if it stood once at the top; so do we. Mirrors
`apiextensions/validation/validation.go`.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from extensions.definitions import approval, conditions
from extensions.definitions.approval import ANNOTATION, Approval
from extensions.definitions.validation import conversion, naming, rules, schemas, versions
from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.types import JSONObject

_VERSIONS = "spec.versions"


def problems(definition: JSONObject) -> list[FieldError]:
    """Everything wrong with a new definition beyond its metadata."""
    return [
        *_name(definition),
        *_spec(definition["spec"]),
        *status_problems(definition),
        *_stored_versions(definition),
        *_approval(definition, None),
        *_preserve_unknown_fields(definition, None),
    ]


def update_problems(new: JSONObject, old: JSONObject) -> list[FieldError]:
    """Everything wrong with a changed definition, and with the change."""
    spec, before = new["spec"], old["spec"]
    found = [*_name(new), *_spec(spec)]
    if conditions.is_true(old, conditions.ESTABLISHED):
        # What is stored depends on these.
        found += validation.immutable(spec["scope"], before["scope"], "spec.scope")
        found += validation.immutable(spec["names"]["kind"], before["names"]["kind"], "spec.names.kind")
    found += validation.immutable(spec["group"], before["group"], "spec.group")
    found += validation.immutable(spec["names"]["plural"], before["names"]["plural"], "spec.names.plural")
    return [
        *found,
        *status_problems(new),
        *_stored_versions(new),
        *_approval(new, old),
        *_preserve_unknown_fields(new, old),
    ]


def rule_problems(new: JSONObject, old: JSONObject | None, found: Sequence[FieldError]) -> list[FieldError]:
    """What is wrong with the rules in CEL of its schemas; takes a millisecond per rule.

    `found`: what is wrong already: of a broken schema nothing helpful could be said. Nor are the rules judged again of
    a schema that the definition had before.
    """
    known = [_open_api(version) for version in old["spec"]["versions"]] if old is not None else []
    made: list[FieldError] = []
    for schema, path in _schemas(new["spec"]["versions"]):
        if schema not in known and not any(problem.field.startswith(path) for problem in found):
            made += rules.problems(schema, path)
    return made


def _schemas(found: Sequence[JSONObject]) -> Iterator[tuple[JSONObject, str]]:
    """Every schema and its path, as errors speak of it."""
    if _same(found, "schema"):
        found, paths = found[:1], ["spec.validation.openAPIV3Schema"]
    else:
        paths = [f"{_VERSIONS}[{at}].schema.openAPIV3Schema" for at in range(len(found))]
    for version, path in zip(found, paths, strict=True):
        schema = _open_api(version)
        if schema is not None:
            yield schema, path


def status_problems(definition: JSONObject) -> list[FieldError]:
    """What is wrong with the status a controller writes."""
    accepted = (definition.get("status") or {}).get("acceptedNames") or {}
    return naming.problems(accepted, "status.acceptedNames")


def _name(definition: JSONObject) -> Iterator[FieldError]:
    spec, name = definition["spec"], definition["metadata"].get("name") or ""
    if name != f"{spec['names']['plural']}.{spec['group']}":
        yield fields.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')


def _spec(spec: JSONObject) -> Iterator[FieldError]:
    yield from _group(spec["group"])
    if not spec["scope"]:
        yield fields.required("spec.scope")
    elif spec["scope"] not in ("Cluster", "Namespaced"):
        yield fields.not_supported("spec.scope", spec["scope"], ("Cluster", "Namespaced"))
    found: list[JSONObject] = spec["versions"]
    for at, version in enumerate(found):
        if (version.get("schema") or {}).get("openAPIV3Schema") is None:
            yield fields.required(f"{_VERSIONS}[{at}].schema.openAPIV3Schema", "schemas are required")
    yield from _each_version(found)
    if len({version["name"] for version in found}) != len(found):
        yield fields.invalid(_VERSIONS, _shown(found), "must contain unique version names")
    if sum(1 for version in found if version["storage"]) != 1:
        why = "must have exactly one version marked as storage version"
        yield fields.invalid(_VERSIONS, _shown(found), why)
    for key in ("plural", "singular", "kind", "listKind"):
        if not spec["names"][key]:
            yield fields.required(f"spec.names.{key}")
    yield from naming.problems(spec["names"], "spec.names")
    yield from _common(found)
    yield from conversion.problems(spec.get("conversion"), "spec.conversion")


def _group(group: str) -> Iterator[FieldError]:
    if not group:
        yield fields.required("spec.group")
    elif wrong := names.dns1123_subdomain(group):
        yield fields.invalid("spec.group", group, ",".join(wrong))
    elif "." not in group:
        yield fields.invalid("spec.group", group, "should be a domain with at least one dot")


def _each_version(found: Sequence[JSONObject]) -> Iterator[FieldError]:
    apart = {key for key in ("schema", "subresources", "additionalPrinterColumns") if not _same(found, key)}
    for at, version in enumerate(found):
        path = f"{_VERSIONS}[{at}]"
        if wrong := names.dns1035_label(version["name"]):
            yield fields.invalid(f"{path}.name", version["name"], ",".join(wrong))
        yield from versions.deprecation(version, f"{path}.deprecationWarning")
        if "schema" in apart:
            here = f"{path}.schema.openAPIV3Schema"
            yield from _schema(version, here, has_status=_has_status(version))
        if "subresources" in apart:
            yield from versions.subresources(version.get("subresources"), f"{path}.subresources")
        if "additionalPrinterColumns" in apart:
            yield from versions.columns(version, f"{path}.additionalPrinterColumns")
        yield from versions.selectable_fields(version, f"{path}.selectableFields")


def _common(found: Sequence[JSONObject]) -> Iterator[FieldError]:
    """What all versions share, said once."""
    if not found:
        return
    first, some_status = found[0], any(_has_status(version) for version in found)
    if wrong := names.dns1035_label(first["name"]):
        yield fields.invalid("spec.version", first["name"], ",".join(wrong))
    if _same(found, "schema"):
        yield from _schema(first, "spec.validation.openAPIV3Schema", has_status=some_status)
    if _same(found, "subresources"):
        yield from versions.subresources(first.get("subresources"), "spec.subresources")
    if _same(found, "additionalPrinterColumns"):
        yield from versions.columns(first, "spec.additionalPrinterColumns")


def _schema(version: JSONObject, path: str, *, has_status: bool) -> list[FieldError]:
    schema = _open_api(version)
    return schemas.problems(schema, path, has_status=has_status) if schema is not None else []


def _open_api(version: JSONObject) -> JSONObject | None:
    return (version.get("schema") or {}).get("openAPIV3Schema")


def _same(found: Sequence[JSONObject], key: str) -> bool:
    return all(version.get(key) == found[0].get(key) for version in found)


def _has_status(version: JSONObject) -> bool:
    return (version.get("subresources") or {}).get("status") is not None


def _shown(found: Sequence[JSONObject]) -> list[dict[str, Any]]:
    """Versions as an error shows them: schemas can be very long."""
    return [{key: value for key, value in version.items() if key != "schema"} for version in found]


def _stored_versions(definition: JSONObject) -> Iterator[FieldError]:
    stored: list[str] = (definition.get("status") or {}).get("storedVersions") or []
    path = "status.storedVersions"
    if not stored:
        yield fields.invalid(path, stored, "must have at least one stored version")
        return
    known = {version["name"]: version["storage"] for version in definition["spec"]["versions"]}
    for name, is_storage in known.items():
        if is_storage and name not in stored:
            yield fields.invalid(path, name, f"must have the storage version {name}")
    for at, name in enumerate(stored):
        if name not in known:
            yield fields.invalid(f"{path}[{at}]", name, "must appear in spec.versions")


def _approval(new: JSONObject, old: JSONObject | None) -> Iterator[FieldError]:
    if not approval.is_protected(new["spec"]["group"]):
        return
    annotations = new["metadata"].get("annotations") or {}
    state, why = approval.approval(annotations)
    if old is not None and approval.approval(old["metadata"].get("annotations") or {})[0] is state:
        # Whoever changes something else need not settle it.
        return
    path = f"metadata.annotations[{ANNOTATION}]"
    if state is Approval.INVALID:
        yield fields.invalid(path, annotations[ANNOTATION], why)
    elif state is Approval.MISSING:
        yield fields.required(path, why)


def _preserve_unknown_fields(new: JSONObject, old: JSONObject | None) -> Iterator[FieldError]:
    if not new["spec"].get("preserveUnknownFields") or (old is not None and old["spec"].get("preserveUnknownFields")):
        return
    why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
    yield fields.invalid("spec.preserveUnknownFields", True, why)
