"""From the tables of built-in kinds to what a server installs: Resource, Store and subresources of each.

Called by `kubeapi/server.py`. Nothing is loaded or compiled here: a watch cache starts with its first reader, a
schema with its first object. Mirrors `pkg/controlplane/apiserver` InstallAPIs and the storage providers it calls.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from generic.admission.interface import AdmissionChain
from generic.config import ServerConfig
from generic.meta.gvk import GroupResource, GroupVersionResource
from generic.registry.resource import Resource
from generic.registry.rest import InstalledResource
from generic.registry.store import Store
from generic.registry.strategy import Strategy
from generic.registry.write_path import Backing
from generic.storage.objects import Codec, FieldGetter
from kubeapi import resources
from kubeapi.protobuf import BUILTIN
from kubeapi.resources import subresources
from kubeapi.resources.binding_storage import BINDING, Bindings, PodBinding
from kubeapi.resources.kinds import BuiltinKind
from kubeapi.resources.subresources import PODS, Parts
from kubeapi.schemas import Schemas
from kubeapi.serviceaccounts.options import ServiceAccountOptions


class StoreMaker(Protocol):
    """Makes the Store of a kind: `Store` itself, but for kinds whose writes do more."""

    def __call__(
        self, resource: Resource, backing: Backing, *, admission: AdmissionChain, garbage_collection: bool
    ) -> Store: ...


def build(
    config: ServerConfig,
    schemas: Schemas,
    kinds: Iterable[BuiltinKind] = (),
    *,
    makers: Mapping[GroupResource, StoreMaker] | None = None,
    service_accounts: ServiceAccountOptions | None = None,
) -> list[InstalledResource]:
    """Every kind of the tables (or those given), ready to be installed. Raises KeyError for one without a schema.

    `makers`: by which kinds get a Store of their own. Without `service_accounts` there are no tokens to ask for.
    """
    pairs = [(kind, resource_of(kind, schemas)) for kind in kinds or resources.all_kinds()]
    codecs = _codecs([resource for _, resource in pairs])
    stores: dict[GroupVersionResource, Store] = {}
    for _, resource in pairs:
        make = (makers or {}).get(resource.group_resource, Store)
        stores[resource.gvr] = make(
            resource,
            config.backings.of(resource, codecs[resource.stored_as]),
            admission=config.admission,
            garbage_collection=config.garbage_collection,
        )
    parts = Parts(
        config.admission,
        schemas,
        {gvr.group_resource: store for gvr, store in stores.items()},
        service_accounts,
    )
    made = []
    for kind, resource in pairs:
        store = stores[resource.gvr]
        storage = store if kind.deletes_collections else store.object_by_object()
        made.append(InstalledResource(resource, storage, subresources.build(kind, store, parts)))
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
        protobuf=BUILTIN,
    )


def bindings(config: ServerConfig, schemas: Schemas, kinds: Iterable[InstalledResource]) -> InstalledResource:
    """The older way to bind pods, among those `kinds`: nothing of it is stored."""
    pods = next(entry.storage for entry in kinds if entry.resource.group_resource == PODS)
    resource = Resource(
        BINDING.group_version.with_resource("bindings"),
        BINDING.kind,
        namespaced=True,
        schema=schemas.object_schema(BINDING),
        strategy=Strategy(),
        protobuf=BUILTIN,
    )
    return InstalledResource(resource, Bindings(PodBinding(pods, admission=config.admission)))


def _codecs(made: Sequence[Resource]) -> Mapping[GroupResource, Codec]:
    """One per store, with the field labels of all versions that share it: an event is known by old and new names."""
    labels: dict[GroupResource, dict[str, FieldGetter]] = {}
    for resource in made:
        labels.setdefault(resource.stored_as, {}).update(resource.selectable_fields)
    return {stored_as: Codec(selectable_fields=fields) for stored_as, fields in labels.items()}
