"""PolicySource: the policies in force, compiled, in step with the objects that configure them.

Told of every change (`put_policy`, ...) by whoever follows the objects; read by the two plugins for each write. A
policy counts once it has a binding. Mirrors `apiserver/pkg/admission/plugin/policy/generic/policy_source.go`.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from generic.admission.policy.compiled import Binding, Policy
from generic.types import JSONObject

_LOG = logging.getLogger(__name__)

Compiled = TypeVar("Compiled", bound=Policy)


@dataclass(frozen=True, slots=True)
class Hook(Generic[Compiled]):
    """A policy with what binds it."""

    policy: Compiled
    bindings: tuple[Binding, ...]


class PolicySource(Generic[Compiled]):
    """Policies are compiled when the first write needs them: writing one, or starting, costs nothing.

    `wait`: waits, not for long, until all are known, and returns whether they are; None: they always are.
    """

    def __init__(
        self, compile: Callable[[JSONObject], Compiled], wait: Callable[[], Awaitable[bool]] | None = None
    ) -> None:
        self._compile = compile
        self._wait = wait
        self._policies: dict[str, JSONObject] = {}
        self._bindings: dict[str, JSONObject] = {}
        self._compiled: dict[str, tuple[JSONObject, Compiled]] = {}
        self._hooks: tuple[Hook[Compiled], ...] | None = ()
        self.in_force = wait is not None
        """Whether there is, or may be, any policy with a binding. All that a write without policies asks."""

    async def ready(self) -> bool:
        """Whether the policies are known, perhaps after a wait."""
        if self._wait is not None:
            if not await self._wait():
                return False
            self._wait = None
            self._changed()
        return True

    def put_policy(self, policy: JSONObject) -> None:
        self._policies[policy["metadata"]["name"]] = policy
        self._changed()

    def remove_policy(self, name: str) -> None:
        self._policies.pop(name, None)
        self._compiled.pop(name, None)
        self._changed()

    def put_binding(self, binding: JSONObject) -> None:
        self._bindings[binding["metadata"]["name"]] = binding
        self._changed()

    def remove_binding(self, name: str) -> None:
        self._bindings.pop(name, None)
        self._changed()

    def follow_policies(self, old: JSONObject | None, new: JSONObject | None) -> None:
        """A handler for an informer of policies."""
        if new is not None:
            self.put_policy(new)
        elif old is not None:
            self.remove_policy(old["metadata"]["name"])

    def follow_bindings(self, old: JSONObject | None, new: JSONObject | None) -> None:
        """A handler for an informer of bindings."""
        if new is not None:
            self.put_binding(new)
        elif old is not None:
            self.remove_binding(old["metadata"]["name"])

    def _changed(self) -> None:
        bound = (binding["spec"].get("policyName") for binding in self._bindings.values())
        self.in_force = self._wait is not None or any(name in self._policies for name in bound)
        self._hooks = None

    def hooks(self) -> tuple[Hook[Compiled], ...]:
        """All policies in force, by name."""
        if self._hooks is None:
            self._hooks = tuple(self._made())
        return self._hooks

    def _made(self) -> list[Hook[Compiled]]:
        bound: dict[str, list[Binding]] = {}
        for _, obj in sorted(self._bindings.items()):
            try:
                binding = Binding.of(obj)
            except (KeyError, TypeError, AttributeError, ValueError):
                # Somebody wrote this past our validation. It says nothing anybody could enforce.
                _LOG.warning("policy binding %s is malformed and binds nothing", obj["metadata"]["name"])
                continue
            bound.setdefault(binding.policy, []).append(binding)
        found = []
        for name in sorted(bound):
            if name in self._policies:
                policy = self._policy(name)
                found += [Hook(policy, tuple(bound[name]))] if policy is not None else []
        return found

    def _policy(self, name: str) -> Compiled | None:
        obj = self._policies[name]
        held = self._compiled.get(name)
        if held is None or held[0] is not obj:
            try:
                held = self._compiled[name] = (obj, self._compile(obj))
            except (KeyError, TypeError, AttributeError, ValueError):
                _LOG.warning("admission policy %s is malformed and not enforced", name)
                return None
        return held[1]
