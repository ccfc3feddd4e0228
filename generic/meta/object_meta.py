"""ObjectMeta: what is wrong with an object's metadata, at creation and between two states.

Called by the Store's create and update paths for every kind, and for pod templates by their strategies.
Mirrors `apimachinery/pkg/api/validation/objectmeta.go`.
"""

from collections.abc import Sequence
from typing import Any

from generic.meta import fields, names, validation
from generic.meta.fields import FieldError
from generic.meta.gvk import GroupVersion
from generic.meta.names import NameValidator
from generic.types import JSONObject

ORPHAN_FINALIZER = "orphan"
FOREGROUND_FINALIZER = "foregroundDeletion"

_SUBRESOURCE_LIMIT = 256
_TEXT = ("name", "generateName", "namespace", "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp")
_TEXT_MAPS = ("labels", "annotations")


def validate_object_meta(
    metadata: JSONObject, *, namespaced: bool, name_validator: NameValidator, path: str = "metadata"
) -> list[FieldError]:
    """Everything wrong with the metadata of an object, once its name has been generated."""
    found = _wrong_types(metadata, path)
    if found:
        # The rules below read the values, so they can only run on values of the right types.
        return found
    found += _names(metadata, name_validator, path)
    found += _namespace(metadata.get("namespace") or "", path, namespaced=namespaced)
    found += validation.nonnegative(metadata.get("generation") or 0, f"{path}.generation")
    found += validation.labels(metadata.get("labels") or {}, f"{path}.labels")
    found += validation.annotations(metadata.get("annotations") or {}, f"{path}.annotations")
    found += owner_references(metadata.get("ownerReferences") or [], f"{path}.ownerReferences")
    found += finalizers(metadata.get("finalizers") or [], f"{path}.finalizers")
    found += managed_fields(metadata.get("managedFields") or [], f"{path}.managedFields")
    return found


def validate_object_meta_update(new: JSONObject, old: JSONObject, path: str = "metadata") -> list[FieldError]:
    """What an update may not change. Both are valid by themselves: `validate_object_meta` sees to that.

    The resourceVersion is not looked at: whether one is needed is the Store's decision.
    """
    found: list[FieldError] = []
    if old.get("deletionTimestamp"):
        given, known = new.get("finalizers") or [], old.get("finalizers") or []
        found += validation.no_new_finalizers(given, known, f"{path}.finalizers")
    if (new.get("generation") or 0) < (old.get("generation") or 0):
        found.append(fields.invalid(f"{path}.generation", new.get("generation") or 0, "must not be decremented"))
    for key in ("name", "namespace", "uid"):
        found += validation.immutable(new.get(key) or "", old.get(key) or "", f"{path}.{key}")
    for key in ("creationTimestamp", "deletionTimestamp"):
        found += validation.immutable(new.get(key), old.get(key), f"{path}.{key}")
    # Zero seconds is a value here, not an absence.
    grace = new.get("deletionGracePeriodSeconds")
    if grace != old.get("deletionGracePeriodSeconds"):
        found.append(fields.invalid(f"{path}.deletionGracePeriodSeconds", grace, fields.IMMUTABLE))
    return found


def owner_references(references: Sequence[JSONObject], path: str) -> list[FieldError]:
    """Each names an object completely, and at most one of them is the controller."""
    found: list[FieldError] = []
    controller = ""
    for at, reference in enumerate(references):
        found += _owner_reference(reference, f"{path}[{at}]")
        if reference.get("controller") is True:
            this = f"{reference.get('kind') or ''}/{reference.get('name') or ''}"
            if controller:
                why = (
                    "Only one reference can have Controller set to true. "
                    f'Found "true" in references for {controller} and {this}'
                )
                found.append(fields.invalid(path, references, why))
            else:
                controller = this
    return found


