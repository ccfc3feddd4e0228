"""AdmissionPolicies: the two policy plugins of the main server, in step with its own policies and bindings.

Made by `kubeapi/server.py`. Policies are read from this server's caches, so that one counts for every write after its
binding was acknowledged; without any, a write pays for one look at a flag.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from generic.admission.interface import AdmissionPlugin
from generic.admission.matching import NamespaceSource
from generic.admission.policy.dispatching import Surroundings
from generic.admission.policy.metrics import PolicyMetrics
from generic.admission.policy.mutating import MutatingAdmissionPolicy
from generic.admission.policy.params import ParamReader
from generic.admission.policy.validating import ValidatingAdmissionPolicy
from generic.authorization.interface import Authorizer
from generic.client.rest import Client
from generic.meta.gvk import GroupResource
from generic.storage.cacher import Cacher
from generic.storage.cacher_state import Listener
from generic.storage.watch_stream import WatchEvent
from generic.types import JSONObject
from kubeapi.admission.policy_parameters import PolicyParameterCheck

_GROUP = "admissionregistration.k8s.io"


class AdmissionPolicies:
    """`client` reads parameters, `authorizer` answers expressions."""

    def __init__(
        self,
        caches: Mapping[GroupResource, Cacher],
        namespaces: NamespaceSource,
        client: Client,
        authorizer: Authorizer,
    ) -> None:
        params = ParamReader(client)
        self.metrics = PolicyMetrics()
        surroundings = Surroundings(namespaces, params, authorizer, self.metrics)
        mutating, validating = MutatingAdmissionPolicy(surroundings), ValidatingAdmissionPolicy(surroundings)
        self.plugins: Sequence[AdmissionPlugin] = (mutating, validating)
        listeners = {
            "mutatingadmissionpolicies": _listener(mutating.source.put_policy, mutating.source.remove_policy),
            "mutatingadmissionpolicybindings": _listener(mutating.source.put_binding, mutating.source.remove_binding),
            "validatingadmissionpolicies": _listener(validating.source.put_policy, validating.source.remove_policy),
            "validatingadmissionpolicybindings": _listener(
                validating.source.put_binding, validating.source.remove_binding
            ),
        }
        # An older version has not all of them.
        found = ((GroupResource(_GROUP, plural), listener) for plural, listener in listeners.items())
        self._followed = [(caches[resource], listener) for resource, listener in found if resource in caches]
        read = {resource.resource: cache for resource, cache in caches.items() if resource.group == _GROUP}
        self.check = PolicyParameterCheck(authorizer, params, read)
        """What is asked of those who write policies and bindings; the first of the validating plugins."""

        self._ends: list[Callable[[], None]] = []

    async def start(self) -> None:
        """Load policies and bindings; from then on the plugins follow every change."""
        await asyncio.gather(*(cache.start() for cache, _ in self._followed))
        self._ends = [cache.subscribe(listener) for cache, listener in self._followed]

    async def stop(self) -> None:
        """Follow no longer."""
        ends, self._ends = self._ends, []
        for end in ends:
            end()


def _listener(put: Callable[[JSONObject], None], remove: Callable[[str], None]) -> Listener:
    def hear(event: WatchEvent) -> None:
        if event.object is None:
            return
        if event.type == "DELETED":
            remove(event.object.name)
        else:
            put(event.object.decoded())

    return hear
