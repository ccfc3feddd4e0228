"""Which policies look at a write, with which binding and parameters, and the versions of the object they look at.

Called by `validating.py` and `mutating.py`. Mirrors
`apiserver/pkg/admission/plugin/policy/generic/policy_dispatcher.go`.
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

from generic.admission import matching
from generic.admission.cel.authorizing import Decisions
from generic.admission.cel.evaluating import Inputs
from generic.admission.interface import Attributes
from generic.admission.matching import Match, NamespaceSource
from generic.admission.policy.compiled import Binding, Policy
from generic.admission.policy.metrics import PolicyMetrics
from generic.admission.policy.params import ConfigurationError, ParamReader
from generic.admission.policy.source import PolicySource
from generic.authorization.interface import Authorizer
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.request.user import ANONYMOUS_USER
from generic.types import JSONObject

Compiled = TypeVar("Compiled", bound=Policy)


@dataclass(frozen=True, slots=True)
class Invocation(Generic[Compiled]):
    """One policy that is to look at the write."""

    policy: Compiled
    binding: Binding
    match: Match
    params: JSONObject | None


@dataclass(frozen=True, slots=True)
class Misconfigured(Generic[Compiled]):
    """A policy, or a binding of one, that matched and cannot be run."""

    policy: Compiled
    binding: Binding | None
    message: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the plugins of one server stand on."""

    namespaces: NamespaceSource
    params: ParamReader
    authorizer: Authorizer
    metrics: PolicyMetrics

    def decisions(self, attributes: Attributes) -> Decisions:
        """What whoever writes may do; each question is asked once."""
        return Decisions(self.authorizer, attributes.request.user or ANONYMOUS_USER)

    async def namespace(self, attributes: Attributes) -> JSONObject | None:
        """The namespace of the object; None outside one, and of a namespace itself. Raises StatusError."""
        if not attributes.namespace or attributes.resource == matching.NAMESPACES:
            return None
        found = await self.namespaces.namespace(attributes.namespace)
        if found is None:
            raise errors.not_found(matching.NAMESPACES.group_resource, attributes.namespace)
        return found

    async def relevant(
        self, source: PolicySource[Compiled], attributes: Attributes
    ) -> list[Invocation[Compiled] | Misconfigured[Compiled]]:
        """All of them, in order. Raises StatusError while nobody knows."""
        if not await source.ready():
            why = "not yet ready to handle request"
            raise errors.forbidden(attributes.resource.group_resource, refusal_name(attributes), why)
        found: list[Invocation[Compiled] | Misconfigured[Compiled]] = []
        for hook in source.hooks():
            policy = hook.policy
            try:
                match = await policy.constraints.match(attributes, self.namespaces)
                if match is not None:
                    kind = None if policy.param_kind is None else await self.params.kind(policy.param_kind)
            except (ConfigurationError, StatusError) as error:
                found.append(Misconfigured(policy, None, f"failed to configure policy: {error}"))
                continue
            if match is None:
                continue
            for binding in hook.bindings:
                try:
                    bound = binding.constraints
                    if bound is not None and await bound.match(attributes, self.namespaces) is None:
                        continue
                    if kind is None or binding.param_ref is None:
                        found.append(Invocation(policy, binding, match, None))
                        continue
                    namespace = matching.namespace_of(attributes)
                    params = await self.params.find(kind, binding.param_ref, namespace)
                    found += [Invocation(policy, binding, match, each) for each in params]
                except (ConfigurationError, StatusError) as error:
                    found.append(Misconfigured(policy, binding, f"failed to configure binding: {error}"))
        return found


class Versioned:
    """The objects of one write, in the versions policies ask for; each is converted once."""

    def __init__(self, attributes: Attributes) -> None:
        self._attributes = attributes
        self._old: dict[str, JSONObject | None] = {}

    async def old_object(self, match: Match) -> JSONObject | None:
        """Raises StatusError."""
        version = match.kind.api_version
        if version not in self._old:
            self._old[version] = await self.converted(self._attributes.old_object, match)
        return self._old[version]

    async def object(self, match: Match) -> JSONObject | None:
        """As it is now. Raises StatusError."""
        return await self.converted(self._attributes.object, match)

    async def converted(self, obj: JSONObject | None, match: Match) -> JSONObject | None:
        """Raises StatusError."""
        versions = self._attributes.versions
        if obj is None or match.kind == self._attributes.kind or versions is None:
            return obj
        return await versions.convert(obj, match.kind.group_version)

    async def inputs(
        self, invocation: Invocation[Compiled], decisions: Decisions, namespace: JSONObject | None
    ) -> Inputs:
        """What the policy's expressions see. Raises StatusError."""
        return Inputs(
            self._attributes,
            invocation.match,
            decisions,
            object=await self.object(invocation.match),
            old_object=await self.old_object(invocation.match),
            params=invocation.params,
            namespace=namespace,
            composed=invocation.policy.composed,
        )


def refusal_name(attributes: Attributes) -> str:
    """What an object is called in a refusal, that may have no name yet."""
    metadata = (attributes.object or {}).get("metadata") or {}
    return attributes.name or metadata.get("name") or metadata.get("generateName") or "Unknown"
