"""From types, strategies and conversion to resources: all that is to know of what this server serves.

Called by `server`. Mirrors `sample-apiserver/pkg/registry/wardle/{flunder,fischer}/etcd.go` and
`pkg/apis/wardle/install`.
"""

from examples.wardle import strategy, v1alpha1, v1beta1
from examples.wardle.conversion import FlunderConverter
from examples.wardle.types import FISCHER, FLUNDER, V1ALPHA1, V1BETA1
from generic.meta.gvk import GroupVersion
from generic.meta.tables import AGE_COLUMN, NAME_COLUMN, Column
from generic.registry.resource import Resource
from generic.schema.object_schema import ObjectSchema
from generic.types import JSONObject

_CONVERTER = FlunderConverter()


def _package(version: GroupVersion) -> str:
    """What the names of a version's schemas begin with in OpenAPI documents."""
    return f"com.example.wardle.{version.version}"


def _reference(obj: JSONObject) -> str:
    """`Fischer/name`, from either version."""
    spec = obj.get("spec") or {}
    name = spec.get("reference") or spec.get("flunderReference") or spec.get("fischerReference") or ""
    return f"{spec.get('referenceType', '')}/{name}" if name else ""


_FLUNDER_COLUMNS = (
    NAME_COLUMN,
    Column("Reference", "string", description="What the flunder refers to.", getter=_reference),
    AGE_COLUMN,
)

FLUNDERS_V1ALPHA1 = Resource(
    V1ALPHA1.with_resource("flunders"),
    FLUNDER,
    namespaced=True,
    schema=ObjectSchema.of_model(v1alpha1.Flunder, package=_package(V1ALPHA1)),
    strategy=strategy.FLUNDER_V1ALPHA1,
    short_names=("fl",),
    columns=_FLUNDER_COLUMNS,
    storage_version=V1ALPHA1,
    converter=_CONVERTER,
)

FLUNDERS_V1BETA1 = Resource(
    V1BETA1.with_resource("flunders"),
    FLUNDER,
    namespaced=True,
    schema=ObjectSchema.of_model(v1beta1.Flunder, package=_package(V1BETA1)),
    strategy=strategy.FLUNDER_V1BETA1,
    short_names=("fl",),
    columns=_FLUNDER_COLUMNS,
    storage_version=V1ALPHA1,
    converter=_CONVERTER,
)

FISCHERS = Resource(
    V1ALPHA1.with_resource("fischers"),
    FISCHER,
    namespaced=False,
    schema=ObjectSchema.of_model(v1alpha1.Fischer, package=_package(V1ALPHA1)),
    strategy=strategy.FISCHERS,
    columns=(NAME_COLUMN, AGE_COLUMN),
)

RESOURCES = (FLUNDERS_V1ALPHA1, FLUNDERS_V1BETA1, FISCHERS)
