"""MutatingAdmissionWebhook: the webhooks that may change what is about to be written, one after the other.

The last of the plugins that change objects. Mirrors `apiserver/pkg/admission/plugin/webhook/mutating/dispatcher.go` and
`reinvocationcontext.go`.
"""

import copy
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import orjson

from generic.admission import matching
from generic.admission.interface import Attributes
from generic.admission.matching import Match
from generic.admission.webhook import calling, failures, review
from generic.admission.webhook.calling import WebhookAsker
from generic.admission.webhook.configurations import Webhook, WebhookList
from generic.admission.webhook.failures import CallFailed
from generic.admission.webhook.review import Seen
from generic.meta import errors, json_values
from generic.meta.errors import StatusError
from generic.meta.go_text import quote
from generic.patching import json_patch
from generic.types import JSONObject

_MUTATION = "mutation.webhook.admission.k8s.io/"
_PATCH = "patch.webhook.admission.k8s.io/"
_FAILED_OPEN = f"failed-open.{_MUTATION}"


@dataclass(slots=True)
class _Calls:
    """What became of one write so far. `reinvocable`: webhooks asked that may be again; `due`: that have to be."""

    output: JSONObject | None = None
    """The object as this plugin left it."""

    reinvocable: set[str] = field(default_factory=set)
    due: set[str] = field(default_factory=set)

    def changed(self) -> None:
        """Somebody changed what the webhooks so far have seen."""
        self.due |= self.reinvocable
        self.reinvocable = set()


class MutatingAdmissionWebhook:
    """`webhooks`: followed by whoever made it."""

    name = "MutatingAdmissionWebhook"

    def __init__(self, webhooks: WebhookList, asker: WebhookAsker) -> None:
        self._webhooks = webhooks
        self._asker = asker

    def handles(self, attributes: Attributes) -> bool:
        return not self._webhooks.idle and not matching.is_exempt(attributes)

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError."""
        if not await self._webhooks.ready():
            raise failures.not_ready(attributes)
        reinvocation = attributes.reinvocation
        calls: _Calls = reinvocation.state.setdefault(self.name, _Calls())
        if reinvocation.again and not json_values.same(calls.output, attributes.object):
            # Other plugins changed it in this second pass.
            calls.changed()
        for at, hook in enumerate(self._webhooks.hooks):
            await self._pass(hook, attributes, calls, at=at)
        if calls.reinvocable and not reinvocation.again:
            calls.output = copy.deepcopy(attributes.object)

    async def _pass(self, hook: Webhook, attributes: Attributes, calls: _Calls, *, at: int) -> None:
        again = attributes.reinvocation.again
        if again and hook.uid not in calls.due:
            # Nobody is asked in the second pass for the first time.
            return
        match = await self._asker.wanted(hook, attributes)
        if match is None:
            return
        since, place = monotonic(), f"round_{int(again)}_index_{at}"
        changed = False
        try:
            changed = await self._change(hook, attributes, match, place=place)
        except (CallFailed, StatusError) as error:
            _annotate_mutation(hook, attributes, place, changed=False)
            if self._asker.settle(hook, error, attributes, step="admit", since=since):
                attributes.request.annotate(_FAILED_OPEN + place, hook.name)
                if calling.is_out_of_time(attributes.request):
                    raise failures.out_of_time() from error
        else:
            _annotate_mutation(hook, attributes, place, changed=changed)
            self._asker.succeeded(hook, attributes, step="admit", since=since)
        if changed:
            calls.changed()
            attributes.reinvocation.wanted = True
        if hook.reinvocable:
            calls.reinvocable.add(hook.uid)

    async def _change(self, hook: Webhook, attributes: Attributes, match: Match, *, place: str) -> bool:
        """Ask, and do as the webhook says. Returns whether that changed anything. Raises CallFailed, StatusError."""
        seen = await calling.seen_as(attributes, match)
        answer = await self._asker.ask(hook, seen, step="admit")
        if not answer.patch:
            return False
        try:
            operations = review.operations(answer.patch)
        except ValueError as error:
            raise CallFailed(hook.name, f"received undecodable patch in webhook response: {error}") from None
        if not operations:
            return False
        if seen.object is None or attributes.object is None:
            why = f"admission webhook {quote(hook.name)} attempted to modify the object"
            raise errors.internal_error(f"{why}, which is not supported for this operation")
        if answer.patch_type != "JSONPatch":
            raise CallFailed(hook.name, f"unsupported patch type {quote(answer.patch_type)}", code=400)
        patched = _patched(seen, operations)
        changed = not json_values.same(seen.object, patched)
        request = attributes.request
        if request.audited is not None and request.audited.takes_request:
            request.annotate(_PATCH + place, _patch_annotation(hook, operations))
        if changed:
            await _take_over(attributes, match, patched)
        return changed


def _patched(seen: Seen, operations: list[JSONObject]) -> JSONObject:
    """Raises StatusError 500."""
    try:
        patched: Any = json_patch.apply(seen.object, operations)
    except ValueError as error:
        raise errors.internal_error(str(error)) from None
    if not isinstance(patched, dict):
        raise errors.internal_error("json: cannot unmarshal into Go value of type struct")
    kind = seen.match.kind
    if patched.get("apiVersion") != kind.api_version or patched.get("kind") != kind.kind:
        why = f"the patched object is not a {kind.kind} in version {quote(kind.api_version)}"
        raise errors.internal_error(why)
    return patched


async def _take_over(attributes: Attributes, match: Match, patched: JSONObject) -> None:
    """Make of the object what the patch left, pruned and defaulted. Raises StatusError 500 if it is none any more."""
    # The patch shares what it left alone with the object it was made for.
    made, versions = copy.deepcopy(patched), attributes.versions
    if "metadata" in made and not isinstance(made["metadata"], dict):
        raise errors.internal_error("json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta")
    if versions is not None:
        if match.kind != attributes.kind:
            made = await versions.convert(made, attributes.kind.group_version)
        made.setdefault("metadata", {})
        try:
            versions.settle(made)
        except ValueError as error:
            raise errors.internal_error(str(error)) from None
    obj = attributes.object
    assert obj is not None, "nothing is patched where there is no object"
    obj.clear()
    obj.update(made)


def _annotate_mutation(hook: Webhook, attributes: Attributes, place: str, *, changed: bool) -> None:
    if attributes.request.audited is None:
        return
    value = {"configuration": hook.configuration, "webhook": hook.name, "mutated": changed}
    attributes.request.annotate(_MUTATION + place, orjson.dumps(value).decode())


def _patch_annotation(hook: Webhook, operations: list[JSONObject]) -> str:
    shown = orjson.Fragment(orjson.dumps(operations, option=orjson.OPT_SORT_KEYS))
    value = {"configuration": hook.configuration, "webhook": hook.name, "patch": shown, "patchType": "JSONPatch"}
    return orjson.dumps(value).decode()
