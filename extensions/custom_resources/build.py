"""From a definition to the resources it defines, each with its Store.

Called by `extensions/serving.py` whenever a definition changes. Schemas are compiled when first used: a definition that
nobody asks for costs next to nothing. Mirrors getOrCreateServingInfoFor of
`apiextensions-apiserver/pkg/apiserver/customresource_handler.go`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from extensions.custom_resources.conversion import NoneConverter, WebhookConverter
from extensions.custom_resources.embedded import LazyInsides
from extensions.custom_resources.reviews import ReviewedConversion
from extensions.custom_resources.scale import SCALE, SCHEMA, CustomScale
from extensions.custom_resources.strategy import CustomResourceStrategy, ScalePaths, value_at
from extensions.definitions.strategy import storage_version
from generic.client.webhook import WebhookCaller
from generic.config import ServerConfig
from generic.meta import tables
from generic.meta.gvk import GroupResource, GroupVersion, version_sort_key
from generic.registry.resource import Converter, Resource
from generic.registry.rest import InstalledResource, Subresource
from generic.registry.store import Store
from generic.schema import common
from generic.schema.object_schema import ObjectSchema
from generic.storage.objects import Codec, FieldGetter
from generic.types import JSONObject

_NOT_WHILE_TERMINATING = frozenset({"create", "patch", "update"})


@dataclass(frozen=True, slots=True)
class Built:
    """What a definition defines. `installed`: the served versions; `instances`: what is stored, of any version."""

    group_resource: GroupResource
    installed: tuple[InstalledResource, ...]
    instances: Store


@dataclass(frozen=True, slots=True)
class TerminatingResource(InstalledResource):
    """A resource whose definition is being deleted: discovery offers no more than to read and delete."""

    def verbs(self, subresource: str = "") -> list[str]:
        held = InstalledResource.verbs(self, subresource)
        return held if subresource else [verb for verb in held if verb not in _NOT_WHILE_TERMINATING]


def group_resource_of(definition: JSONObject) -> GroupResource:
    """The resource a definition defines, by its accepted name."""
    return GroupResource(definition["spec"]["group"], definition["status"]["acceptedNames"]["plural"])


def build(definition: JSONObject, config: ServerConfig, webhooks: WebhookCaller, *, terminating: bool) -> Built:
    """The resources of an established definition. They share the backing `config.backings` has, or get a new one."""
    group, versions = definition["spec"]["group"], definition["spec"]["versions"]
    schemas = {GroupVersion(group, version["name"]): _schema(version) for version in versions}
    stored = GroupVersion(group, storage_version(definition))
    converter = _converter(definition, schemas, webhooks)
    codec = Codec(
        selectable_fields=_selectable_fields(versions), on_read=_Mender.of(group, versions, schemas, stored=stored)
    )
    installed, instances = [], None
    held = config.backings.held(group_resource_of(definition))
    if held is not None:
        # Versions that are served no longer are no way to see an object either.
        held.served.clear()
    for version in versions:
        resource = _resource(definition, version, schemas=schemas, terminating=terminating)
        resource = replace(resource, storage_version=stored, converter=converter)
        backing = config.backings.of(resource, codec)
        if version["storage"]:
            # Deletion looks at nothing but metadata, so it needs no conversion, and no conversion can be in its way.
            instances = Store(replace(resource, converter=None), backing)
        if version["served"]:
            made = _install(resource, version, config)
            installed.append(
                TerminatingResource(made.resource, made.storage, made.subresources) if terminating else made
            )
    assert instances is not None, "validation lets no definition through that has no storage version"
    return Built(group_resource_of(definition), tuple(installed), instances)


def _converter(
    definition: JSONObject, schemas: Mapping[GroupVersion, ObjectSchema], webhooks: WebhookCaller
) -> Converter:
    conversion = definition["spec"].get("conversion") or {}
    if conversion.get("strategy") != "Webhook":
        return NoneConverter(schemas)
    return WebhookConverter(schemas, ReviewedConversion.of(webhooks, conversion["webhook"]))


def _schema(version: JSONObject) -> ObjectSchema:
    return ObjectSchema.structural(_open_api(version))


def _open_api(version: JSONObject) -> JSONObject:
    return (version.get("schema") or {}).get("openAPIV3Schema") or {"type": "object"}


def _resource(
    definition: JSONObject, version: JSONObject, *, schemas: Mapping[GroupVersion, ObjectSchema], terminating: bool
) -> Resource:
    spec, names = definition["spec"], definition["status"]["acceptedNames"]
    group_version = GroupVersion(spec["group"], version["name"])
    subresources = version.get("subresources") or {}
    strategy = CustomResourceStrategy(
        group_resource_of(definition),
        has_status=subresources.get("status") is not None,
        scale=_scale_paths(version),
        terminating=terminating,
        schema=_open_api(version),
    )
    return Resource(
        group_version.with_resource(names["plural"]),
        names["kind"],
        namespaced=spec["scope"] == "Namespaced",
        schema=schemas[group_version],
        strategy=strategy,
        singular=names.get("singular") or "",
        list_kind=names.get("listKind") or "",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        columns=tables.custom_resource_columns(version.get("additionalPrinterColumns")),
        selectable_fields=_selectable_fields([version]),
        deprecation_warning=_deprecation_warning(spec, version),
        lenient_types=True,
    )


def _install(resource: Resource, version: JSONObject, config: ServerConfig) -> InstalledResource:
    made = config.install(resource)
    paths = _scale_paths(version)
    if paths is None:
        return made
    scale = CustomScale(made.storage, paths, admission=config.admission)
    return replace(made, subresources={**made.subresources, "scale": Subresource(scale, SCALE, SCHEMA)})


def _scale_paths(version: JSONObject) -> ScalePaths | None:
    scale = (version.get("subresources") or {}).get("scale")
    if scale is None:
        return None
    selector = scale.get("labelSelectorPath") or ""
    return ScalePaths(
        _keys(scale["specReplicasPath"]), _keys(scale["statusReplicasPath"]), _keys(selector) if selector else ()
    )


def _selectable_fields(versions: list[JSONObject]) -> dict[str, FieldGetter]:
    paths = {field["jsonPath"] for version in versions for field in version.get("selectableFields") or ()}
    return {path[1:]: _field_getter(_keys(path)) for path in sorted(paths)}


def _field_getter(keys: tuple[str, ...]) -> FieldGetter:
    def get(obj: JSONObject) -> str:
        value: Any = value_at(obj, keys)
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, str | int) else ""

    return get


def _keys(path: str) -> tuple[str, ...]:
    return tuple(path[1:].split("."))


def _deprecation_warning(spec: JSONObject, version: JSONObject) -> str:
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning") is not None:
        return str(version["deprecationWarning"])
    group, kind, name = spec["group"], spec["names"]["kind"], version["name"]
    better = [
        other["name"]
        for other in spec["versions"]
        if other["served"] and not other.get("deprecated") and version_sort_key(other["name"]) < version_sort_key(name)
    ]
    instead = f"; use {group}/{min(better, key=version_sort_key)} {kind}" if better else ""
    return f"{group}/{name} {kind} is deprecated{instead}"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the objects of one version look like."""

    schema: ObjectSchema
    insides: LazyInsides


class _Mender:
    """Prunes and defaults what is read from storage, and drops spoiled metadata: it may have been written long ago.

    `shapes`: by apiVersion. `fallback`: a version that is gone from the definition reads as the one objects are stored
    in now.
    """

    def __init__(self, shapes: Mapping[str, _Shape], fallback: _Shape) -> None:
        self._shapes = shapes
        self._fallback = fallback

    @classmethod
    def of(
        cls,
        group: str,
        versions: list[JSONObject],
        schemas: Mapping[GroupVersion, ObjectSchema],
        *,
        stored: GroupVersion,
    ) -> "_Mender":
        shapes = {}
        for version in versions:
            group_version = GroupVersion(group, version["name"])
            shapes[str(group_version)] = _Shape(schemas[group_version], LazyInsides(_open_api(version)))
        return cls(shapes, shapes[str(stored)])

    def __call__(self, obj: JSONObject) -> bool:
        shape = self._shapes.get(obj.get("apiVersion") or "", self._fallback)
        before = orjson.dumps(obj)
        common.drop_malformed_metadata(obj["metadata"])
        shape.insides.drop_malformed(obj)
        shape.schema.prune(obj)
        shape.schema.default(obj)
        return orjson.dumps(obj) != before
