"""The kinds of autoscaling/v1 and v2: one kind in two versions, stored in the newer.

Mirrors `pkg/registry/autoscaling/rest/storage_autoscaling.go`.
"""

from collections.abc import Sequence
from dataclasses import replace

from generic.meta.tables import Column
from generic.types import JSONObject
from kubeapi.resources.columns import workloads as columns
from kubeapi.resources.conversion import autoscaling as conversion
from kubeapi.resources.kinds import STATUS, BuiltinKind
from kubeapi.resources.strategies import workloads as strategies


def _from_v1(column: Column) -> Column:
    """The rows of v1 say what those of v2 say."""

    def get(obj: JSONObject) -> object:
        return column.getter(conversion.to_v2(obj))

    return replace(column, getter=get)


_V1_COLUMNS: Sequence[Column] = tuple(map(_from_v1, columns.HORIZONTAL_POD_AUTOSCALER))
_CONVERTER = conversion.AutoscalerConverter()

KINDS: tuple[BuiltinKind, ...] = tuple(
    BuiltinKind(
        version,
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        namespaced=True,
        short_names=("hpa",),
        categories=("all",),
        strategy=strategy,
        columns=shown,
        subresources=STATUS,
        storage_version=conversion.V2,
        converter=_CONVERTER,
    )
    for version, strategy, shown in (
        (conversion.V2, strategies.AUTOSCALER_V2, columns.HORIZONTAL_POD_AUTOSCALER),
        (conversion.V1, strategies.AUTOSCALER_V1, _V1_COLUMNS),
    )
)
