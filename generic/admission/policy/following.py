"""RemotePolicies: the two policy plugins of an aggregated server, in step with the main server's policies.

Made by whoever composes an aggregated server (`trikube.aa`), as `apiserver/pkg/server/options/admission.go` makes them
for every server by default. An older main server has not both kinds of policies, so what it has is looked up first.
"""

import asyncio
import logging

from generic.admission.interface import AdmissionPlugin
from generic.admission.matching import NamespaceSource
from generic.admission.policy.dispatching import Surroundings
from generic.admission.policy.metrics import PolicyMetrics
from generic.admission.policy.mutating import MutatingAdmissionPolicy
from generic.admission.policy.params import ParamReader
from generic.admission.policy.validating import ValidatingAdmissionPolicy
from generic.authorization.interface import Authorizer
from generic.client.informer import Informer
from generic.client.rest import Client
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersion

_LOG = logging.getLogger(__name__)

_GROUP_VERSION = GroupVersion("admissionregistration.k8s.io", "v1")
PLURALS = (
    *("mutatingadmissionpolicies", "mutatingadmissionpolicybindings"),
    *("validatingadmissionpolicies", "validatingadmissionpolicybindings"),
)
"""What a server must be allowed to get, list and watch."""

_PAUSE = 1.0
"""Seconds before the main server is asked again what it has."""


class RemotePolicies:
    """`client` reaches the main server. `patience`: seconds a write waits for the policies to be known."""

    def __init__(
        self, client: Client, namespaces: NamespaceSource, authorizer: Authorizer, *, patience: float = 10.0
    ) -> None:
        self._client = client
        self._patience = patience
        self.metrics = PolicyMetrics()
        surroundings = Surroundings(namespaces, ParamReader(client), authorizer, self.metrics)
        mutating = MutatingAdmissionPolicy(surroundings, self._wait)
        validating = ValidatingAdmissionPolicy(surroundings, self._wait)
        self.plugins: tuple[AdmissionPlugin, ...] = (mutating, validating)
        handlers = (
            *(mutating.source.follow_policies, mutating.source.follow_bindings),
            *(validating.source.follow_policies, validating.source.follow_bindings),
        )
        self._informers = {plural: Informer(client, _GROUP_VERSION.with_resource(plural)) for plural in PLURALS}
        for informer, handler in zip(self._informers.values(), handlers, strict=True):
            informer.add_handler(handler)
        self._followed: tuple[Informer, ...] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Idempotent."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._begin(), name="follow admission policies")

    async def stop(self) -> None:
        """Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await asyncio.gather(*(informer.stop() for informer in self._informers.values()))

    @property
    def has_synced(self) -> bool:
        """Whether the policies are known; for `/readyz`."""
        return self._followed is not None and all(informer.has_synced for informer in self._followed)

    async def _begin(self) -> None:
        while True:
            try:
                served = await self._served()
                break
            except StatusError as error:
                _LOG.warning("cannot tell which admission policies there are: %s", error)
            await asyncio.sleep(_PAUSE)
        self._followed = tuple(informer for plural, informer in self._informers.items() if plural in served)
        for informer in self._followed:
            informer.start()

    async def _served(self) -> frozenset[str]:
        try:
            found = (await self._client.request("GET", _GROUP_VERSION.path)).json()
        except StatusError as error:
            if error.code != 404:
                raise
            return frozenset()
        return frozenset(entry["name"] for entry in found.get("resources") or ())

    async def _wait(self) -> bool:
        if not self.has_synced:
            try:
                async with asyncio.timeout(self._patience):
                    if self._task is not None:
                        await asyncio.wait({self._task})
                    for informer in self._followed or ():
                        await informer.wait_synced()
            except TimeoutError:
                return False
        return self.has_synced
