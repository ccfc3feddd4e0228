"""What every OpenAPI document says alike: the parameters of the verbs, and the components of their answers.

Called by `build.py`. Mirrors `apiserver/pkg/endpoints/installer.go` and `apimachinery/pkg/apis/meta/v1/types.go`.
"""

from collections.abc import Mapping, Sequence

from generic.endpoints import representation
from generic.schema import common, components
from generic.schema.components import PREFIX
from generic.types import JSONObject

STATUS = f"{common.META}.Status"
DELETE_OPTIONS = f"{common.META}.DeleteOptions"
PATCH = f"{common.META}.Patch"
MEDIA_TYPES = representation.MEDIA_TYPES
LIST_MEDIA_TYPES = (*MEDIA_TYPES, *representation.STREAM_TYPES)


def reference(name: str) -> JSONObject:
    return {"$ref": f"{PREFIX}{name}"}


def content(name: str, media_types: Sequence[str] = MEDIA_TYPES) -> JSONObject:
    """The content of a body that holds a component."""
    return {media_type: {"schema": reference(name)} for media_type in media_types}


def parameter(name: str, kind: str, description: str) -> JSONObject:
    """A parameter of the query; all of them may be left out."""
    schema = {"type": kind, "uniqueItems": True}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def in_path(name: str, description: str) -> JSONObject:
    schema = {"type": "string", "uniqueItems": True}
    return {"name": name, "in": "path", "description": description, "required": True, "schema": schema}


_DRY_RUN = parameter("dryRun", "string", "All: run every stage but the one that stores.")
_MANAGER = parameter("fieldManager", "string", "Who makes the changes, for managedFields.")
_VALIDATION = parameter(
    "fieldValidation", "string", "Ignore, Warn or Strict: what to do with unknown or double fields."
)
_GRACE = parameter("gracePeriodSeconds", "integer", "Seconds the object has to end gracefully; 0 is at once.")
_ORPHAN = parameter("orphanDependents", "boolean", "Deprecated: use propagationPolicy.")
_PROPAGATION = parameter("propagationPolicy", "string", "Orphan, Background or Foreground: what happens to dependents.")
_FORCE = parameter("force", "boolean", "Apply: take fields over that others own.")

_SELECTION = (
    parameter("labelSelector", "string", "Only objects with such labels."),
    parameter("fieldSelector", "string", "Only objects with such fields."),
    parameter("limit", "integer", "How many items at most; the rest is had with continue."),
    parameter("continue", "string", "Token of the previous part of the list."),
    parameter("resourceVersion", "string", "How old the answer may be."),
    parameter("resourceVersionMatch", "string", "Exact or NotOlderThan: how resourceVersion is meant."),
    parameter("sendInitialEvents", "boolean", "Watch: begin with what there is, then a bookmark."),
    parameter("timeoutSeconds", "integer", "How long the list or watch may last."),
)

PRETTY = parameter("pretty", "string", "true: the answer is indented.")

PARAMETERS: Mapping[str, Sequence[JSONObject]] = {
    "list": (
        *_SELECTION,
        parameter("watch", "boolean", "Answer with a stream of changes."),
        parameter("allowWatchBookmarks", "boolean", "Watch: send bookmarks now and then."),
    ),
    "post": (_DRY_RUN, _MANAGER, _VALIDATION),
    "put": (_DRY_RUN, _MANAGER, _VALIDATION),
    "patch": (_DRY_RUN, _MANAGER, _VALIDATION, _FORCE),
    "delete": (_DRY_RUN, _GRACE, _ORPHAN, _PROPAGATION),
    "deletecollection": (*_SELECTION, _DRY_RUN, _GRACE, _ORPHAN, _PROPAGATION),
}
"""By x-kubernetes-action."""


def _object(description: str, **members: JSONObject) -> JSONObject:
    return {"type": "object", "description": description, "properties": members}


def _text(description: str) -> JSONObject:
    return {"type": "string", "description": description}


def _integer(description: str, form: str = "int32") -> JSONObject:
    return {"type": "integer", "format": form, "description": description}


def _list(items: JSONObject, description: str) -> JSONObject:
    return {"type": "array", "items": items, "description": description, "x-kubernetes-list-type": "atomic"}


_DETAILS = f"{common.META}.StatusDetails"
_CAUSE = f"{common.META}.StatusCause"
_PRECONDITIONS = f"{common.META}.Preconditions"

COMPONENTS: Mapping[str, JSONObject] = {
    STATUS: {
        **_object(
            "Status is an answer that is no object.",
            **common.TYPE_PROPERTIES,
            metadata=reference(common.LIST_META),
            status=_text("Success or Failure."),
            message=_text("What happened, for people."),
            reason=_text("Why, for programs; empty if there is no more to say than the code does."),
            details=reference(_DETAILS),
            code=_integer("The HTTP status code."),
        ),
        "x-kubernetes-group-version-kind": [{"group": "", "kind": "Status", "version": "v1"}],
    },
    _DETAILS: _object(
        "StatusDetails is more about a Status, depending on its reason.",
        name=_text("Name of the object."),
        group=_text("Group of the object's kind."),
        kind=_text("Kind, or resource, of the object."),
        uid=_text("UID of the object."),
        causes=_list(reference(_CAUSE), "What was wrong, one by one."),
        retryAfterSeconds=_integer("Seconds after which to try again."),
    ),
    _CAUSE: _object(
        "StatusCause is one thing that was wrong.",
        reason=_text("Why, for programs."),
        message=_text("Why, for people."),
        field=_text("Path of the field that was wrong."),
    ),
    DELETE_OPTIONS: _object(
        "DeleteOptions says how to delete.",
        **common.TYPE_PROPERTIES,
        dryRun=_list({"type": "string"}, "All: run every stage but the last."),
        gracePeriodSeconds=_integer("Seconds the object has to end gracefully.", "int64"),
        ignoreStoreReadErrorWithClusterBreakingPotential={
            "type": "boolean",
            "description": "Delete even what cannot be read from storage, whatever hangs on it.",
        },
        orphanDependents={"type": "boolean", "description": "Deprecated: use propagationPolicy."},
        preconditions=reference(_PRECONDITIONS),
        propagationPolicy=_text("Orphan, Background or Foreground: what happens to dependents."),
    ),
    _PRECONDITIONS: _object(
        "Preconditions must hold for the deletion to happen.",
        uid=_text("UID the object must have."),
        resourceVersion=_text("Version the object must have."),
    ),
    PATCH: {"type": "object", "description": "Patch is a change of an object, in one of the patch formats."},
    **components.reached(common.DEFINITIONS, common.LIST_META),
}
