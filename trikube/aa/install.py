"""From a Resource class to an InstalledResource: strategy, columns, store, subresources.

Called by `server.py` for each class and version. Mirrors `apiserver-runtime/pkg/builder/builder_resource.go`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from generic.config import ServerConfig
from generic.meta.gvk import GroupVersion
from generic.patching.patch_schema import DefinitionsSchema
from generic.registry.backings import Backings
from generic.registry.resource import Converter
from generic.registry.resource import Resource as Served
from generic.registry.rest import InstalledResource, Subresource
from generic.registry.store import Store
from generic.registry.strategy import Strategy
from generic.schema.object_schema import ObjectSchema
from generic.storage.objects import FieldGetter
from generic.types import JSONObject
from trikube.aa import markers, scale, subresources
from trikube.aa.columns import columns_of
from trikube.aa.connection import ConnectStorage
from trikube.aa.definition import DefinitionError, keys_of
from trikube.aa.hooks import ResourceHooks
from trikube.aa.markers import ActionMark, ColumnMark, Verb
from trikube.aa.resource import Resource
from trikube.aa.strategy import HookStrategy, PartStrategy
from trikube.aa.subresources import Action, Part
from trikube.aa.transient import TransientStorage


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A class and how it is served. `storage`: the author's own REST storage, in place of a Store."""

    cls: type[Resource]
    strategy: Strategy | None = None
    storage: Any = None
    transient: bool = False
    converter: Converter | None = None


def install(source: Source, hooks: ResourceHooks, config: ServerConfig, backings: Backings) -> InstalledResource:
    """Raises DefinitionError if class and storage do not go together."""
    cls = source.cls
    strategy = source.strategy or HookStrategy(hooks)
    resource = _resource(cls, strategy, source.converter)
    if source.transient:
        return InstalledResource(resource, TransientStorage(resource, hooks, config.admission))
    if source.storage is not None:
        _no_parts(cls)
        return InstalledResource(resource, source.storage)
    made = replace(config, backings=backings).install(resource)
    return replace(made, subresources={**made.subresources, **_parts(cls, made.storage, hooks, config)})


def _resource(cls: type[Resource], strategy: Strategy, converter: Converter | None) -> Served:
    definition = cls.definition
    component, components = cls.schema_.openapi()
    return Served(
        definition.gvr,
        definition.gvk.kind,
        namespaced=definition.namespaced,
        schema=cls.schema_,
        strategy=strategy,
        singular=definition.singular,
        short_names=definition.short_names,
        categories=definition.categories,
        columns=columns_of(cls),
        selectable_fields={path.removeprefix("."): _getter(keys_of(path)) for path in definition.selectable_fields},
        storage_version=(cls.hub or cls).definition.group_version,
        converter=converter,
        patch_schema=DefinitionsSchema.of(components, component),
    )


def _parts(cls: type[Resource], store: Store, hooks: ResourceHooks, config: ServerConfig) -> dict[str, Subresource]:
    found: dict[str, Subresource] = {}
    for part in _written(cls):
        parents = Store(
            store.resource,
            store.backing,
            admission=config.admission,
            strategy=PartStrategy(store.strategy),
            subresource=part.name,
        )
        found[part.name] = Subresource(subresources.storage(part, hooks, parents), part.gvk, part.schema)
    for name, methods in connects(cls).items():
        storage = ConnectStorage(name, methods, hooks=hooks, parents=store, admission=config.admission)
        found[name] = Subresource(storage, cls.definition.gvk)
    return found


def _written(cls: type[Resource]) -> Iterable[Part]:
    actions: dict[str, dict[Verb, Action]] = {}
    models: dict[str, Any] = {}
    for mark, function in markers.marks(cls):
        if isinstance(mark, ActionMark):
            actions.setdefault(mark.subresource, {})[mark.verb] = function
            models[mark.subresource] = markers.body_of(function, mark)
    for name, verbs in actions.items():
        gvk = cls.definition.group_version.with_kind(models[name].__name__)
        schema = ObjectSchema.of_model(models[name], package=cls.definition.package)
        yield Part(name, gvk, models[name], verbs, schema)
    if cls.definition.scale is not None:
        yield scale.part(cls.definition.scale)


def connects(cls: type[Resource]) -> Mapping[str, Mapping[str, Callable[..., Any]]]:
    """The subresources that take connections over: by name and method."""
    found: dict[str, dict[str, Callable[..., Any]]] = {}
    for mark, function in markers.marks(cls):
        if not isinstance(mark, ActionMark | ColumnMark):
            found.setdefault(mark.subresource, {}).update(dict.fromkeys(mark.methods, function))
    return found


def _no_parts(cls: type[Resource]) -> None:
    marked = [mark for mark, _ in markers.marks(cls) if not isinstance(mark, ColumnMark)]
    if marked or cls.definition.scale is not None:
        why = "its subresources need storage of ours; serve them from your own storage"
        raise DefinitionError(f"{cls.definition.gvk.kind} has a storage of its own: {why}")


def _getter(keys: tuple[str, ...]) -> FieldGetter:
    def get(obj: JSONObject) -> str:
        value: Any = obj
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, str | int) else ""

    return get


def check_versions(classes: Iterable[type[Resource]]) -> None:
    """Raises DefinitionError if a name is taken twice, or a version's hub is not served."""
    served = list(classes)
    plurals: dict[tuple[GroupVersion, str], str] = {}
    for cls in served:
        definition = cls.definition
        if cls.hub is not None and cls.hub not in served:
            raise DefinitionError(f"{cls.__name__}: its hub {cls.hub.__name__} is not served; add with_resource of it")
        for what in (definition.plural, f"kind {definition.gvk.kind}"):
            taken = plurals.setdefault((definition.group_version, what), cls.__name__)
            if taken != cls.__name__:
                raise DefinitionError(f"{cls.__name__}: {taken} has {what} of {definition.group_version} already")
    hubs: dict[tuple[str, str], type[Resource]] = {}
    for cls in served:
        hub = hubs.setdefault((cls.definition.gvk.group, cls.definition.plural), cls.hub or cls)
        if hub is not (cls.hub or cls):
            raise DefinitionError(f"{cls.__name__}: all versions of {cls.definition.plural} need one hub; give hub=")
