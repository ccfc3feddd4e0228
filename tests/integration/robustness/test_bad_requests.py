"""Reads, updates, patches and deletions that cannot be: the whole `Status`, and the object stays as it was."""

import asyncio

import pytest

from generic.types import JSONObject
from tests.integration.robustness.refusals import (
    CONFIG_MAPS,
    JSON_PATCH,
    KEPT,
    LABEL_VALUE,
    MERGE,
    STRATEGIC,
    Refused,
    bad_request,
    config_map,
    invalid,
)
from tests.support.plane import Running

pytestmark = pytest.mark.anyio

OBJECT = f"{CONFIG_MAPS}/{KEPT}"
MODIFIED = (
    f'Operation cannot be fulfilled on configmaps "{KEPT}": the object has been modified; please apply your changes '
    "to the latest version and try again"
)
ABOUT_IT = {"name": KEPT, "kind": "configmaps"}
AS_OPTIONS = 'DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal '
PODS = "/api/v1/namespaces/default/pods"
NOT_JSON_PATCH = "the server rejected our request due to an error in our request"


def get(id_: str, query: str, message: str | None, path: str = CONFIG_MAPS) -> Refused:
    return bad_request(id_, "GET", f"{path}?{query}", message)


def list_options(id_: str, query: str, field: str, why: str, *, reason: str = "FieldValueForbidden") -> Refused:
    request = ("GET", f"{CONFIG_MAPS}?{query}", None)
    return invalid(id_, request, "ListOptions.meta.k8s.io/", (reason, field, why))


