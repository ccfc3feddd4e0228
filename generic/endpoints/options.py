"""The options of each verb, read from the query string and checked.

Mirrors `apimachinery/pkg/apis/meta/v1/validation` and the query half of the handlers.
"""

import re
from collections.abc import Mapping
from typing import Literal, cast
from urllib.parse import parse_qs

from generic.meta import errors, fields
from generic.meta import validation as meta_validation
from generic.meta.gvk import GroupKind
from generic.meta.selectors import FieldSelector, LabelSelector
from generic.registry.options import DeleteOptions, FieldValidation, GetOptions, ListOptions, WriteOptions
from generic.schema import go_words
from generic.schema.go_words import Place
from generic.types import JSONObject, Scope

Query = Mapping[str, list[str]]
_META = "meta.k8s.io"
_MANAGER_LIMIT = 128
_MATCH = "resourceVersionMatch"
_WITH_CONTINUE = "resourceVersionMatch is forbidden when continue is provided"
_GO_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_INT64 = range(-(2**63), 2**63)
_DELETE_FIELDS: Mapping[str, tuple[type, str]] = {
    "gracePeriodSeconds": (int, "int64"),
    "preconditions": (dict, "v1.Preconditions"),
    "orphanDependents": (bool, "bool"),
    "propagationPolicy": (str, "v1.DeletionPropagation"),
    "dryRun": (list, "[]string"),
}
_PRECONDITIONS: Mapping[str, tuple[type, str]] = {"uid": (str, "types.UID"), "resourceVersion": (str, "string")}


def query_of(scope: Scope) -> Query:
    """The query parameters; a parameter may occur several times."""
    raw = cast(bytes, scope.get("query_string", b""))
    return parse_qs(raw.decode("latin-1"), keep_blank_values=True) if raw else {}


def get_options(query: Query) -> GetOptions:
    return GetOptions(_first(query, "resourceVersion"))


def list_options(query: Query, *, watch: bool) -> ListOptions:
    """Raises 400 on what cannot be parsed, 422 on combinations that make no sense."""
    labels, selected = _selectors(query)
    options = ListOptions(
        labels=labels,
        fields=selected,
        resource_version=_first(query, "resourceVersion"),
        resource_version_match=_first(query, "resourceVersionMatch"),
        limit=max(_integer(query, "limit") or 0, 0),
        continue_token=_first(query, "continue"),
        timeout_seconds=_integer(query, "timeoutSeconds"),
        allow_watch_bookmarks=_boolean(query, "allowWatchBookmarks") or False,
        send_initial_events=_boolean(query, "sendInitialEvents"),
    )
    problems = _list_problems(options, watch=watch)
    if problems:
        raise errors.invalid(GroupKind(_META, "ListOptions"), "", problems)
    return options


def write_options(
    query: Query, asked: Literal["CreateOptions", "UpdateOptions", "PatchOptions", "ApplyOptions"], user_agent: str
) -> WriteOptions:
    """Raises 422 on bad values, all of them at once. ApplyOptions are the PatchOptions of an apply."""
    problems: list[fields.FieldError] = []
    kind: Literal["CreateOptions", "UpdateOptions", "PatchOptions"]
    kind = "PatchOptions" if asked == "ApplyOptions" else asked
    manager, force = _first(query, "fieldManager"), _boolean(query, "force")
    if asked == "ApplyOptions" and not manager:
        problems.append(fields.required("fieldManager", "is required for apply patch"))
    if asked == "PatchOptions" and force is not None:
        problems.append(fields.forbidden("force", "may not be specified for non-apply patch"))
    problems += meta_validation.field_manager(manager, "fieldManager")
    dry_run, dry_problems = _dry_run(query.get("dryRun", []))
    problems += dry_problems
    asked_validation = _first(query, "fieldValidation")
    validation = asked_validation or "Warn"
    if validation not in ("Strict", "Warn", "Ignore"):
        problems.append(fields.not_supported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]))
    if problems:
        raise errors.invalid(GroupKind(_META, kind), "", problems)
    return WriteOptions(
        kind=kind,
        dry_run=dry_run,
        field_manager=manager or _manager_of(user_agent),
        field_validation=cast(FieldValidation, validation),
        force=force if asked == "ApplyOptions" else None,
        given={
            key: value for key, value in (("fieldManager", manager), ("fieldValidation", asked_validation)) if value
        },
    )


def _manager_of(user_agent: str) -> str:
    """The manager that a client is without saying so: as much of its name as a manager may have."""
    name = user_agent.partition("/")[0]
    if not name.isascii() or not name.isprintable():
        name = "".join(filter(str.isprintable, name))
    return name.encode()[:_MANAGER_LIMIT].decode(errors="ignore")


