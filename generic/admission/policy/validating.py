"""The plugin ValidatingAdmissionPolicy: refuses, warns and annotates as policies say.

In the admission chain of a server that follows policies. Mirrors
`apiserver/pkg/admission/plugin/policy/validating/dispatcher.go`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import orjson

from generic.admission import matching
from generic.admission.interface import Attributes
from generic.admission.policy.compiled import Binding, ValidatingPolicy
from generic.admission.policy.dispatching import Invocation, Misconfigured, Surroundings, Versioned, refusal_name
from generic.admission.policy.judging import Judgement, judge
from generic.admission.policy.metrics import error_type
from generic.admission.policy.source import PolicySource
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.types import JSONObject

_FAILURES = "validation.policy.admission.k8s.io/validation_failure"
_MOST_FAILURES = 50
_LONGEST_ANNOTATION = 10 * 1024
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413}


@dataclass(frozen=True, slots=True)
class _Denied:
    policy: str
    binding: str
    message: str
    reason: str = ""


@dataclass(slots=True)
class _Findings:
    """Of all policies for one write."""

    denied: list[_Denied] = field(default_factory=list)
    failures: list[JSONObject] = field(default_factory=list)
    annotations: dict[str, list[str]] = field(default_factory=dict)


class ValidatingAdmissionPolicy:
    """`source` is kept in step by whoever makes the plugin."""

    name = "ValidatingAdmissionPolicy"

    def __init__(self, surroundings: Surroundings, wait: Callable[[], Awaitable[bool]] | None = None) -> None:
        """`wait`: see PolicySource."""
        self.source: PolicySource[ValidatingPolicy] = PolicySource(ValidatingPolicy.of, wait)
        self._surroundings = surroundings

    def handles(self, attributes: Attributes) -> bool:
        return self.source.in_force and not matching.is_exempt(attributes)

    async def validate(self, attributes: Attributes) -> None:
        """Raises the StatusError of the first refusal."""
        found = _Findings()
        relevant = await self._surroundings.relevant(self.source, attributes)
        if relevant:
            await self._judge_all(attributes, relevant, found)
        for key, values in found.annotations.items():
            attributes.request.annotate(key, ", ".join(values))
        if found.failures:
            attributes.request.annotate(_FAILURES, orjson.dumps(found.failures[:_MOST_FAILURES]).decode())
        if found.denied:
            raise _refusal(attributes, found.denied[0])

    async def _judge_all(
        self,
        attributes: Attributes,
        relevant: Sequence[Invocation[ValidatingPolicy] | Misconfigured[ValidatingPolicy]],
        found: _Findings,
    ) -> None:
        decisions, versioned = self._surroundings.decisions(attributes), Versioned(attributes)
        namespace = await self._surroundings.namespace(attributes)
        for each in relevant:
            policy = each.policy
            if isinstance(each, Misconfigured):
                binding = "" if each.binding is None else each.binding.name
                found.denied += [_Denied(policy.name, binding, each.message)] if policy.fails else []
                continue
            try:
                inputs = await versioned.inputs(each, decisions, namespace)
            except StatusError as error:
                why = f"failed to configure binding: failed to convert object version: {error}"
                found.denied += [_Denied(policy.name, each.binding.name, why)] if policy.fails else []
                continue
            judgement = await decisions.run(partial(judge, policy, inputs))
            _act(attributes, policy, each.binding, judgement, found)
            self._count(policy.name, each.binding, judgement)

    def _count(self, policy: str, binding: Binding, judgement: Judgement) -> None:
        count = self._surroundings.metrics.validations.add
        for decision in judgement.decisions:
            if decision.message:
                for action in binding.actions:
                    count(policy, binding.name, error_type(decision.message), action.lower())
            elif decision.ignored:
                count(policy, binding.name, error_type(decision.ignored), "allow")
        for annotation in judgement.annotations:
            if annotation.error:
                count(policy, binding.name, error_type(annotation.error), "deny")


def _act(
    attributes: Attributes, policy: ValidatingPolicy, binding: Binding, judgement: Judgement, found: _Findings
) -> None:
    for at, decision in enumerate(judgement.decisions):
        if not decision.message:
            continue
        for action in binding.actions:
            if action == "Deny":
                found.denied.append(_Denied(policy.name, binding.name, decision.message, decision.reason))
            elif action == "Audit":
                found.failures.append({
                    "message": decision.message,
                    "policy": binding.policy,
                    "binding": binding.name,
                    "expressionIndex": at,
                    "validationActions": list(binding.actions),
                })
            else:
                attributes.request.warn(
                    f"Validation failed for ValidatingAdmissionPolicy '{policy.name}' with binding "
                    f"'{binding.name}': {decision.message}"
                )
    for annotation in judgement.annotations:
        if annotation.error:
            found.denied.append(_Denied(policy.name, binding.name, annotation.error))
            continue
        # Values of the same key differ where they come of parameters.
        values = found.annotations.setdefault(f"{policy.name}/{annotation.key}", [])
        value = annotation.value.encode()[:_LONGEST_ANNOTATION].decode(errors="ignore")
        if value not in values:
            values.append(value)


def _refusal(attributes: Attributes, denied: _Denied) -> StatusError:
    bound = f" with binding '{denied.binding}'" if denied.binding else ""
    message = f"ValidatingAdmissionPolicy '{denied.policy}'{bound} denied request: {denied.message}"
    error = errors.forbidden(
        attributes.resource.group_resource, refusal_name(attributes), message, causes=[{"message": message}]
    )
    error.reason = denied.reason or "Invalid"
    error.code = _CODES.get(error.reason, 422)
    return error
