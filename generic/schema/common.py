"""What every object has, whoever defined its kind: apiVersion, kind and metadata.

Called by the compilers and by `components.py`. Mirrors ObjectMeta of `apimachinery/pkg/apis/meta/v1/types.go`.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from generic.schema import scalars, typed
from generic.schema.containers import Struct
from generic.schema.nodes import Node
from generic.types import JSONObject

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
OBJECT_META = f"{META}.ObjectMeta"
LIST_META = f"{META}.ListMeta"


def _text(description: str) -> JSONObject:
    return {"type": "string", "description": description}


def _int64(description: str) -> JSONObject:
    return {"type": "integer", "format": "int64", "description": description}


def _ref(name: str, description: str) -> JSONObject:
    return {"$ref": f"#/$defs/{META}.{name}", "description": description}


def _struct(description: str, *required: str, **members: JSONObject) -> JSONObject:
    made: JSONObject = {"type": "object", "description": description, "properties": members}
    return {**made, "required": list(required)} if required else made


def _list_of(items: JSONObject, description: str, **more: Any) -> JSONObject:
    return {"type": "array", "items": items, "description": description, **more}


_TEXT_MAP = {"type": "object", "additionalProperties": {"type": "string"}}

DEFINITIONS: Mapping[str, JSONObject] = {
    OBJECT_META: _struct(
        "ObjectMeta is metadata that all persisted resources have.",
        name=_text("Name of the object, unique among its kind in its namespace. Cannot be updated."),
        generateName=_text("Prefix for a name the server chooses, used only if no name is given."),
        namespace=_text("Namespace the object is in; empty for kinds that are not namespaced. Cannot be updated."),
        selfLink=_text("Deprecated: no longer set."),
        uid=_text("Identifies this object among all that ever were. Set by the server."),
        resourceVersion=_text("Version of this object, to tell when it changed. Set by the server."),
        generation=_int64("Rises when the desired state changes. Set by the server."),
        creationTimestamp=_ref("Time", "When the object was created. Set by the server."),
        deletionTimestamp=_ref("Time", "When the object is to be gone. Set by the server on deletion."),
        deletionGracePeriodSeconds=_int64("Seconds the object has to end gracefully. Set by the server on deletion."),
        labels={**_TEXT_MAP, "description": "Keys and values to select and organize objects by."},
        annotations={**_TEXT_MAP, "description": "Keys and values for tools to keep; not to be selected by."},
        ownerReferences=_list_of(
            {"$ref": f"#/$defs/{META}.OwnerReference"},
            "Objects this one depends on; it is deleted when all of them are gone.",
            **{
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["uid"],
                "x-kubernetes-patch-merge-key": "uid",
                "x-kubernetes-patch-strategy": "merge",
            },
        ),
        finalizers=_list_of(
            {"type": "string"},
            "Must be empty before the object is deleted; each names who takes it off.",
            **{"x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"},
        ),
        managedFields=_list_of(
            {"$ref": f"#/$defs/{META}.ManagedFieldsEntry"},
            "Which manager owns which fields. Kept by the server.",
            **{"x-kubernetes-list-type": "atomic"},
        ),
    ),
    LIST_META: _struct(
        "ListMeta is metadata that lists have.",
        **{"continue": _text("Token to get the next part of the list with.")},
        remainingItemCount=_int64("How many items follow this part of the list."),
        resourceVersion=_text("Version of the whole list. Set by the server."),
        selfLink=_text("Deprecated: no longer set."),
        shardInfo=_ref("ShardInfo", "Which part of all objects a list of a shard has."),
    ),
    f"{META}.ShardInfo": _struct(
        "ShardInfo is what objects a list was asked for.",
        "selector",
        selector=_text("The selector of the shard."),
    ),
    f"{META}.OwnerReference": {
        **_struct(
            "OwnerReference identifies an object that owns this one, in the same namespace or cluster-scoped.",
            "apiVersion",
            "kind",
            "name",
            "uid",
            apiVersion=_text("API version of the owner."),
            kind=_text("Kind of the owner."),
            name=_text("Name of the owner."),
            uid=_text("UID of the owner."),
            controller={"type": "boolean", "description": "The owner is the managing controller."},
            blockOwnerDeletion={
                "type": "boolean",
                "description": "The owner stays in foreground deletion until this reference is gone.",
            },
        ),
        "x-kubernetes-map-type": "atomic",
    },
    f"{META}.ManagedFieldsEntry": _struct(
        "ManagedFieldsEntry is the fields one manager owns through one kind of operation.",
        manager=_text("Who owns the fields."),
        operation=_text("Apply or Update."),
        apiVersion=_text("Version of the resource the fields are of."),
        time=_ref("Time", "When the entry last changed."),
        fieldsType=_text("Form of fieldsV1; only FieldsV1."),
        fieldsV1=_ref("FieldsV1", "The set of fields."),
        subresource=_text("Subresource the manager wrote through; empty for the main resource."),
    ),
    f"{META}.Time": {"type": "string", "format": "date-time", "description": "Time in RFC 3339, whole seconds."},
    f"{META}.FieldsV1": {"type": "object", "description": "A set of fields, as a trie."},
}

_API_VERSION = "APIVersion defines the versioned schema of this representation of an object."
_KIND = "Kind is a string value representing the REST resource this object represents. In CamelCase."

TYPE_PROPERTIES: Mapping[str, JSONObject] = {"apiVersion": _text(_API_VERSION), "kind": _text(_KIND)}


@cache
def object_fields() -> Mapping[str, Node]:
    """The nodes of apiVersion, kind and metadata."""
    metadata = typed.Definitions(DEFINITIONS).node(OBJECT_META)
    return {"apiVersion": scalars.text(), "kind": scalars.text(), "metadata": metadata}


def drop_malformed_metadata(metadata: JSONObject) -> None:
    """Drop, in place, the members that are not of their type: no object is lost because one of them was spoiled."""
    node = object_fields()["metadata"]
    if node.fits(metadata) or not isinstance(node, Struct):
        return
    for name in [name for name, value in metadata.items() if name in node.fields and not node.fields[name].fits(value)]:
        del metadata[name]
