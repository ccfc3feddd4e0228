"""AdmissionReview: what a webhook is asked, and what its answer has to look like.

Called by `calling.py`. Mirrors `apiserver/pkg/admission/plugin/webhook/request/admissionreview.go` and
`k8s.io/api/admission/v1/types.go`.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from generic.admission import matching
from generic.admission.interface import Attributes
from generic.admission.matching import Match
from generic.meta.go_text import quote
from generic.meta.gvk import GroupVersionKind, GroupVersionResource
from generic.request import user
from generic.schema import go_words
from generic.schema.go_words import Place
from generic.types import JSONObject

GROUP = "admission.k8s.io"
KIND = "AdmissionReview"
VERSIONS = ("v1", "v1beta1")


class InvalidAnswer(Exception):
    """The answer cannot be believed."""


class UndecodableAnswer(Exception):
    """The answer is no AdmissionReview at all, as a decoder puts it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A write as one webhook is to see it: its objects in the version asked for."""

    attributes: Attributes
    match: Match
    object: JSONObject | None
    old_object: JSONObject | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a webhook says. `patch`: the text of a patch, empty for none; `result`: a Status that says why not."""

    allowed: bool
    patch: bytes
    patch_type: str
    result: JSONObject | None
    warnings: Sequence[str]
    audit_annotations: Mapping[str, str]


def question(seen: Seen, uid: str, version: str) -> JSONObject:
    """The review to send."""
    attributes = seen.attributes
    request: JSONObject = {
        "uid": uid,
        "kind": _kind(seen.match.kind),
        "resource": _resource(seen.match.resource),
        "subResource": attributes.subresource,
        "requestKind": _kind(attributes.kind),
        "requestResource": _resource(attributes.resource),
        "requestSubResource": attributes.subresource,
        # Of a collection each object is seen, but none of them was named.
        "name": "" if attributes.request.info.verb == "deletecollection" else attributes.name,
        "namespace": matching.namespace_of(attributes),
        "operation": attributes.operation,
        "userInfo": user_info(attributes),
        "object": seen.object,
        "oldObject": seen.old_object,
        "dryRun": attributes.dry_run,
        "options": attributes.options or None,
    }
    for name in ("subResource", "requestSubResource", "name", "namespace"):
        if not request[name]:
            del request[name]
    return {"kind": KIND, "apiVersion": f"{GROUP}/{version}", "request": request}


def user_info(attributes: Attributes) -> JSONObject:
    """Who asks; what the server does of its own accord it does as its own user."""
    who = attributes.request.user or user.LOOPBACK_USER
    info: JSONObject = {"username": who.name, "uid": who.uid, "groups": list(who.groups)}
    info["extra"] = {key: list(values) for key, values in who.extra.items()}
    return {key: value for key, value in info.items() if value}


def verify(review: JSONObject, uid: str, version: str, *, mutating: bool) -> Answer:
    """The answer of a review that came back. Raises InvalidAnswer, UndecodableAnswer."""
    _check_kind(review)
    _check_shape(review)
    sent = _unpack(review)
    response = review.get("response")
    if response is None:
        raise InvalidAnswer("webhook response was absent")
    if version == "v1":
        _check_identity(review, response, uid)
        _check_patch(response, mutating=mutating)
    patch = sent if mutating else b""
    return Answer(
        allowed=response.get("allowed") is True,
        patch=patch,
        patch_type=response.get("patchType") or "" if version == "v1" else "JSONPatch",
        result=response.get("status"),
        warnings=response.get("warnings") or (),
        audit_annotations=response.get("auditAnnotations") or {},
    )


def _check_identity(review: JSONObject, response: JSONObject, uid: str) -> None:
    if response.get("uid") != uid:
        raise InvalidAnswer(f"expected response.uid={quote(uid)}, got {quote(str(response.get('uid') or ''))}")
    api_version, kind = str(review.get("apiVersion") or ""), str(review.get("kind") or "")
    if api_version != f"{GROUP}/v1" or kind != KIND:
        given = f"{api_version}, Kind={kind}" if "/" in api_version else f"/{api_version}, Kind={kind}"
        raise InvalidAnswer(f"expected webhook response of {GROUP}/v1, Kind={KIND}, got {given}")


def _check_patch(response: JSONObject, *, mutating: bool) -> None:
    patch, kind = response.get("patch"), response.get("patchType")
    if not mutating:
        if patch:
            raise InvalidAnswer("validating webhook may not return response.patch")
        if kind is not None:
            raise InvalidAnswer("validating webhook may not return response.patchType")
    elif patch and kind is None:
        raise InvalidAnswer("webhook returned response.patch but not response.patchType")
    elif not patch and kind is not None:
        raise InvalidAnswer("webhook returned response.patchType but not response.patch")
    elif kind == "":
        raise InvalidAnswer('webhook returned invalid response.patchType of ""')


_SHAPE: Mapping[str, tuple[type, str]] = {
    "uid": (str, "types.UID"),
    "allowed": (bool, "bool"),
    "patch": (str, "[]uint8"),
    "patchType": (str, "v1.PatchType"),
    "status": (dict, "v1.Status"),
    "warnings": (list, "[]string"),
    "auditAnnotations": (dict, "map[string]string"),
}
_RESPONSE = Place("AdmissionResponse", ("response",))
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/=\r\n]")


def _check_kind(review: JSONObject) -> None:
    """What says of itself that it is something else is not read."""
    api_version, kind = str(review.get("apiVersion") or ""), str(review.get("kind") or "")
    if not kind or (kind == KIND and api_version in {f"{GROUP}/{version}" for version in VERSIONS}):
        return
    raise UndecodableAnswer(
        f'no kind {quote(kind)} is registered for version {quote(api_version)} in scheme "pkg/runtime/scheme.go:111"'
    )


def _check_shape(review: JSONObject) -> None:
    response: Any = review.get("response")
    if response is None:
        return
    if not isinstance(response, dict):
        raise UndecodableAnswer(
            Place("AdmissionReview", ("response",)).mismatch(_what(response), "v1.AdmissionResponse")
        )
    for name, (wanted, go_type) in _SHAPE.items():
        if response.get(name) is not None and not isinstance(response[name], wanted):
            raise UndecodableAnswer(_field(name).mismatch(_what(response[name]), go_type))
    for name, texts in (
        ("warnings", response.get("warnings") or ()),
        ("auditAnnotations", (response.get("auditAnnotations") or {}).values()),
    ):
        for text in texts:
            if not isinstance(text, str):
                raise UndecodableAnswer(_field(name).mismatch(_what(text), "string"))


def _field(name: str) -> Place:
    return Place(_RESPONSE.struct, (*_RESPONSE.fields, name))


def _what(value: Any) -> str:
    return go_words.name_of(value)


def _unpack(review: JSONObject) -> bytes:
    text = (review.get("response") or {}).get("patch") or ""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        wrong = _NO_BASE64.search(text)
        raise UndecodableAnswer(f"illegal base64 data at input byte {wrong.start() if wrong else len(text)}") from None


def operations(patch: bytes) -> list[JSONObject]:
    """The operations of a JSON patch. Raises ValueError."""
    found: Any = orjson.loads(patch)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(operation, dict) for operation in found):
        what = _what(found)
        raise ValueError(f"json: cannot unmarshal {what} into Go value of type jsonpatch.Patch")
    return found


def _kind(kind: GroupVersionKind) -> JSONObject:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _resource(resource: GroupVersionResource) -> JSONObject:
    return {"group": resource.group, "version": resource.version, "resource": resource.resource}
