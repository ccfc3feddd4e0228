"""The options of each verb, read from the query string and checked.

Mirrors `apimachinery/pkg/apis/meta/v1/validation` and the query half of the handlers.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast
from urllib.parse import parse_qs

from generic.meta import errors, fields
from generic.meta.gvk import GroupKind
from generic.meta.selectors import FieldSelector, LabelSelector
from generic.registry.options import DeleteOptions, FieldValidation, GetOptions, ListOptions, WriteOptions
from generic.types import JSONObject, Scope

Query = Mapping[str, list[str]]
_META = "meta.k8s.io"
_MANAGER_LIMIT = 128


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
        limit=_integer(query, "limit") or 0,
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
    query: Query, kind: Literal["CreateOptions", "UpdateOptions", "PatchOptions"], user_agent: str
) -> WriteOptions:
    """Raises 422 on bad values, all of them at once."""
    problems: list[fields.FieldError] = []
    validation = _first(query, "fieldValidation") or "Warn"
    if validation not in ("Strict", "Warn", "Ignore"):
        problems.append(fields.not_supported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]))
    manager = _first(query, "fieldManager")
    if len(manager) > _MANAGER_LIMIT:
        problems.append(fields.too_long("fieldManager", _MANAGER_LIMIT))
    elif not manager.isprintable():
        problems.append(fields.invalid("fieldManager", manager, "should only contain printable characters"))
    force = _boolean(query, "force")
    if force is not None and kind != "PatchOptions":
        force = None
    dry_run, dry_problems = _dry_run(query.get("dryRun", []))
    problems += dry_problems
    if problems:
        raise errors.invalid(GroupKind(_META, kind), "", problems)
    return WriteOptions(
        kind=kind,
        dry_run=dry_run,
        field_manager=manager or user_agent.partition("/")[0][:_MANAGER_LIMIT],
        field_validation=cast(FieldValidation, validation),
        force=force,
    )


def delete_options(query: Query, body: JSONObject | None) -> DeleteOptions:
    """From the DeleteOptions in the body or, without one, from the query. Raises 422 on bad values."""
    raw: JSONObject = dict(body) if body is not None else _delete_query(query)
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
        grace_period_seconds=_expect(raw, "gracePeriodSeconds", int),
        precondition_uid=preconditions.get("uid"),
        precondition_resource_version=preconditions.get("resourceVersion"),
        propagation_policy=policy,
        orphan_dependents=_expect(raw, "orphanDependents", bool),
        dry_run=dry_run,
        raw={"kind": "DeleteOptions", "apiVersion": f"{_META}/v1", **raw},
    )


def _delete_query(query: Query) -> JSONObject:
    raw: JSONObject = {
        "gracePeriodSeconds": _integer(query, "gracePeriodSeconds"),
        "orphanDependents": _boolean(query, "orphanDependents"),
        "propagationPolicy": _first(query, "propagationPolicy") or None,
        "dryRun": query.get("dryRun"),
    }
    return {key: value for key, value in raw.items() if value is not None}


def _expect(raw: JSONObject, key: str, kind: type) -> Any:
    value = raw.get(key)
    if value is not None and type(value) is not kind:
        raise errors.bad_request(f"DeleteOptions.{key} must be of type {kind.__name__}")
    return value


def _selectors(query: Query) -> tuple[LabelSelector, FieldSelector]:
    try:
        return LabelSelector.parse(_first(query, "labelSelector")), FieldSelector.parse(_first(query, "fieldSelector"))
    except ValueError as error:
        raise errors.bad_request(str(error)) from None


def _list_problems(options: ListOptions, *, watch: bool) -> list[fields.FieldError]:
    """The rules of meta/internalversion/validation ValidateListOptions."""
    problems: list[fields.FieldError] = []
    version, match = options.resource_version, options.resource_version_match
    field = "resourceVersionMatch"
    if options.send_initial_events is not None and not watch:
        problems.append(fields.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    if watch and options.send_initial_events is not None:
        if match != "NotOlderThan":
            why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            problems.append(fields.forbidden(field, why))
    elif watch and match:
        problems.append(
            fields.forbidden(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
        )
    elif match:
        if match not in ("Exact", "NotOlderThan"):
            problems.append(fields.not_supported(field, match, ["Exact", "NotOlderThan", ""]))
        if not version:
            problems.append(
                fields.forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided")
            )
        if options.continue_token:
            problems.append(fields.forbidden(field, "resourceVersionMatch is forbidden when continue is provided"))
        if match == "Exact" and version == "0":
            problems.append(
                fields.forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
            )
    return problems


def _dry_run(given: list[str]) -> tuple[bool, list[fields.FieldError]]:
    values = [value for value in given if value]
    if not values:
        return False, []
    if any(value != "All" for value in values):
        return False, [fields.not_supported("dryRun", values, ["All"])]
    return True, []


def _first(query: Query, key: str) -> str:
    values = query.get(key)
    return values[0] if values else ""


def _integer(query: Query, key: str) -> int | None:
    text = _first(query, key)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _boolean(query: Query, key: str) -> bool | None:
    """A parameter that is there without a value is true, as apimachinery's Convert_Slice_string_To_bool has it."""
    values = query.get(key)
    if values is None:
        return None
    return values[0].lower() not in ("false", "0")
