"""ConversionReview: how a conversion webhook is asked, and what it may answer.

Called by `conversion.py`. A webhook may change anything but who an object is; of the metadata it may change labels and
annotations. Mirrors `apiextensions-apiserver/pkg/apiserver/conversion/webhook_converter.go`.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from generic.client.webhook import WebhookCaller, WebhookEndpoint
from generic.client.webhook_failures import WebhookCallError
from generic.meta import errors
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject

TIMEOUT = 30.0
"""Seconds a webhook has, as in Kubernetes."""

_GROUP = "apiextensions.k8s.io"
_SPOKEN = ("v1", "v1beta1")
_IDENTITY = (("name", "name"), ("namespace", "namespace"), ("uid", "UID"))


@dataclass(frozen=True, slots=True)
class ReviewedConversion:
    """One webhook. `version`: of ConversionReview."""

    caller: WebhookCaller
    endpoint: WebhookEndpoint
    version: str

    @classmethod
    def of(cls, caller: WebhookCaller, webhook: JSONObject) -> "ReviewedConversion":
        """From the `spec.conversion.webhook` of a valid definition: it names a version we speak."""
        version = next(given for given in webhook["conversionReviewVersions"] if given in _SPOKEN)
        return cls(caller, WebhookEndpoint.of(webhook["clientConfig"]), version)

    async def convert(self, objects: Sequence[JSONObject], to: GroupVersion) -> list[JSONObject]:
        """The same objects in version `to`. Raises StatusError 500."""
        who = _who(objects)
        uid = str(uuid.uuid4())
        question: JSONObject = {
            "kind": "ConversionReview",
            "apiVersion": f"{_GROUP}/{self.version}",
            "request": {"uid": uid, "desiredAPIVersion": str(to), "objects": list(objects)},
        }
        try:
            answer = await self.caller.call(self.endpoint, question, seconds=TIMEOUT)
            converted = self._converted(answer, uid)
        except (WebhookCallError, _Lie) as error:
            raise _failure(f"conversion webhook for {who} failed: {error}") from None
        if len(converted) != len(objects):
            raise _failure(f"conversion webhook for {who} returned {len(converted)} objects, expected {len(objects)}")
        made = []
        for at, (before, after) in enumerate(zip(objects, converted, strict=True)):
            try:
                made.append(_accepted(before, after, to))
            except _Lie as lie:
                raise _failure(
                    f"conversion webhook for {who} returned invalid {lie.what} at index {at}: {lie}"
                ) from None
        return made

    def _converted(self, answer: JSONObject, uid: str) -> list[Any]:
        wanted = f"{_GROUP}/{self.version}, Kind=ConversionReview"
        given = f"{answer.get('apiVersion') or ''}, Kind={answer.get('kind') or ''}"
        if given != wanted:
            raise _Lie(f"expected webhook response of {wanted}, got {given}")
        response = answer.get("response")
        if not isinstance(response, dict):
            raise _Lie("no response provided")
        if response.get("uid") != uid:
            raise _Lie(f'expected response.uid="{uid}", got "{response.get("uid") or ""}"')
        result = response.get("result")
        result = result if isinstance(result, dict) else {}
        if result.get("status") != "Success":
            raise _Lie(
                result.get("message") or f"response.result.status was '{result.get('status') or ''}', not 'Success'"
            )
        converted = response.get("convertedObjects")
        return converted if isinstance(converted, list) else []


class _Lie(Exception):
    """What a webhook may not answer; `what` of it is wrong."""

    def __init__(self, message: str, what: str = "converted object") -> None:
        super().__init__(message)
        self.what = what


def _failure(message: str) -> errors.StatusError:
    return errors.StatusError(500, "", message)


def _who(objects: Sequence[JSONObject]) -> str:
    """What was to be converted, as Go prints a kind; many are a list."""
    first = objects[0]
    return f"{first['apiVersion']}, Kind={first['kind']}{'List' if len(objects) > 1 else ''}"


def _accepted(before: JSONObject, after: Any, to: GroupVersion) -> JSONObject:
    """The converted object with the metadata it had. Raises _Lie."""
    if not isinstance(after, dict):
        raise _Lie("json: cannot unmarshal into an object")
    version, kind = after.get("apiVersion") or "", after.get("kind") or ""
    if version != str(to):
        raise _Lie(f"invalid groupVersion (expected {to}, received {version})")
    if kind != before["kind"]:
        raise _Lie(f"invalid kind (expected {before['kind']}, received {kind})")
    metadata = after.get("metadata")
    if metadata is None:
        raise _Lie("missing metadata in converted object", "metadata in object")
    if not isinstance(metadata, dict):
        raise _Lie("invalid metadata in converted object", "metadata in object")
    for key, called in _IDENTITY:
        had, has = before["metadata"].get(key) or "", metadata.get(key) or ""
        if had != has:
            raise _Lie(f"must have the same {called}: {had} != {has}")
    return {**after, "metadata": _restored(before["metadata"], metadata)}


def _restored(before: JSONObject, after: JSONObject) -> JSONObject:
    made = {key: value for key, value in before.items() if key not in ("labels", "annotations")}
    for key in ("labels", "annotations"):
        given = after.get(key)
        if not given:
            continue
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise _Lie(f"metadata.{key} is not a map of strings", "metadata in object")
        made[key] = given
    return made
