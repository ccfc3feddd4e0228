"""BanFlunder: no new Flunder takes a name that some Fischer disallows.

A plugin of this server's own, run by the Store between the strategy's checks and storing. It reads the Fischers in
the server's own watch cache. Mirrors `sample-apiserver/pkg/admission/plugin/banflunder/admission.go`.
"""

from typing import Protocol

from examples.wardle.types import FLUNDER, GROUP
from generic.admission.interface import Attributes
from generic.meta import errors
from generic.meta.gvk import GroupKind
from generic.storage.cacher import ListResult
from generic.storage.predicate import Predicate

_FLUNDER = GroupKind(GROUP, FLUNDER)


class FischerLister(Protocol):
    """The part of the Fischers' Cacher that is needed here."""

    async def list(self, predicate: Predicate) -> ListResult: ...


class BanFlunder:
    """Refuses by 403; changes nothing."""

    name = "BanFlunder"

    def __init__(self, fischers: FischerLister) -> None:
        self._fischers = fischers

    def handles(self, attributes: Attributes) -> bool:
        return attributes.operation == "CREATE" and attributes.kind.group_kind == _FLUNDER

    async def validate(self, attributes: Attributes) -> None:
        """Raises StatusError, 403."""
        found = await self._fischers.list(Predicate())
        for fischer in found.items:
            if attributes.name in (fischer.decoded().get("disallowedFlunders") or ()):
                why = "this name may not be used, please change the resource name"
                raise errors.forbidden(attributes.resource.group_resource, attributes.name, why)