def _owner_reference(reference: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []
    api_version = reference.get("apiVersion") or ""
    try:
        version = GroupVersion.parse(api_version).version
    except ValueError:
        version = ""
    if api_version and not version:
        found.append(fields.invalid(f"{path}.apiVersion", api_version, "must be <group>/<version> or <version>"))
    found += [
        fields.required(f"{path}.{key}", "must not be empty")
        for key in ("apiVersion", "kind", "name", "uid")
        if not reference.get(key)
    ]
    if api_version == "v1" and reference.get("kind") == "Event":
        found.append(fields.invalid(path, reference, "/v1, Kind=Event is disallowed from being an owner"))
    return found


def finalizers(values: Sequence[str], path: str) -> list[FieldError]:
    """Qualified names; the two deletion policies exclude each other."""
    found = [fields.invalid(path, value, message) for value in values for message in names.qualified_name(value)]
    if ORPHAN_FINALIZER in values and FOREGROUND_FINALIZER in values:
        why = f"finalizer {ORPHAN_FINALIZER} and {FOREGROUND_FINALIZER} cannot be both set"
        found.append(fields.invalid(path, values, why))
    return found


def managed_fields(entries: Sequence[JSONObject], path: str) -> list[FieldError]:
    """The form of the entries; what they say of fields is server-side apply's business."""
    found: list[FieldError] = []
    for at, entry in enumerate(entries):
        here = f"{path}[{at}]"
        operation, form = entry.get("operation") or "", entry.get("fieldsType") or ""
        if operation not in ("Apply", "Update"):
            found.append(fields.invalid(f"{here}.operation", operation, "must be `Apply` or `Update`"))
        if form not in ("", "FieldsV1"):
            found.append(fields.invalid(f"{here}.fieldsType", form, "must be `FieldsV1`"))
        found += validation.field_manager(entry.get("manager") or "", f"{here}.manager")
        if len((entry.get("subresource") or "").encode()) > _SUBRESOURCE_LIMIT:
            found.append(fields.too_long(f"{here}.subresource", _SUBRESOURCE_LIMIT))
    return found


def _names(metadata: JSONObject, validator: NameValidator, path: str) -> list[FieldError]:
    base, name = metadata.get("generateName") or "", metadata.get("name") or ""
    found: list[FieldError] = []
    if base:
        messages = names.generate_name_problems(validator, base)
        found += [fields.invalid(f"{path}.generateName", base, message) for message in messages]
    if name:
        return [*found, *(fields.invalid(f"{path}.name", name, message) for message in validator(name))]
    return [*found, fields.required(f"{path}.name", "name or generateName is required")]


def _namespace(namespace: str, path: str, *, namespaced: bool) -> list[FieldError]:
    if not namespaced:
        return [fields.forbidden(f"{path}.namespace", "not allowed on this type")] if namespace else []
    if not namespace:
        return [fields.required(f"{path}.namespace")]
    return [fields.invalid(f"{path}.namespace", namespace, message) for message in names.dns1123_label(namespace)]


def _wrong_types(metadata: JSONObject, path: str) -> list[FieldError]:
    found: list[FieldError] = []

    def expect(key: str, value: Any, kind: type, called: str) -> bool:
        if value is None or (isinstance(value, kind) and not (kind is int and isinstance(value, bool))):
            return value is not None
        found.append(fields.type_invalid(f"{path}.{key}", value, f"must be of type {called}"))
        return False

    for key in _TEXT:
        expect(key, metadata.get(key), str, "string")
    for key in ("generation", "deletionGracePeriodSeconds"):
        expect(key, metadata.get(key), int, "integer")
    for key in _TEXT_MAPS:
        if expect(key, metadata.get(key), dict, "object"):
            for inner, value in metadata[key].items():
                expect(f"{key}[{inner}]", "" if value is None else value, str, "string")
    if expect("finalizers", metadata.get("finalizers"), list, "array"):
        for at, value in enumerate(metadata["finalizers"]):
            expect(f"finalizers[{at}]", "" if value is None else value, str, "string")
    for key, texts in (
        ("ownerReferences", ("apiVersion", "kind", "name", "uid")),
        ("managedFields", ("operation", "fieldsType", "manager", "subresource")),
    ):
        if not expect(key, metadata.get(key), list, "array"):
            continue
        for at, item in enumerate(metadata[key]):
            if expect(f"{key}[{at}]", {} if item is None else item, dict, "object"):
                for inner in texts:
                    expect(f"{key}[{at}].{inner}", (item or {}).get(inner), str, "string")
    return found
