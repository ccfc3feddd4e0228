"""The plugin MutatingAdmissionPolicy: changes objects as policies say.

In the admission chain of a server that follows policies, before the mutating webhooks. Mirrors
`apiserver/pkg/admission/plugin/policy/mutating/{dispatcher,reinvocationcontext}.go`.
"""

from collections.abc import Awaitable, Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from generic.admission import matching
from generic.admission.cel import evaluating
from generic.admission.cel.authorizing import Decisions
from generic.admission.cel.evaluating import OutOfBudget
from generic.admission.interface import Attributes
from generic.admission.policy.compiled import MutatingPolicy, Mutation
from generic.admission.policy.dispatching import Invocation, Misconfigured, Surroundings, Versioned, refusal_name
from generic.admission.policy.metrics import NO_ERROR, error_type
from generic.admission.policy.patching import PatchError, patched
from generic.admission.policy.source import PolicySource
from generic.meta import errors
from generic.types import JSONObject

_Key = tuple[str, str, str, str]
"""Policy, binding, and namespace and name of the parameter."""
_Failed = tuple[Invocation[MutatingPolicy] | Misconfigured[MutatingPolicy], str]


@dataclass(slots=True)
class _Memory:
    """What the first pass leaves for the second."""

    output: JSONObject | None = None
    invoked: set[_Key] = field(default_factory=set)
    """Those that want to run again if somebody changes the object after them."""
    again: set[_Key] = field(default_factory=set)

    def changed(self) -> None:
        """All that ran so far and want to run again, will."""
        self.again |= self.invoked
        self.invoked = set()


class MutatingAdmissionPolicy:
    """`source` is kept in step by whoever makes the plugin."""

    name = "MutatingAdmissionPolicy"

    def __init__(self, surroundings: Surroundings, wait: Callable[[], Awaitable[bool]] | None = None) -> None:
        """`wait`: see PolicySource."""
        self.source: PolicySource[MutatingPolicy] = PolicySource(MutatingPolicy.of, wait)
        self._surroundings = surroundings

    def handles(self, attributes: Attributes) -> bool:
        """Of what is deleted there is nothing to change."""
        return self.source.in_force and attributes.operation != "DELETE" and not matching.is_exempt(attributes)

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError if a policy that must not fail does."""
        relevant = await self._surroundings.relevant(self.source, attributes)
        failed: list[_Failed] = [
            (each, each.message) for each in relevant if isinstance(each, Misconfigured) and each.policy.fails
        ]
        reasons = [""] * len(failed)
        invocations = [each for each in relevant if isinstance(each, Invocation)]
        if invocations:
            run = _Run(self._surroundings, attributes)
            found = await run.all(invocations)
            failed += found
            reasons += ["Invalid"] * len(found)
        if failed:
            raise _refusal(attributes, failed, reasons[0])


class _Run:
    """All policies on one write, in one pass."""

    def __init__(self, surroundings: Surroundings, attributes: Attributes) -> None:
        self._surroundings = surroundings
        self._attributes = attributes
        self._versioned = Versioned(attributes)
        self._decisions: Decisions = surroundings.decisions(attributes)
        self._memory: _Memory = attributes.reinvocation.state.setdefault(MutatingAdmissionPolicy.name, _Memory())

    async def all(self, invocations: Sequence[Invocation[MutatingPolicy]]) -> list[_Failed]:
        """The failures that count. Raises StatusError."""
        attributes, memory = self._attributes, self._memory
        namespace = await self._surroundings.namespace(attributes)
        if attributes.reinvocation.again and memory.output != attributes.object:
            memory.changed()
        failed: list[_Failed] = []
        failed += []
        for invocation in invocations:
            failed += await self._one(invocation, namespace)
        memory.output = deepcopy(attributes.object)
        return failed

    async def _one(self, invocation: Invocation[MutatingPolicy], namespace: JSONObject | None) -> list[_Failed]:
        attributes, memory, policy = self._attributes, self._memory, invocation.policy
        inputs = await self._versioned.inputs(invocation, self._decisions, namespace)
        met = await self._decisions.run(lambda: evaluating.conditions(policy.conditions, inputs))
        if met.errors and not met.failed:
            return [(invocation, met.error)] if policy.fails else []
        if not met.hold:
            return []
        key = _key(invocation)
        if attributes.reinvocation.again and key not in memory.again:
            return []
        failed: list[_Failed] = []
        failed += []
        before = attributes.object
        if before is not None:
            before = deepcopy(before)
            for mutation in policy.mutations:
                told = NO_ERROR
                try:
                    await self._mutate(invocation, mutation, namespace)
                except (PatchError, OutOfBudget) as error:
                    told = error_type(str(error))
                    failed += [(invocation, str(error))] if policy.fails else []
                self._surroundings.metrics.mutations.add(policy.name, invocation.binding.name, told)
            if attributes.object != before:
                memory.changed()
                attributes.reinvocation.wanted = True
        if policy.again_if_needed:
            memory.invoked.add(key)
        return failed

    async def _mutate(
        self, invocation: Invocation[MutatingPolicy], mutation: Mutation, namespace: JSONObject | None
    ) -> None:
        """Raises PatchError, OutOfBudget, StatusError."""
        attributes, versions = self._attributes, self._attributes.versions
        obj = attributes.object
        assert obj is not None, "only objects are mutated"
        inputs = await self._versioned.inputs(invocation, self._decisions, namespace)
        shape = None if versions is None else versions.shape
        made = await self._decisions.run(lambda: patched(mutation, inputs, shape))
        if made is inputs.object:
            return
        if versions is not None:
            if invocation.match.kind != attributes.kind:
                made = await versions.convert(made, attributes.kind.group_version)
            made = deepcopy(made)
            try:
                versions.settle(made)
            except ValueError as error:
                raise errors.internal_error(str(error)) from None
        obj.clear()
        obj.update(made)


def _key(invocation: Invocation[MutatingPolicy]) -> _Key:
    metadata = (invocation.params or {}).get("metadata") or {}
    named = metadata.get("namespace") or "", metadata.get("name") or ""
    return (invocation.policy.name, invocation.binding.name, *named)


def _refusal(attributes: Attributes, failed: Sequence[_Failed], reason: str) -> errors.StatusError:
    messages = [_message(each, why) for each, why in failed]
    error = errors.forbidden(
        attributes.resource.group_resource,
        refusal_name(attributes),
        messages[0],
        causes=[{"message": message} for message in messages],
    )
    # The code stays that of a Forbidden, as in Kubernetes.
    error.message = messages[0]
    error.reason = reason or error.reason
    return error


def _message(failed: Invocation[MutatingPolicy] | Misconfigured[MutatingPolicy], why: str) -> str:
    if failed.binding is None:
        return f'policy "{failed.policy.name}" denied request: {why}'
    return f"policy '{failed.policy.name}' with binding '{failed.binding.name}' denied request: {why}"
