"""BanFlunder: no new Flunder takes a name that some Fischer disallows.

Run by the Store between the checks of the class and storing. It looks into a copy of the Fischers that an informer
keeps. Mirrors `sample-apiserver/pkg/admission/plugin/banflunder/admission.go`.
"""

from examples.wardle.types import FLUNDER, GROUP
from examples.wardle.v1alpha1 import Fischer
from trikube import aa


class BanFlunder:
    """Refuses by 403; changes nothing."""

    name = "BanFlunder"

    def __init__(self, setup: aa.Setup) -> None:
        self._fischers = setup.own_informer(Fischer.definition.gvr)

    def handles(self, attributes: aa.Attributes) -> bool:
        kind = attributes.kind
        return attributes.operation == "CREATE" and (kind.group, kind.kind) == (GROUP, FLUNDER)

    async def validate(self, attributes: aa.Attributes) -> None:
        """Raises StatusError, 403."""
        for fischer in self._fischers.list():
            if attributes.name in (fischer.get("disallowedFlunders") or ()):
                why = "this name may not be used, please change the resource name"
                raise aa.errors.forbidden(attributes.resource.group_resource, attributes.name, why)
