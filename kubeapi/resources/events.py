"""The kinds of events.k8s.io/v1: the core group's events under newer names, in the same store.

Mirrors `pkg/registry/events/rest/storage_events.go`.
"""

from collections.abc import Sequence
from dataclasses import replace

from generic.meta.tables import Column
from generic.storage.objects import FieldGetter
from generic.types import JSONObject
from kubeapi.resources.columns import core as columns
from kubeapi.resources.conversion import events as conversion
from kubeapi.resources.core import EVENT_FIELDS
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.strategies import platform as strategies

_CONVERTER = conversion.EventConverter()


def _from_core(column: Column) -> Column:
    def get(obj: JSONObject) -> object:
        return column.getter(conversion.to_core(obj))

    return replace(column, getter=get)


def _label(core_label: str) -> str:
    if core_label == "reportingComponent":
        return "reportingController"
    return core_label.replace("involvedObject.", "regarding.")


_COLUMNS: Sequence[Column] = tuple(map(_from_core, columns.EVENT))
_FIELDS: dict[str, FieldGetter] = {
    # The stored object is in the core version, so the core getters read it.
    _label(label): get
    for label, get in EVENT_FIELDS.items()
    if label != "source"
}

KINDS: tuple[BuiltinKind, ...] = (
    BuiltinKind(
        conversion.EVENTS,
        "Event",
        "events",
        namespaced=True,
        short_names=("ev",),
        strategy=strategies.EVENT,
        columns=_COLUMNS,
        selectable_fields=_FIELDS,
        storage_version=conversion.CORE,
        converter=_CONVERTER,
    ),
)