READS = [
    get(
        "a label selector without a key",
        "labelSelector=!",
        "unable to parse requirement: found '', expected: identifier",
    ),
    get("a label selector in two words", "labelSelector=a%3Db+c", "found 'c', expected: ',' or 'end of string'"),
    get(
        "a set that is not closed",
        "labelSelector=a+in+(",
        "unable to parse requirement: found '', expected: ',', ')' or identifier",
    ),
    get("a field selector that is none", "fieldSelector=x", "invalid selector: 'x'; can't understand 'x'"),
    get(
        "a field nobody selects by",
        "fieldSelector=spec.x%3D1",
        '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ),
    get("a limit in letters", "limit=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
    get("a limit as Python has it", "limit=1_0", 'strconv.ParseInt: parsing "1_0": invalid syntax'),
    get(
        "a limit beyond 64 bits",
        "limit=99999999999999999999",
        'strconv.ParseInt: parsing "99999999999999999999": value out of range',
    ),
    get("a timeout in letters", "watch=1&timeoutSeconds=x", 'strconv.ParseInt: parsing "x": invalid syntax'),
    get(
        "a deadline that is none",
        "timeout=abc",
        'invalid timeout specified in the request URL - time: invalid duration "abc"',
    ),
    get(
        "a resourceVersion in letters",
        "resourceVersion=abc",
        'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": '
        "invalid syntax",
    ),
    get(
        "a watch from a resourceVersion in letters",
        "watch=1&resourceVersion=abc",
        'invalid resource version: resourceVersion: Invalid value: "abc": strconv.ParseUint: parsing "abc": '
        "invalid syntax",
    ),
    get(
        "a continue token that is no base64",
        "continue=%21",
        "invalid continue token: continue key is not valid: illegal base64 data at input byte 0",
    ),
    get("a continue token that says nothing", "continue=e30", None),
    get(
        "a continue token with a resourceVersion",
        "continue=e30&resourceVersion=5",
        "specifying resource version is not allowed when using continue",
    ),
    list_options(
        "a match without a resourceVersion",
        "resourceVersionMatch=Exact",
        "resourceVersionMatch",
        "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
    ),
    list_options(
        "a match for a page to go on with",
        "continue=e30&resourceVersion=5&resourceVersionMatch=Exact",
        "resourceVersionMatch",
        "Forbidden: resourceVersionMatch is forbidden when continue is provided",
    ),
    list_options(
        "a match nobody knows",
        "resourceVersion=1&resourceVersionMatch=Bad",
        "resourceVersionMatch",
        'Unsupported value: "Bad": supported values: "Exact", "NotOlderThan", ""',
        reason="FieldValueNotSupported",
    ),
    list_options(
        "exactly any",
        "resourceVersion=0&resourceVersionMatch=Exact",
        "resourceVersionMatch",
        'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ),
    list_options(
        "initial events of a list",
        "sendInitialEvents=true",
        "sendInitialEvents",
        "Forbidden: sendInitialEvents is forbidden for list",
    ),
    list_options(
        "initial events of any age",
        "watch=1&sendInitialEvents=true",
        "resourceVersionMatch",
        "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    ),
    list_options(
        "a watch that goes on",
        "watch=1&continue=x",
        "resourceVersionMatch",
        "Forbidden: resourceVersionMatch is forbidden when continue is provided",
    ),
    get(
        "a field that no pod is selected by",
        "fieldSelector=spec.nope%3D1",
        "field label not supported: spec.nope",
        PODS,
    ),
    Refused(
        "a form nobody writes",
        *("GET", CONFIG_MAPS, 406, "NotAcceptable", None),
        details={},
        headers={"accept": "text/csv"},
    ),
    Refused(
        "a table of a version to come",
        *("GET", CONFIG_MAPS, 406, "NotAcceptable", None),
        headers={"accept": "application/json;as=Table;v=v9;g=meta.k8s.io"},
    ),
    Refused(
        "nothing of that name",
        *("GET", f"{CONFIG_MAPS}/none", 404, "NotFound", 'configmaps "none" not found'),
        details={"name": "none", "kind": "configmaps"},
    ),
    Refused(
        "a method the collection does not know",
        *("PUT", CONFIG_MAPS, 405, "MethodNotAllowed", None),
        details={},
        body=config_map(),
    ),
    Refused(
        "all namespaces deleted at once",
        *("DELETE", "/api/v1/namespaces", 405, "MethodNotAllowed", None),
        details={},
    ),
]


def put(id_: str, message: str | None, *, name: str = KEPT, **metadata: str) -> Refused:
    body = {"metadata": {"name": name, **metadata}, "data": {"k": "changed"}}
    return bad_request(id_, "PUT", OBJECT, message, body=body)


def conflict(id_: str, method: str, message: str, body: object, content_type: str = "application/json") -> Refused:
    return Refused(
        id_, method, OBJECT, 409, "Conflict", message, details=ABOUT_IT, body=body, content_type=content_type
    )


def patch(id_: str, message: str | None, body: object, content_type: str = MERGE) -> Refused:
    return bad_request(id_, "PATCH", OBJECT, message, body=body, content_type=content_type)


def json_patch(id_: str, *operations: JSONObject) -> Refused:
    return Refused(
        *(id_, "PATCH", OBJECT, 422, "Invalid", NOT_JSON_PATCH),
        details={},
        body=list(operations),
        content_type=JSON_PATCH,
    )


WRITES = [
    put("a PUT of another name", "the name of the object (x) does not match the name on the URL (kept)", name="x"),
    put(
        "a PUT of another namespace",
        "the namespace of the provided object does not match the namespace sent on the request",
        namespace="other",
    ),
    conflict("a stale PUT", "PUT", MODIFIED, {"metadata": {"name": KEPT, "resourceVersion": "1"}}),
    conflict("a stale patch", "PATCH", MODIFIED, {"metadata": {"resourceVersion": "1"}, "data": {"k": "new"}}, MERGE),
    invalid(
        "a PUT at no resourceVersion",
        ("PUT", OBJECT, {"metadata": {"name": KEPT, "resourceVersion": "abc"}}),
        f"ConfigMap/{KEPT}",
        (
            "FieldValueInvalid",
            "metadata.resourceVersion",
            'Invalid value: "abc": strconv.ParseUint: parsing "abc": invalid syntax',
        ),
    ),
    Refused(
        "a PUT of what is not there",
        *("PUT", f"{CONFIG_MAPS}/none", 404, "NotFound", 'configmaps "none" not found'),
        details={"name": "none", "kind": "configmaps"},
        body=config_map("none"),
    ),
    Refused(
        "a name that is taken",
        *("POST", CONFIG_MAPS, 409, "AlreadyExists", 'configmaps "kept" already exists'),
        details=ABOUT_IT,
        body=config_map(KEPT),
    ),
    Refused(
        "a namespace that is not there",
        *("POST", "/api/v1/namespaces/nowhere/configmaps", 404, "NotFound", 'namespaces "nowhere" not found'),
        details={"name": "nowhere", "kind": "namespaces"},
        body=config_map(),
    ),
    invalid(
        "half a dry run",
        ("POST", f"{CONFIG_MAPS}?dryRun=Some", config_map()),
        "CreateOptions.meta.k8s.io/",
        ("FieldValueNotSupported", "dryRun", 'Unsupported value: ["Some"]: supported values: "All"'),
    ),
    Refused(
        "a patch of a type that is none",
        *("PATCH", OBJECT, 415, "UnsupportedMediaType", None),
        body={"data": {"k": "new"}},
    ),
    Refused(
        "a patch of what is not there",
        *("PATCH", f"{CONFIG_MAPS}/none", 404, "NotFound", 'configmaps "none" not found'),
        details={"name": "none", "kind": "configmaps"},
        body={},
        content_type=MERGE,
    ),
    patch("half a merge patch", None, "{"),
    patch("half a strategic patch", None, "{", STRATEGIC),
    patch("half a JSON patch", None, "[", JSON_PATCH),
    patch("a merge patch that is a list", None, "[]"),
    patch("a JSON patch that is an object", None, "{}", JSON_PATCH),
    patch("a patch too deep", "error decoding the request body: exceeded max depth", '{"a":' * 300 + "1" + "}" * 300),
    patch(
        "a JSON patch that digs too deep",
        "error applying patch: exceeded max depth",
        [{"op": "add", "path": "/data" + "/a" * n, "value": {}} for n in range(1, 300)],
        JSON_PATCH,
    ),
    invalid(
        "a patch to a wrong label",
        ("PATCH", OBJECT, {"metadata": {"labels": {"a": "b c"}}}),
        f"ConfigMap/{KEPT}",
        ("FieldValueInvalid", "metadata.labels", f'Invalid value: "b c": {LABEL_VALUE}'),
        content_type=MERGE,
    ),
    json_patch(
        "a test that fails",
        {"op": "replace", "path": "/data/k", "value": "new"},
        {"op": "test", "path": "/data/k", "value": "x"},
    ),
    json_patch(
        "the removal of nothing",
        {"op": "add", "path": "/data/new", "value": "1"},
        {"op": "remove", "path": "/data/none"},
    ),
    patch(
        "an operation that is none",
        "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp",
        [5],
        JSON_PATCH,
    ),
    json_patch("an operation nobody knows", {"op": "frob", "path": "/data/k"}),
    Refused(
        "a JSON patch that is too long",
        *("PATCH", OBJECT, 413, "RequestEntityTooLarge"),
        "The allowed maximum operations in a JSON patch is 10000, got 10001",
        body=[{"op": "test", "path": "/data/k", "value": "v"}] * 10_001,
        content_type=JSON_PATCH,
    ),
]


def delete(id_: str, message: str | None, body: object) -> Refused:
    return bad_request(id_, "DELETE", OBJECT, message, body=body)


DELETIONS = [
    Refused(
        "the deletion of nothing",
        *("DELETE", f"{CONFIG_MAPS}/none", 404, "NotFound", 'configmaps "none" not found'),
        details={"name": "none", "kind": "configmaps"},
    ),
    delete("half of DeleteOptions", None, "{"),
    delete("another kind of options", None, {"kind": "Pod", "apiVersion": "v1"}),
    delete(
        "preconditions in a word",
        AS_OPTIONS + "string into Go struct field DeleteOptions.preconditions of type v1.Preconditions",
        {"preconditions": "x"},
    ),
    delete(
        "a uid that is a number",
        AS_OPTIONS + "number into Go struct field Preconditions.preconditions.uid of type types.UID",
        {"preconditions": {"uid": 5}},
    ),
    delete(
        "grace in letters",
        AS_OPTIONS + "string into Go struct field DeleteOptions.gracePeriodSeconds of type int64",
        {"gracePeriodSeconds": "x"},
    ),
    delete(
        "a dry run in a word",
        AS_OPTIONS + "string into Go struct field DeleteOptions.dryRun of type []string",
        {"dryRun": "All"},
    ),
    invalid(
        "a propagation nobody knows",
        ("DELETE", OBJECT, {"propagationPolicy": "Foo"}),
        "DeleteOptions.meta.k8s.io/",
        (
            "FieldValueNotSupported",
            "propagationPolicy",
            'Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"',
        ),
    ),
    bad_request(
        "a collection by no selector",
        *("DELETE", f"{CONFIG_MAPS}?labelSelector=!!"),
        "unable to parse requirement: found '!', expected: identifier",
    ),
]


@pytest.mark.parametrize("refused", [*READS, *WRITES, *DELETIONS], ids=lambda refused: refused.id)
async def test_a_bad_request_is_refused_and_changes_nothing(
    control_plane: Running, kept: JSONObject, refused: Refused
) -> None:
    await refused.check(control_plane.http)


async def test_deletion_preconditions_name_both_sides(control_plane: Running, kept: JSONObject) -> None:
    uid, version = kept["metadata"]["uid"], kept["metadata"]["resourceVersion"]
    for given, what, here, lately in (
        ({"uid": "x"}, "UID", uid, "deleted and then recreated"),
        ({"resourceVersion": "1", "uid": uid}, "ResourceVersion", version, "modified"),
    ):
        said = next(value for value in given.values() if value != uid)
        why = f"the {what} in the precondition ({said}) does not match the {what} in record ({here})"
        message = f'Operation cannot be fulfilled on ConfigMap "{KEPT}": {why}. The object might have been {lately}'
        about = {"name": KEPT, "kind": "ConfigMap"}
        refused = Refused("", "DELETE", OBJECT, 409, "Conflict", message, details=about, body={"preconditions": given})
        await refused.check(control_plane.http)


async def test_a_resource_version_from_the_future_is_waited_for_and_then_504(
    control_plane: Running, kept: JSONObject
) -> None:
    newest = (await control_plane.http.get(CONFIG_MAPS)).json()["metadata"]["resourceVersion"]
    asked = {"resourceVersion": "99999999"}
    for answer in await asyncio.gather(*(control_plane.http.get(path, params=asked) for path in (OBJECT, CONFIG_MAPS))):
        assert (answer.status_code, answer.headers["retry-after"]) == (504, "1")
        status = answer.json()
        assert status["message"].startswith("Timeout: Too large resource version: 99999999, current: ")
        assert int(status["message"].rpartition(" ")[2]) >= int(newest)
        assert (status["reason"], status["details"]) == (
            "Timeout",
            {
                "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                "retryAfterSeconds": 1,
            },
        )
