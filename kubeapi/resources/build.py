"""From the tables of built-in kinds to what a server installs: Resource, Store and subresources of each.

Called by `kubeapi/server.py`. Nothing is loaded or compiled here: a watch cache starts with its first reader, a
schema with its first object. Mirrors `pkg/controlplane/apiserver` InstallAPIs and the storage providers it calls.
"""

from collections.abc import Iterable, Mapping, Sequence

from generic.config import ServerConfig
from generic.meta.gvk import GroupResource
from generic.registry.resource import Resource
from generic.registry.rest import InstalledResource
from generic.registry.store import Store
from generic.storage.objects import Codec, FieldGetter
from kubeapi import resources
from kubeapi.resources import subresources
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.schemas import Schemas


def build(config: ServerConfig, schemas: Schemas, kinds: Iterable[BuiltinKind] = ()) -> list[InstalledResource]:
    """Every kind of the tables (or those given), ready to be installed. Raises KeyError for one without a schema."""
    pairs = [(kind, resource_of(kind, schemas)) for kind in kinds or resources.all_kinds()]
    codecs = _codecs([resource for _, resource in pairs])
    made = []
    for kind, resource in pairs:
        store = Store(
            resource,
            config.backings.of(resource, codecs[resource.stored_as]),
            admission=config.admission,
            garbage_collection=config.garbage_collection,
        )
        served = subresources.build(kind, store, admission=config.admission, schemas=schemas)
        made.append(InstalledResource(resource, store, served))
    return made


def resource_of(kind: BuiltinKind, schemas: Schemas) -> Resource:
    """The Resource a line of the tables describes. Raises KeyError if no schema has its kind."""
    return Resource(
        kind.gvr,
        kind.kind,
        kind.namespaced,
        schemas.object_schema(kind.gvk),
        strategy=kind.strategy,
        singular=kind.singular,
        short_names=kind.short_names,
        categories=kind.categories,
        columns=kind.columns,
        selectable_fields=kind.selectable_fields,
        storage_version=kind.storage_version,
        converter=kind.converter,
        deprecation_warning=kind.deprecation_warning,
        patch_schema=schemas.patch_schema(kind.gvk),
    )


def _codecs(made: Sequence[Resource]) -> Mapping[GroupResource, Codec]:
    """One per store, with the field labels of all versions that share it: an event is known by old and new names."""
    labels: dict[GroupResource, dict[str, FieldGetter]] = {}
    for resource in made:
        labels.setdefault(resource.stored_as, {}).update(resource.selectable_fields)
    return {stored_as: Codec(selectable_fields=fields) for stored_as, fields in labels.items()}