def delete_options(query: Query, body: JSONObject | None) -> DeleteOptions:
    """From the DeleteOptions in the body or, without one, from the query. Raises 422 on bad values."""
    raw: JSONObject = dict(body) if body is not None else _delete_query(query)
    _check_types(raw)
    problems: list[fields.FieldError] = []
    dry_run, dry_problems = _dry_run(raw.get("dryRun") or [])
    problems += dry_problems
    policy = raw.get("propagationPolicy")
    if policy is not None and raw.get("orphanDependents") is not None:
        problems.append(
            fields.invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set")
        )
    if policy not in (None, "Orphan", "Background", "Foreground"):
        problems.append(
            fields.not_supported("propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"])
        )
    if problems:
        raise errors.invalid(GroupKind(_META, "DeleteOptions"), "", problems)
    preconditions = raw.get("preconditions") or {}
    return DeleteOptions(
        grace_period_seconds=raw.get("gracePeriodSeconds"),
        precondition_uid=preconditions.get("uid"),
        precondition_resource_version=preconditions.get("resourceVersion"),
        propagation_policy=policy,
        orphan_dependents=raw.get("orphanDependents"),
        dry_run=dry_run,
        raw={**raw, "kind": "DeleteOptions", "apiVersion": f"{_META}/v1"},
    )


def _delete_query(query: Query) -> JSONObject:
    raw: JSONObject = {
        "gracePeriodSeconds": _integer(query, "gracePeriodSeconds"),
        "orphanDependents": _boolean(query, "orphanDependents"),
        "propagationPolicy": _first(query, "propagationPolicy") or None,
        "dryRun": query.get("dryRun"),
    }
    return {key: value for key, value in raw.items() if value is not None}


def _check_types(raw: JSONObject) -> None:
    """Raises 400 if the JSON cannot be DeleteOptions."""
    _check_fields(raw, _DELETE_FIELDS, Place("DeleteOptions"))
    _check_fields(raw.get("preconditions") or {}, _PRECONDITIONS, Place("Preconditions", ("preconditions",)))
    for item in raw.get("dryRun") or ():
        _check_fields({"dryRun": item}, {"dryRun": (str, "string")}, Place("DeleteOptions"))


def _check_fields(given: JSONObject, known: Mapping[str, tuple[type, str]], within: Place) -> None:
    for key, (kind, go_type) in known.items():
        value = given.get(key)
        if value is not None and type(value) is not kind:
            why = Place(within.struct, (*within.fields, key)).mismatch(go_words.name_of(value), go_type)
            raise errors.bad_request(f'DeleteOptions in version "v1" cannot be handled as a DeleteOptions: {why}')


def _selectors(query: Query) -> tuple[LabelSelector, FieldSelector]:
    try:
        return LabelSelector.parse(_first(query, "labelSelector")), FieldSelector.parse(_first(query, "fieldSelector"))
    except ValueError as error:
        raise errors.bad_request(str(error)) from None


def _list_problems(options: ListOptions, *, watch: bool) -> list[fields.FieldError]:
    """The rules of meta/internalversion/validation ValidateListOptions."""
    if watch:
        return _watch_problems(options)
    problems: list[fields.FieldError] = []
    version, match = options.resource_version, options.resource_version_match
    if match:
        if not version:
            problems.append(_match_forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"))
        if options.continue_token:
            problems.append(_match_forbidden(_WITH_CONTINUE))
        if match not in ("Exact", "NotOlderThan"):
            problems.append(fields.not_supported(_MATCH, match, ["Exact", "NotOlderThan", ""]))
        if match == "Exact" and version == "0":
            problems.append(_match_forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if options.send_initial_events is not None:
        problems.append(fields.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return problems


def _watch_problems(options: ListOptions) -> list[fields.FieldError]:
    problems: list[fields.FieldError] = []
    match, initial = options.resource_version_match, options.send_initial_events
    if initial is not None and match != "NotOlderThan":
        problems.append(_match_forbidden("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"))
    if match:
        if initial is None:
            why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            problems.append(_match_forbidden(why))
        if match != "NotOlderThan":
            problems.append(fields.not_supported(_MATCH, match, ["NotOlderThan"]))
    # A watch from no version in particular is taken as one that asks for the initial events.
    if options.continue_token and (match or (initial is None and options.resource_version in ("", "0"))):
        problems.append(_match_forbidden(_WITH_CONTINUE))
    return problems


def _match_forbidden(why: str) -> fields.FieldError:
    return fields.forbidden(_MATCH, why)


def _dry_run(given: list[str]) -> tuple[bool, list[fields.FieldError]]:
    if any(value != "All" for value in given):
        return False, [fields.not_supported("dryRun", given, ["All"])]
    return bool(given), []


def _first(query: Query, key: str) -> str:
    values = query.get(key)
    return values[0] if values else ""


def _integer(query: Query, key: str) -> int | None:
    text = _first(query, key)
    if not text:
        return None
    why = "invalid syntax"
    if _GO_INTEGER.fullmatch(text):
        number = int(text)
        if number in _INT64:
            return number
        why = "value out of range"
    raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": {why}')


def _boolean(query: Query, key: str) -> bool | None:
    """A parameter that is there without a value is true, as apimachinery's Convert_Slice_string_To_bool has it."""
    values = query.get(key)
    if values is None:
        return None
    return values[0].lower() not in ("false", "0")
