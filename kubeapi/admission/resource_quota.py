"""ResourceQuota: no namespace uses more than it may.

The last of the admission plugins (`order.py`): what any other refuses is not charged. The charge is written into the
quota's status before the object is stored, at the revision it was reckoned from, so that writers at the same time, and
other servers on the same storage, cannot both have what is left. What the object uses in the end is put right by the
controller (`kubeapi/controllers/resource_quota.py`). Mirrors `apiserver/pkg/admission/plugin/resourcequota`.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from weakref import WeakValueDictionary

from generic.admission.interface import Attributes
from generic.client.rest import Client
from generic.meta import errors
from generic.meta.errors import StatusError
from generic.meta.gvk import GroupVersionResource
from generic.types import JSONObject
from kubeapi.admission.reading import Reader
from kubeapi.quota import charging, evaluators
from kubeapi.quota.evaluators import Evaluator

QUOTAS = GroupVersionResource("", "v1", "resourcequotas")
_TRIES = 4
_PATIENCE = 10.0
"""Seconds for the charge: whoever waits longer is told so."""


class ResourceQuota:
    """Charges what a write uses, or refuses it. `client` writes the status, as system:apiserver."""

    name = "ResourceQuota"

    def __init__(self, quotas: Reader, client: Client) -> None:
        self._quotas = quotas
        self._client = client
        self._loaded = False
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def handles(self, attributes: Attributes) -> bool:
        """What is made or changed in a namespace that has quotas."""
        namespace = attributes.namespace
        if not namespace or attributes.operation not in ("CREATE", "UPDATE"):
            return False
        return not self._loaded or bool(self._quotas.peek_all(namespace))

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError 403 for what is beyond a quota, and 500 if it takes too long to find out."""
        evaluator = evaluators.of(attributes.resource.group_resource)
        if evaluator is None or not evaluator.handles(attributes):
            return
        await self._quotas.start()
        self._loaded = True
        namespace = attributes.namespace
        if not self._quotas.peek_all(namespace):
            return
        # One at a time: writers of this server need not collide. Kept only as long as somebody holds or awaits it.
        lock = self._locks.setdefault(namespace, asyncio.Lock())
        try:
            async with asyncio.timeout(_PATIENCE), lock:
                await self._charge(attributes, evaluator)
        except TimeoutError:
            raise errors.internal_error("resource quota evaluation timed out") from None

    async def _charge(self, attributes: Attributes, evaluator: Evaluator) -> None:
        quotas: list[JSONObject] = [stored.decoded() for stored in self._quotas.peek_all(attributes.namespace)]
        for left in reversed(range(_TRIES)):
            changed = charging.charge(quotas, attributes, evaluator)
            if attributes.dry_run:
                return
            failed: list[str] = []
            for quota in changed:
                try:
                    await self._write(quota)
                except StatusError:
                    if not left:
                        raise
                    failed.append(quota["metadata"]["name"])
            # Those that are charged stay so; of the others, what somebody else has made of them meanwhile.
            quotas = await self._read_again(attributes.namespace, failed)
            if not quotas:
                return

    async def _write(self, quota: JSONObject) -> None:
        written = (await self._client.update_status(QUOTAS, quota))["metadata"]
        # The next in line is to see it. It is charged, whether the cache hears of it in time or not.
        with contextlib.suppress(StatusError):
            await self._quotas.get(written["namespace"], written["name"], resource_version=written["resourceVersion"])

    async def _read_again(self, namespace: str, names: Sequence[str]) -> list[JSONObject]:
        """What there is now: a quota that is gone asks for nothing more."""
        found = [await self._quotas.get(namespace, name) for name in names]
        return [stored.decoded() for stored in found if stored is not None]
