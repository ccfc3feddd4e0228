"""CRDRegistration: an APIService for every group-version some CustomResourceDefinition serves.

Feeds `autoregister.py`. Mirrors `pkg/controlplane/controller/crdregistration/crdregistration_controller.go`.
"""

from collections import defaultdict

from aggregator import priorities
from aggregator.controllers.autoregister import AutoRegister
from generic.client.informer import Informer
from generic.meta.gvk import GroupVersion
from generic.types import JSONObject


class CRDRegistration:
    """Counts who serves a group-version: CustomResourceDefinitions share them."""

    def __init__(self, definitions: Informer, autoregister: AutoRegister) -> None:
        self._autoregister = autoregister
        self._serving: dict[GroupVersion, set[str]] = defaultdict(set)
        definitions.add_handler(self._changed)

    def _changed(self, old: JSONObject | None, new: JSONObject | None) -> None:
        before, after = _served(old), _served(new)
        for group_version in before - after:
            self._drop(group_version, _name(old))
        for group_version in after - before:
            self._add(group_version, _name(new))

    def _add(self, group_version: GroupVersion, definition: str) -> None:
        serving = self._serving[group_version]
        if not serving:
            self._autoregister.add(group_version, priorities.CUSTOM_RESOURCES)
        serving.add(definition)

    def _drop(self, group_version: GroupVersion, definition: str) -> None:
        serving = self._serving[group_version]
        serving.discard(definition)
        if not serving:
            del self._serving[group_version]
            self._autoregister.remove(group_version)


def _name(definition: JSONObject | None) -> str:
    return "" if definition is None else str(definition["metadata"]["name"])


def _served(definition: JSONObject | None) -> set[GroupVersion]:
    """Served by its spec, whether or not it is established yet."""
    spec = (definition or {}).get("spec") or {}
    return {GroupVersion(spec["group"], one["name"]) for one in spec.get("versions") or () if one.get("served")}
