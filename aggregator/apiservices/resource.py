"""The APIService as a Resource. Installed by `aggregator/server.py`."""

from pathlib import Path

from aggregator.apiservices.columns import COLUMNS
from aggregator.apiservices.strategy import APIServiceStrategy
from aggregator.apiservices.types import APIService
from generic.meta.gvk import GroupVersion
from generic.patching.patch_schema import DefinitionsSchema
from generic.protobuf import objects
from generic.registry.resource import Resource
from generic.schema.object_schema import ObjectSchema

GROUP_VERSION = GroupVersion("apiregistration.k8s.io", "v1")
KIND = "APIService"
_PACKAGE = "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1"
GVR = GROUP_VERSION.with_resource("apiservices")
# fields.json is the output of tools/protobuf.
_PROTOBUF = objects.ObjectDecoder(objects.META, Path(__file__).with_name("fields.json"))


def resource() -> Resource:
    """A fresh one for each server: what it compiles belongs to that server."""
    schema = ObjectSchema.of_model(APIService, package=_PACKAGE)
    root, definitions = schema.openapi()
    return Resource(
        GVR,
        KIND,
        namespaced=False,
        schema=schema,
        patch_schema=DefinitionsSchema.of(definitions, root),
        strategy=APIServiceStrategy(),
        categories=("api-extensions",),
        columns=COLUMNS,
        protobuf=_PROTOBUF,
    )
