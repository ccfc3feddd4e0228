"""customresourcedefinitions.apiextensions.k8s.io as a Resource. Installed by `extensions/server.py`.

Mirrors `apiextensions-apiserver/pkg/registry/customresourcedefinition`.
"""

from pathlib import Path

from extensions.definitions.strategy import STRATEGY
from generic.meta.gvk import GroupVersion
from generic.patching.patch_schema import DefinitionsSchema
from generic.protobuf import objects
from generic.registry.resource import Resource
from generic.schema.object_schema import Model, ObjectSchema

GROUP_VERSION = GroupVersion("apiextensions.k8s.io", "v1")
DEFINITIONS = GROUP_VERSION.with_resource("customresourcedefinitions")

_PACKAGE = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"


def _model() -> Model:
    # Pydantic takes a sixth of a start; only who writes or explains a definition needs it.
    from extensions.definitions.types import CustomResourceDefinition  # noqa: PLC0415

    return CustomResourceDefinition


RESOURCE = Resource(
    DEFINITIONS,
    "CustomResourceDefinition",
    namespaced=False,
    schema=ObjectSchema.of_models(_model, "CustomResourceDefinition", package=_PACKAGE),
    strategy=STRATEGY,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    # No list of a definition merges: strategic merge replaces them all.
    patch_schema=DefinitionsSchema({}, {}),
    # fields.json is the output of tools/protobuf.
    protobuf=objects.ObjectCodec(objects.META, Path(__file__).with_name("fields.json")),
)
