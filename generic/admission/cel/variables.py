"""What expressions of policies and match conditions know of a write: their variables, by type and by value.

Called by `expressions.py` for the types and by `evaluating.py` for the values. Mirrors
`apiserver/pkg/admission/plugin/cel/{compile,activation,condition}.go`.
"""

from typing import Any

from generic.admission import matching
from generic.admission.interface import Attributes
from generic.admission.matching import Match
from generic.meta.gvk import GroupVersionKind, GroupVersionResource
from generic.schema.cel.types import BOOL, DYN, INT, STRING, TIMESTAMP, DeclType
from generic.types import JSONObject

OBJECT, OLD_OBJECT, PARAMS, REQUEST = "object", "oldObject", "params", "request"
NAMESPACE_OBJECT, AUTHORIZER, REQUEST_RESOURCE = "namespaceObject", "authorizer", "authorizer.requestResource"
VARIABLES = "variables"

_NAMESPACE_KEYS = (
    *("name", "generateName", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp"),
    *("deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "finalizers"),
)
"""Of a namespace's metadata; who manages it is nothing for expressions."""


def _object(**fields: DeclType) -> DeclType:
    return DeclType("object", fields=fields)


def _list(element: DeclType) -> DeclType:
    return DeclType("list", element=element)


def _map(element: DeclType) -> DeclType:
    return DeclType("map", element=element)


_KIND = _object(group=STRING, version=STRING, kind=STRING)
_RESOURCE = _object(group=STRING, version=STRING, resource=STRING)
REQUEST_TYPE = _object(
    kind=_KIND,
    resource=_RESOURCE,
    subResource=STRING,
    requestKind=_KIND,
    requestResource=_RESOURCE,
    requestSubResource=STRING,
    name=STRING,
    namespace=STRING,
    operation=STRING,
    userInfo=_object(username=STRING, uid=STRING, groups=_list(STRING), extra=_map(_list(STRING))),
    dryRun=BOOL,
    options=DYN,
)
NAMESPACE_TYPE = _object(
    metadata=_object(
        name=STRING,
        generateName=STRING,
        namespace=STRING,
        labels=_map(STRING),
        annotations=_map(STRING),
        UID=STRING,
        creationTimestamp=TIMESTAMP,
        deletionGracePeriodSeconds=INT,
        deletionTimestamp=TIMESTAMP,
        generation=INT,
        resourceVersion=STRING,
        finalizers=_list(STRING),
    ),
    spec=_object(finalizers=_list(STRING)),
    status=_object(
        conditions=_list(
            _object(status=STRING, type=STRING, lastTransitionTime=TIMESTAMP, message=STRING, reason=STRING)
        ),
        phase=STRING,
    ),
)


def request(attributes: Attributes, match: Match) -> JSONObject:
    """The value of `request`; what Go leaves out when it is empty is not there."""
    user = attributes.request.user
    info: JSONObject = {}
    if user is not None:
        info = {
            "username": user.name,
            "uid": user.uid,
            "groups": list(user.groups),
            "extra": {key: list(values) for key, values in user.extra.items()},
        }
    made: JSONObject = {
        "kind": _kind(match.kind),
        "resource": _resource(match.resource),
        "requestKind": _kind(attributes.kind),
        "requestResource": _resource(attributes.resource),
        "operation": attributes.operation,
        "userInfo": {key: value for key, value in info.items() if value},
        "dryRun": attributes.dry_run,
        "options": attributes.options or None,
    }
    optional = {
        "subResource": attributes.subresource,
        "requestSubResource": attributes.subresource,
        "name": attributes.name,
        "namespace": matching.namespace_of(attributes),
    }
    return made | {key: value for key, value in optional.items() if value}


def _kind(kind: GroupVersionKind) -> dict[str, Any]:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _resource(resource: GroupVersionResource) -> dict[str, Any]:
    return {"group": resource.group, "version": resource.version, "resource": resource.resource}


def namespace(found: JSONObject | None) -> JSONObject | None:
    """The value of `namespaceObject`, before its times are read."""
    if found is None:
        return None
    metadata = {key: value for key, value in found["metadata"].items() if key in _NAMESPACE_KEYS}
    return {"metadata": metadata, "spec": found.get("spec") or {}, "status": found.get("status") or {}}
